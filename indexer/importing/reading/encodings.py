"""Finds the encoding of a document. Its declaration is often wrong, so the bytes are looked at first.

Valid UTF-8 is UTF-8, whatever the document declares: text in other encodings is hardly ever valid UTF-8.
Old Arabic feeds in Windows-1256 declare UTF-8 or Latin-1; runs of Arabic letters give them away.
"""

import codecs
import re
from collections.abc import Iterable

import charset_normalizer

# Bytes at a document's beginning that are looked at.
SAMPLE = 256 * 1024
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Declared by software as a default, without knowing the text.
_DEFAULTS = {
    "utf-8",
    "utf8",
    "us-ascii",
    "ascii",
    "iso-8859-1",
    "latin-1",
    "latin1",
    "windows-1252",
    "cp1252",
}
_ARABIC = ("windows-1256", "iso-8859-6")
_ARABIC_RUN = re.compile("[\u0621-\u0652]{3,}")
_NOT_ASCII = re.compile(rb"[\x80-\xff]")
_SURROGATES = re.compile(rb"\xed[\xa0-\xaf][\x80-\xbf]\xed[\xb0-\xbf][\x80-\xbf]")
_LETTER = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
# Share of bytes beyond ASCII that are letters of UTF-8 in a document of which only parts are in another encoding.
# In text of other encodings such sequences are rare.
_MIN_UTF8_SHARE = 0.6
# Share of letters beyond ASCII that may be broken in a document that is UTF-8 all the same.
_MAX_BROKEN_SHARE = 0.1


def guess(body: bytes, declared: Iterable[str | None] = ()) -> str:
    """Return the name of the encoding, as Python knows it.

    Args:
        body: The document, or its first `SAMPLE` bytes.
        declared: Encodings that the document or its server declare, the most trusted first.
    """
    sample = body[:SAMPLE]
    for mark, name in _BYTE_ORDER_MARKS:
        if sample.startswith(mark):
            return name
    utf16 = _utf16_without_mark(sample)
    if utf16 is not None:
        return utf16
    named = next((encoding for d in declared if (encoding := known(d)) is not None), None)
    if not _NOT_ASCII.search(sample):
        # ISO-2022-JP and its like are written in ASCII, and anything may follow behind the sample.
        return named if named is not None and named not in _DEFAULTS else "utf-8"
    broken, mostly_utf8 = _broken_share(sample), _is_mostly_utf8(sample)
    if broken == 0 or mostly_utf8:
        return "utf-8"
    if named is None or named in _DEFAULTS:
        arabic = max(_ARABIC, key=lambda name: _arabic_share(sample, name))
        if _arabic_share(sample, arabic) > 0.5:
            return arabic
    if broken < _MAX_BROKEN_SHARE:
        return "utf-8"
    if named is not None and named not in ("utf-8", "utf8"):
        return named
    best = charset_normalizer.from_bytes(sample[:65_536]).best()
    return best.encoding if best is not None else "windows-1252"


def decode(body: bytes, declared: Iterable[str | None] = ()) -> str:
    """Return the document's text; bytes that are no letter become U+FFFD. Arguments as in `guess`."""
    encoding = guess(body, declared)
    text = _utf8(body) if encoding == "utf-8" else body.decode(encoding, "replace")
    return text.removeprefix("\ufeff")


def _utf8(body: bytes) -> str:
    """The text of UTF-8. A piece between two tags that is in another encoding is read in that encoding."""
    try:
        return body.decode()
    except UnicodeDecodeError:
        joined = _SURROGATES.sub(_one_character, body)
        return "".join(_piece(piece) for piece in re.split(rb"(?=[<>\n])", joined))


def _one_character(found: "re.Match[bytes]") -> bytes:
    # Two surrogates, each written as three bytes: CESU-8, as old databases write an emoji.
    pair = found[0].decode("utf-8", "surrogatepass").encode("utf-16", "surrogatepass")
    return pair.decode("utf-16").encode()


def _piece(piece: bytes) -> str:
    try:
        return piece.decode()
    except UnicodeDecodeError:
        text = piece.decode("utf-8", "replace")
    if any(c > "\x7f" and c != "\ufffd" for c in text):
        # A slip: the letters around it are UTF-8.
        return text
    if _arabic_share(piece, "windows-1256") > 0.5:
        return piece.decode("windows-1256", "replace")
    return (
        piece.decode("windows-1252", "replace") if len(_NOT_ASCII.findall(piece)) * 2 < len(piece) else text
    )


def known(name: str | None) -> str | None:
    """Return the name in lower case if Python has a text encoding of this name, else None."""
    try:
        "".encode(str(name))
    except (LookupError, ValueError, TypeError):
        return None
    return str(name).lower() if name else None


def _utf16_without_mark(sample: bytes) -> str | None:
    # UTF-16 without a byte order mark: every other byte of markup at the beginning is NUL.
    head = sample[:64]
    if len(head) < 4 or b"\0" not in head:
        return None
    for name, zeros, letters in (("utf-16-le", head[1::2], head[::2]), ("utf-16-be", head[::2], head[1::2])):
        if zeros.count(0) > 0.7 * len(zeros) and letters.count(0) == 0:
            return name
    return None


def _broken_share(sample: bytes) -> float:
    """The share of letters beyond ASCII that are no UTF-8; 0 for valid UTF-8."""
    # An incremental decoder, because the sample may end inside a letter.
    text = codecs.getincrementaldecoder("utf-8")("replace").decode(sample)
    beyond = sum(c > "\x7f" for c in text)
    return text.count("\ufffd") / beyond if beyond else 0.0


def _is_mostly_utf8(sample: bytes) -> bool:
    beyond = len(_NOT_ASCII.findall(sample))
    return sum(map(len, _LETTER.findall(sample))) >= _MIN_UTF8_SHARE * beyond


def _arabic_share(sample: bytes, encoding: str) -> float:
    """The share of letters beyond ASCII that stand in Arabic words."""
    text = sample.decode(encoding, "replace")
    beyond = sum(c > "\x7f" for c in text)
    return sum(len(run) for run in _ARABIC_RUN.findall(text)) / beyond if beyond else 0.0
