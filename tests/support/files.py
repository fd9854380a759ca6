"""Small files of programs, of every kind: pictures with their sizes, sounds, and what is neither."""

import io
import struct
import wave
import zlib


def png(width: int = 3, height: int = 2, *, more: bytes = b"") -> bytes:
    """Return a grey picture; `more` stands in a comment, so that pictures differ."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress((b"\0" + b"\x80" * width) * height)
    comment = chunk(b"tEXt", b"Comment\0" + more) if more else b""
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + comment + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )


def jpeg(width: int = 3, height: int = 2, *, before: int = 0) -> bytes:
    """Return the headers of a JPEG; at least `before` bytes of a profile stand before its size."""
    most = 65_000
    part = b"\xff\xe2" + struct.pack(">H", 2 + most) + bytes(most)
    profile = part * -(-before // most)
    app0 = b"\xff\xe0" + struct.pack(">H", 16) + b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0"
    frame = b"\xff\xc0" + struct.pack(">HBHHB", 11, 8, height, width, 1) + b"\x01\x11\0"
    return b"\xff\xd8" + app0 + profile + frame + b"\xff\xd9"


def webp(width: int = 3, height: int = 2) -> bytes:
    """Return the headers of an extended WebP."""
    canvas = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    chunk = b"VP8X" + struct.pack("<I", 10) + b"\0\0\0\0" + canvas
    return b"RIFF" + struct.pack("<I", 4 + len(chunk)) + b"WEBP" + chunk


def avif(width: int = 3, height: int = 2) -> bytes:
    """Return the headers of an AVIF: its brands, and the size of its only item."""

    def box(name: bytes, *parts: bytes) -> bytes:
        data = b"".join(parts)
        return struct.pack(">I", 8 + len(data)) + name + data

    size = box(b"ispe", b"\0\0\0\0", struct.pack(">II", width, height))
    meta = box(b"meta", b"\0\0\0\0", box(b"iprp", box(b"ipco", size)))
    return box(b"ftyp", b"avif", b"\0\0\0\0", b"avif", b"mif1") + meta


def wav(seconds: int = 2) -> bytes:
    """Return silence."""
    found = io.BytesIO()
    with wave.open(found, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(1)
        file.setframerate(8000)
        file.writeframes(b"\x80" * 8000 * seconds)
    return found.getvalue()


SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="3" height="2"><script>alert(1)</script></svg>'
GIF = b"GIF89a\x03\x00\x02\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff;"
