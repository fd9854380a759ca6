"""Brings XML documents into a form that every parser reads alike. Feeds and OPML pass through here first."""

import re

from indexer.importing.errors import ImportFailed
from indexer.importing.reading import encodings
from indexer.importing.reading.texts import references

_DECLARED = re.compile(rb"""\s*<\?xml[^>]*?encoding\s*=\s*["']([\w.:-]{1,40})["']""", re.IGNORECASE)
_DECLARATION = re.compile(r"\A<\?xml[^>]{0,200}\?>")
_SECTION, _SECTION_END = "<![CDATA[", "]]>"
# A reference, or a bare &.
_REFERENCES = re.compile(r"&(?:#\d{1,10};|#x[\da-f]{1,8};|\w{1,32};)?", re.IGNORECASE)
# The first bytes of what `references.without_forbidden` removes, as UTF-8.
_CONTROLS = bytes(n for n in range(0x20) if n not in b"\t\n\r")
_NO_CHARACTERS = b"\xef\xbf"

# More than any feed has. The parser compares each attribute of an element with all others.
MAX_ATTRIBUTES = 500
# A tag that may have so many: `a="1"` and a space for each.
_LONG_TAG = re.compile(rb"<[a-zA-Z][^<>]{%d,}" % (MAX_ATTRIBUTES * 4))
_ATTRIBUTE = re.compile(rb"[\w:.-]\s*=")


def check_attributes(body: bytes) -> None:
    """Refuse a document that went through `tidy` in which an element has too many attributes.

    Raises:
        ImportFailed: `too_many_attributes`.
    """
    for tag in _LONG_TAG.finditer(body):
        if len(_ATTRIBUTE.findall(tag[0])) > MAX_ATTRIBUTES:
            detail = f"An element of the document has more than {MAX_ATTRIBUTES} attributes."
            raise ImportFailed("too_many_attributes", detail)


def tidy(body: bytes, content_type: str = "") -> bytes:
    """Return the document in UTF-8, without an XML declaration, every reference repaired.

    Args:
        body: The document in any encoding.
        content_type: The Content-Type header it came with, "" without one.
    """
    declared = content_type.lower().partition("charset=")[2].split(";")[0].strip("\"' ")
    within = _DECLARED.match(body[:200])
    text = encodings.decode(body, (declared, within[1].decode() if within else None))
    text = _DECLARATION.sub("", text.lstrip(" \t\r\n\0"), count=1)
    text = references.join_surrogates(text)
    tidied = _outside_sections(text).encode(errors="replace")
    if tidied.translate(None, _CONTROLS) == tidied and _NO_CHARACTERS not in tidied:
        return tidied
    return references.without_forbidden(tidied.decode()).encode()


def _outside_sections(text: str) -> str:
    """The text with its references repaired, except in CDATA sections; the last one may never be closed.

    A bare & is the mistake that breaks most documents.
    """
    before, *sections = text.split(_SECTION)
    parts = [_REFERENCES.sub(_repaired, before)]
    for section in sections:
        inside, end, behind = section.partition(_SECTION_END)
        parts += (_SECTION, inside, end, _REFERENCES.sub(_repaired, behind) if "&" in behind else behind)
    return "".join(parts)


def _repaired(found: "re.Match[str]") -> str:
    return references.for_xml(found[0])
