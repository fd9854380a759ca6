"""XML as strangers write it, brought into a form that parsers agree on."""

import re

from indexer.importing import encodings

_DECLARED = re.compile(rb"""\s*<\?xml[^>]*?encoding\s*=\s*["']([\w.:-]{1,40})["']""", re.IGNORECASE)
_DECLARATION = re.compile(r"\A<\?xml[^>]{0,200}\?>")
# Whole CDATA sections (one that never ends, to the end), or an & that begins no entity.
_BARE = re.compile(
    r"<!\[CDATA\[(?:.*?\]\]>|.*\Z)|&(?!#\d{1,8};|#x[\da-f]{1,6};|\w{1,32};)",
    re.DOTALL | re.IGNORECASE,
)


def tidy(body: bytes, content_type: str = "") -> bytes:
    """The document in UTF-8, whatever it came in, with the sign repaired that breaks most of them."""
    declared = content_type.lower().partition("charset=")[2].split(";")[0].strip("\"' ")
    within = _DECLARED.match(body[:200])
    text = encodings.decode(body, (declared, within[1].decode() if within else None))
    text = _DECLARATION.sub("", text.lstrip(" \t\r\n\0"), count=1)
    # A bare & is a mistake everywhere but in CDATA.
    return _BARE.sub(_repaired, text).encode(errors="replace")


def _repaired(found: "re.Match[str]") -> str:
    return "&amp;" if found[0] == "&" else found[0]
