"""Repairs references (`&name;`, `&#number;`) and characters that XML does not allow.

What cannot be a character costs one character, never the document. `reading.markup` calls it for documents,
`reading.values` for text inside CDATA sections.
"""

import re
from html.entities import html5

_XML_NAMES = {"amp", "lt", "gt", "quot", "apos"}
# High and low surrogate as two references: JSON and JavaScript write emoji so, and exporters copy them.
_PAIR = re.compile(
    r"&#(?:x(d[89ab][\da-f]{2})|(5(?:5[2-9]\d{2}|6[0-3]\d{2})));&#(?:x(d[c-f][\da-f]{2})|(5[67]\d{3}));",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"&#(?:x([\da-f]{1,8})|(\d{1,10}));", re.IGNORECASE)
_NAME = re.compile(r"&(\w{1,32});")
# XML 1.0, production 2: every other character is an error for libxml2.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
LOST = "\ufffd"


def join_surrogates(text: str) -> str:
    """Return the text with two references to halves of one character as this character."""
    return _PAIR.sub(_joined, text) if "&#" in text else text


def for_xml(reference: str) -> str:
    """Return what stands in a document for a reference: itself, the character it names, or the text that it is.

    A number that names no character becomes U+FFFD, one of a control character becomes nothing. A name that
    HTML does not have is text, so it cannot refer to an entity that the document declares.
    """
    if found := _NUMBER.fullmatch(reference):
        return _number(int(found[1], 16) if found[1] else int(found[2]), reference)
    found = _NAME.fullmatch(reference)
    if found is None or found[1] in _XML_NAMES:
        return reference if found else f"&amp;{reference[1:]}"
    character = html5.get(f"{found[1]};")
    return character if character is not None else f"&amp;{reference[1:]}"


def without_forbidden(text: str) -> str:
    """Return the text without the characters that XML forbids."""
    return _FORBIDDEN.sub("", text)


def _number(code: int, reference: str) -> str:
    if 0xD800 <= code <= 0xDFFF or code > 0x10FFFF or code in (0xFFFE, 0xFFFF):
        return LOST
    if code < 0x20 and code not in (9, 10, 13):
        return ""
    if 0x80 <= code <= 0x9F:
        # HTML reads these as Windows-1252, which is what their writers meant.
        return bytes([code]).decode("windows-1252", "replace")
    return reference


def _joined(found: "re.Match[str]") -> str:
    high = int(found[1], 16) if found[1] else int(found[2])
    low = int(found[3], 16) if found[3] else int(found[4])
    if not (0xD800 <= high <= 0xDBFF and 0xDC00 <= low <= 0xDFFF):
        return found[0]
    return chr(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))
