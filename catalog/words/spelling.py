"""The spelling in which documents and queries are compared, and the words of a text in it.

Meilisearch folds alef, ya and ta marbuta by itself, and removes marks and accents. This module adds what it leaves
apart: hamza and its seats, digits of the three scripts of numbers, letters of other languages written in Arabic
script, joiners and direction marks.
"""

import re
import unicodedata
from collections.abc import Iterable

from catalog.core.text import fold
from catalog.words.joined import ARTICLE

# ڤ پ چ and گ stand for sounds that Arabic has no letter for; most people type the nearest letter.
_LETTERS = str.maketrans(
    {
        **dict.fromkeys("ڤڨ", "ف"),
        "پ": "ب",
        "چ": "ج",
        "ژ": "ز",
        "گ": "ك",
        "ہ": "ه",
        "ھ": "ه",
        "ە": "ه",
        "ۀ": "ه",
        "ے": "ي",
        "’": "'",
        "‘": "'",
        "ء": None,
        "\u2028": " ",
        "\u00ad": None,
        "\ufeff": None,
    }
)
# شيء, شئ, شيئ and شي are one word.
_YA_HAMZA = re.compile("ي\u0654?ئ|ئ(?=ي)")
_WORD = re.compile(r"[^\W_]+")
# A word with the marks of vowels, and these.
_WRITTEN = re.compile(r"[\w\u0610-\u061a\u064b-\u065f\u0670]+")
_MARKS = re.compile("[\u0610-\u061a\u064b-\u065f\u0670\u0640]")
# A text without any of these is spelled for the engine as it is: the engine folds the rest alike.
_ENGINE_LEAVES = re.compile(
    "[ءئؤ\u0654\u0655٠-٩۰-۹\u06a4\u06a8پچژگہھەۀےکی\u200b-\u200f\u202a-\u202e\u2066-\u2069\u00ad\ufeff\ufb50-\ufdff\ufe70-\ufefc]"
)


def spell(text: str) -> str:
    """Return the text in the spelling of comparison; punctuation and blanks stay where they are."""
    return fold(_YA_HAMZA.sub("ي", unicodedata.normalize("NFKC", text))).translate(_LETTERS)


def split(text: str) -> list[str]:
    """Return the words of a text in the spelling of comparison, in order."""
    return _WORD.findall(spell(text))


def respelled(text: str) -> bool:
    """Return whether the engine would keep this text apart from its spelling of comparison."""
    return _ENGINE_LEAVES.search(text) is not None


def written(texts: Iterable[str]) -> dict[str, str]:
    """Return the words of some texts by their spelling of comparison, those with an article also without it."""
    found: dict[str, str] = {}
    for text in texts:
        for word in _WRITTEN.findall(text):
            found.setdefault(spell(word), _MARKS.sub("", word))
            if word.startswith(ARTICLE):
                found.setdefault(spell(word)[len(ARTICLE) :], _MARKS.sub("", word)[len(ARTICLE) :])
    return found
