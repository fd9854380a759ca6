"""Which encoding a stranger's bytes are in. What is declared is often wrong: the bytes are asked first.

Text that is valid UTF-8 is UTF-8, whatever it calls itself: other encodings hardly ever look like it.
Windows-1256 that calls itself UTF-8 or Latin-1, as old Arabic feeds do, shows in runs of Arabic letters.
"""

import codecs
import re
from collections.abc import Iterable

import charset_normalizer

SAMPLE = 256 * 1024
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Said by default, by software that knew nothing of the text.
_SAID_IN_PASSING = {"utf-8", "utf8", "us-ascii", "ascii", "iso-8859-1", "latin-1", "latin1", "windows-1252", "cp1252"}  # fmt: skip
_ARABIC = ("windows-1256", "iso-8859-6")
_ARABIC_RUN = re.compile("[\u0621-\u0652]{3,}")
_NOT_ASCII = re.compile(rb"[\x80-\xff]")
# Three of these in a thousand letters are a slip of the pen; UTF-8 all the same.
_SLIP = 0.1


def guess(body: bytes, declared: Iterable[str | None] = ()) -> str:
    """The name of an encoding Python knows. `declared`: what was said, the most trusted first."""
    sample = body[:SAMPLE]
    for mark, name in _MARKS:
        if sample.startswith(mark):
            return name
    wide = _wide(sample)
    if wide is not None:
        return wide
    said = next((found for d in declared if (found := known(d)) is not None), None)
    if not _NOT_ASCII.search(sample):
        # Encodings such as ISO-2022-JP hide in ASCII; behind the sample anything may follow.
        return said if said is not None and said not in _SAID_IN_PASSING else "utf-8"
    wrong = _wrong(sample)
    if wrong == 0:
        return "utf-8"
    if said is None or said in _SAID_IN_PASSING:
        arabic = max(_ARABIC, key=lambda name: _arabic_share(sample, name))
        if _arabic_share(sample, arabic) > 0.5:
            return arabic
    if wrong < _SLIP:
        return "utf-8"
    if said is not None and said not in ("utf-8", "utf8"):
        return said
    best = charset_normalizer.from_bytes(sample[:65_536]).best()
    return best.encoding if best is not None else "windows-1252"


def decode(body: bytes, declared: Iterable[str | None] = ()) -> str:
    """The text; what the encoding has no letter for becomes U+FFFD."""
    text = body.decode(guess(body, declared), "replace")
    return text.removeprefix("\ufeff")


def known(name: str | None) -> str | None:
    """The name in lower case, if it is an encoding of text."""
    try:
        "".encode(str(name))
    except (LookupError, ValueError, TypeError):
        return None
    return str(name).lower() if name else None


def _wide(sample: bytes) -> str | None:
    """UTF-16 without its mark: every other byte of what begins a document is NUL."""
    head = sample[:64]
    if len(head) < 4 or b"\0" not in head:
        return None
    for name, zeros, letters in (("utf-16-le", head[1::2], head[::2]), ("utf-16-be", head[::2], head[1::2])):  # fmt: skip
        if zeros.count(0) > 0.7 * len(zeros) and letters.count(0) == 0:
            return name
    return None


def _wrong(sample: bytes) -> float:
    """The share of letters beyond ASCII that are no UTF-8; 0 for valid UTF-8."""
    # The sample may end inside a letter.
    text = codecs.getincrementaldecoder("utf-8")("replace").decode(sample)
    beyond = sum(c > "\x7f" for c in text)
    return text.count("\ufffd") / beyond if beyond else 0.0


def _arabic_share(sample: bytes, encoding: str) -> float:
    """The share of what is beyond ASCII that stands in Arabic words."""
    text = sample.decode(encoding, "replace")
    beyond = sum(c > "\x7f" for c in text)
    return sum(len(run) for run in _ARABIC_RUN.findall(text)) / beyond if beyond else 0.0
