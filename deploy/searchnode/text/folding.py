"""Folds words, so that different spellings of a word are one word. The tokenizer and settings use it.

The rules are those of charabia, Meilisearch's tokenizer, for Arabic, Persian and Latin script: marks
and tatweel are removed; alef, ya and ta marbuta take one form; capitals and accents are removed.
"""

import re
import unicodedata

from deploy.searchnode.text.scripts import ARABIC, LATIN

_HAS_ARABIC = re.compile(f"[{ARABIC}]")
# Marks are removed in these scripts only.
_HAS_MARKED = re.compile(f"[{ARABIC}{LATIN}\u0370-\u03ff\u1f00-\u1fff\u0590-\u05ff\u0e00-\u0e7f]")
# charabia counts full-width letters as a script that has no capitals.
_FULL_WIDTH = re.compile("[\uff00-\uffef]")
_CONTROLS = re.compile("[\0-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]")
_ARABIC_FOLD = str.maketrans({**dict.fromkeys("أإآٱ", "ا"), "ى": "ي", "ة": "ه", "\u0640": None})
_PERSIAN_FOLD = str.maketrans(
    {
        **dict.fromkeys("يیىۀ", "ی"),
        **dict.fromkeys("كک", "ک"),
        "،": ",",
        "؟": "?",
        "\u200c": None,
        **{chr(0x6F0 + n): str(n) for n in range(10)},
    }
)
_LATIN_FOLD = str.maketrans(
    {"æ": "ae", "œ": "oe", "’": "'", "‘": "'", "‛": "'", "ð": "d", "đ": "d", "ı": "i"}
)


def decompose(word: str, language: str | None = None) -> str:
    """Return the word after the first half of folding: compatibility forms decomposed, no controls.

    Words are compared with stop words and separators in this form. `language` is `pes` for Persian,
    whose letters are also unified here.
    """
    if word.isascii() and word.isprintable():
        return word
    word = _CONTROLS.sub("", unicodedata.normalize("NFKD", word))
    return word.translate(_PERSIAN_FOLD) if language == "pes" else word


def fold(word: str, language: str | None = None) -> str:
    """Return the lemma of a word: the form in which the index keeps it and a query looks for it.

    `language` is the guessed language of Arabic script (`ara`, `urd`, `pes`), None for other scripts.
    """
    if word.isascii() and word.isprintable():
        return word.lower()
    folded = decompose(word, language)
    if not _FULL_WIDTH.search(word):
        folded = folded.lower()
    folded = folded.translate(_ARABIC_FOLD if _HAS_ARABIC.search(word) else _LATIN_FOLD)
    if not _HAS_MARKED.search(folded):
        return folded
    return "".join(c for c in folded if unicodedata.category(c) != "Mn")
