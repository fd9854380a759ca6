"""Tells the tags of HTML from words in angle brackets: `Vector<int>`, `Learn C++ <vector> fast`.

`reading.values` marks the words before it removes the tags.
"""

import re

_TAG = re.compile(r"<(/?)([a-zA-Z][\w:.-]*)((?:\s[^<>]*|/)?)>|<(?=[\s\d<=&]|$)")
_UNFINISHED = re.compile(r"<(?![^<>]*>)")
# https://html.spec.whatwg.org/multipage/indices.html#elements-3, and those that browsers still know.
_ELEMENTS = frozenset(
    [
        "a",
        "abbr",
        "acronym",
        "address",
        "applet",
        "area",
        "article",
        "aside",
        "audio",
        "b",
        "base",
        "basefont",
        "bdi",
        "bdo",
        "bgsound",
        "big",
        "blink",
        "blockquote",
        "body",
        "br",
        "button",
        "canvas",
        "caption",
        "center",
        "cite",
        "code",
        "col",
        "colgroup",
        "data",
        "datalist",
        "dd",
        "del",
        "details",
        "dfn",
        "dialog",
        "dir",
        "div",
        "dl",
        "dt",
        "em",
        "embed",
        "fieldset",
        "figcaption",
        "figure",
        "font",
        "footer",
        "form",
        "frame",
        "frameset",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "head",
        "header",
        "hgroup",
        "hr",
        "html",
        "i",
        "iframe",
        "image",
        "img",
        "input",
        "ins",
        "kbd",
        "keygen",
        "label",
        "legend",
        "li",
        "link",
        "main",
        "map",
        "mark",
        "marquee",
        "math",
        "menu",
        "meta",
        "meter",
        "nav",
        "nobr",
        "noembed",
        "noframes",
        "noscript",
        "object",
        "ol",
        "optgroup",
        "option",
        "output",
        "p",
        "param",
        "picture",
        "plaintext",
        "portal",
        "pre",
        "progress",
        "q",
        "rb",
        "rp",
        "rt",
        "rtc",
        "ruby",
        "s",
        "samp",
        "script",
        "search",
        "section",
        "select",
        "slot",
        "small",
        "source",
        "span",
        "strike",
        "strong",
        "style",
        "sub",
        "summary",
        "sup",
        "svg",
        "table",
        "tbody",
        "td",
        "template",
        "textarea",
        "tfoot",
        "th",
        "thead",
        "time",
        "title",
        "tr",
        "track",
        "tt",
        "u",
        "ul",
        "var",
        "video",
        "wbr",
        "xmp",
    ]
)
# Elements without an end tag that a title may have by accident.
_VOID = frozenset(("br", "hr", "wbr"))
# Elements whose content a parser takes as raw text; without an end they would swallow the words behind them.
_RAW = frozenset(
    ["script", "style", "title", "textarea", "xmp", "iframe", "noembed", "noframes", "noscript", "plaintext"]
)


# What stands for a tag in plain text: a tag that begins a line where none has ended, and one that ends a line.
BEGINNING, _END = "\x0b", "\n"
# Elements whose text a parser leaves in its place.
_INLINE = [
    "a",
    "abbr",
    "b",
    "center",
    "cite",
    "code",
    "em",
    "figcaption",
    "figure",
    "font",
    "i",
    "img",
    "q",
    "s",
    "small",
    "span",
    "strike",
    "strong",
    "sub",
    "sup",
    "u",
]
_BLOCKS = ["blockquote", "div", "h1", "h2", "h3", "h4", "h5", "h6", "li", "p"]
_FLOWING = (
    {name: "" for tag in _INLINE for name in (tag, f"/{tag}")}
    | dict.fromkeys(_BLOCKS, BEGINNING)
    | {f"/{tag}": _END for tag in _BLOCKS}
    | {"ul": BEGINNING, "ol": BEGINNING, "/ul": "", "/ol": "", "br": _END, "/br": "", "hr": _END, "/hr": ""}
)
# A whole tag as editors write it.
_WHOLE_TAG = re.compile(
    r"""<(/?[a-zA-Z][a-zA-Z0-9]*)(?:\s+[a-zA-Z_:][\w:.-]*(?:\s*=\s*(?:"[^"<>]*"|'[^'<>]*'|[^\s"'<>=`]+))?)*\s*/?>"""
)


def without_flowing_tags(text: str) -> str | None:
    """Return the text without its tags when it has only whole tags of elements that no parser moves; else None.

    Most show notes are such: a parser would find the same text in ten times the time. Where a tag begins a line
    stands `BEGINNING`.
    """
    parts = _WHOLE_TAG.split(text)
    if len(parts) // 2 != text.count("<"):
        return None
    for n in range(1, len(parts), 2):
        instead = _FLOWING.get(parts[n].lower())
        if instead is None:
            return None
        parts[n] = instead
    return "".join(parts)


_NAMES = re.compile(r"</?([a-zA-Z][a-zA-Z0-9]*)(?=[\s/>])")
_RAW_TAG = re.compile(rf"<(?:{'|'.join(sorted(_RAW))})[\s/>]", re.IGNORECASE)


def literal_angles(text: str, *, words: bool) -> str:
    """Return the text with the < of every word in angle brackets as &lt;, so that only tags of HTML are left.

    Args:
        text: Text with tags of HTML, words in angle brackets, or both.
        words: The text is a title: a tag counts as HTML only when it has attributes, or its other half.
    """
    if not words:
        # Nearly every text has tags of HTML only.
        names = _NAMES.findall(text)
        if (
            len(names) == text.count("<")
            and _ELEMENTS.issuperset(map(str.lower, names))
            and not _RAW_TAG.search(text)
        ):
            return text
    if words:
        # Before the tags, too: Map<String, List<int>>.
        text = _UNFINISHED.sub("&lt;", text)
    lower = text.lower()
    marked = _TAG.sub(lambda found: _judged(found, lower, words), text)
    return _UNFINISHED.sub("&lt;", marked) if words else marked


def _judged(found: "re.Match[str]", lower: str, words: bool) -> str:
    whole, name = found[0], (found[2] or "").lower()
    if not name:
        return f"&lt;{whole[1:]}"
    if ":" in name or ("-" in name and not words):
        # An element of another vocabulary: <o:p> of Word.
        return whole
    if name not in _ELEMENTS:
        return f"&lt;{whole[1:]}"
    if words:
        markup = name in _VOID or "=" in found[3] or _has_half(found, name, lower)
        return whole if markup else f"&lt;{whole[1:]}"
    if name in _RAW and not _has_half(found, name, lower):
        # Its tag goes, the words behind it stay.
        return " "
    return whole


def _has_half(found: "re.Match[str]", name: str, lower: str) -> bool:
    if found[1]:
        return lower.find(f"<{name}", 0, found.start()) >= 0
    return lower.find(f"</{name}", found.end()) >= 0
