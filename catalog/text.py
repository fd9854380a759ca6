"""Text as both languages need it: one folding for search, one slug for addresses."""

import re
import unicodedata

# Marks that change pronunciation but not the word: harakat, superscript alef, Quranic signs, tatweel.
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
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
MAX_SLUG = 120


def fold(text: str) -> str:
    """Letters as a searcher types them: one alef, one ya, no marks, no accents, lower case."""
    text = _MARKS.sub("", unicodedata.normalize("NFKC", text)).translate(_FOLD).casefold()
    decomposed = unicodedata.normalize("NFD", text)
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def slugify(text: str) -> str:
    """An address that keeps Arabic letters: lower case, words joined by hyphens, ≤ 120 characters.

    Returns "" when nothing of the text can stand in an address.
    """
    text = _MARKS.sub("", unicodedata.normalize("NFKC", text)).casefold()
    text = "".join(c for c in unicodedata.normalize("NFD", text) if not ("\u0300" <= c <= "\u036f"))
    text = unicodedata.normalize("NFC", text)
    slug = _NOT_SLUG.sub("-", text).replace("_", "-").strip("-")
    return re.sub("-{2,}", "-", slug)[:MAX_SLUG].strip("-")


def has_control_characters(text: str) -> bool:
    """True for NUL and other controls that neither PostgreSQL nor a page can show."""
    return _CONTROL.search(text) is not None
