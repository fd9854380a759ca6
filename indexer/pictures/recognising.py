"""What a picture is, by its first bytes: its kind and its size in pixels. Nothing is decoded."""

import io
from typing import NamedTuple

import imagesize

# Of a picture, as much as has its size in nearly every file: a photograph may begin with a preview of itself.
BEGINNING = 256 * 1024
# Of a picture that is all there, what is looked at: a file may be made so that each of its bytes takes time.
_MOST_READ = 1_000_000
_WEBP = slice(8, 12)
# The brands of AVIF: still pictures and sequences. https://aomediacodec.github.io/av1-avif/#brands
_AVIF = (b"avif", b"avis")
_MOST_BRANDS = 256


class Picture(NamedTuple):
    """A picture: the ending of its name, its MIME type, and its size in pixels."""

    ending: str
    mime: str
    width: int
    height: int


def recognise(beginning: bytes) -> Picture | None:
    """Return what a file is by its first bytes; None for all but PNG, JPEG, WebP and AVIF, and when its size cannot be read.

    A file of a stranger may take a second: call it on a thread.
    """
    ending = _ending(beginning)
    if ending is None:
        return None
    try:
        width, height = imagesize.get(io.BytesIO(beginning[:_MOST_READ]))
    # A broken header: the library lets through what reading it raises.
    except Exception:
        return None
    if width <= 0 or height <= 0:
        return None
    return Picture(ending, _mime(ending), int(width), int(height))


def declared(beginning: bytes) -> str | None:
    """Return the MIME type of a picture by its very first bytes; None for all but PNG, JPEG, WebP and AVIF."""
    ending = _ending(beginning)
    return _mime(ending) if ending else None


def _mime(ending: str) -> str:
    return "image/jpeg" if ending == "jpg" else f"image/{ending}"


def _ending(beginning: bytes) -> str | None:
    if beginning.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if beginning.startswith(b"\xff\xd8\xff"):
        return "jpg"
    if beginning.startswith(b"RIFF") and beginning[_WEBP] == b"WEBP":
        return "webp"
    return "avif" if _is_avif(beginning) else None


def _is_avif(beginning: bytes) -> bool:
    # A box: its length, its name, the main brand, a version, and further brands (ISO/IEC 14496-12).
    length = int.from_bytes(beginning[:4])
    if beginning[4:8] != b"ftyp" or not 16 <= length <= _MOST_BRANDS:
        return False
    brands = [beginning[at : at + 4] for at in (8, *range(16, length, 4))]
    return any(brand in _AVIF for brand in brands)
