"""Text in Arabic and English: folding (equal for spellings of one word) and slugs (the readable part of an address)."""

import re
import unicodedata

# Characters that folding and slugs drop: harakat, superscript alef, Quranic signs, tatweel, direction controls.
_MARKS = re.compile(
    "[\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed\u0640\u200c-\u200f\u202a-\u202e\u2066-\u2069]"
)
_FOLD = str.maketrans(
    {
        **dict.fromkeys("أإآٱ", "ا"),
        "ى": "ي",
        "ی": "ي",
        "ئ": "ي",
        "ة": "ه",
        "ؤ": "و",
        "ک": "ك",
        **{chr(0x0660 + n): str(n) for n in range(10)},
        **{chr(0x06F0 + n): str(n) for n in range(10)},
    }
)
_NOT_SLUG = re.compile(r"[^\w]+")
# The controls of ASCII and of ISO 8859 (C1), but tabs and ends of lines.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
# General categories of characters that show nothing: separators, controls, formats.
_INVISIBLE = ("Z", "C")
MAX_SLUG = 120


def fold(text: str) -> str:
    """Return text with one form for letters that people mix: one alef, one ya, no marks, no accents, lower case.

    The SQL function `catalog_fold` does the same for Arabic letters, digits and accents of western Europe.
    """
    text = _MARKS.sub("", unicodedata.normalize("NFKC", text)).translate(_FOLD).casefold()
    decomposed = unicodedata.normalize("NFD", text)
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def slugify(text: str) -> str:
    """Return a slug: lower case, Arabic letters kept, words joined by hyphens, at most `MAX_SLUG` characters.

    Text without a letter or digit gives "".
    """
    text = _MARKS.sub("", unicodedata.normalize("NFKC", text)).casefold()
    text = "".join(c for c in unicodedata.normalize("NFD", text) if not ("\u0300" <= c <= "\u036f"))
    text = unicodedata.normalize("NFC", text)
    slug = _NOT_SLUG.sub("-", text).replace("_", "-").strip("-")
    return re.sub("-{2,}", "-", slug)[:MAX_SLUG].strip("-")


def has_control_characters(text: str) -> bool:
    """Return whether the text has NUL, which PostgreSQL does not store, or another control that a page cannot show."""
    return _CONTROL.search(text) is not None


def has_visible_characters(text: str) -> bool:
    """Return whether a reader sees anything of the text: blanks and zero-width characters show nothing."""
    return any(not unicodedata.category(character).startswith(_INVISIBLE) for character in text)
