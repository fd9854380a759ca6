"""The words of a text as an engine's index has them, and a few more: never fewer.

A word that an engine finds a document by must be found here, too. So a piece of text gives its words in each way in which
an engine may cut it: at signs and not, at a change of the script and not, with its article and without.
"""

import re
import unicodedata
from collections.abc import Iterable

from catalog.words.joined import ARTICLE

# What charabia, Meilisearch's tokenizer, makes of letters of these scripts. Persian letters take the form that they have where
# a text counts as Arabic; it also counts as Persian to nobody, by the index's settings.
_FOLD = str.maketrans(
    {
        **dict.fromkeys("أإآٱ", "ا"),
        "ى": "ي",
        "ة": "ه",
        "\u0640": None,
        "æ": "ae",
        "œ": "oe",
        "ð": "d",
        "đ": "d",
        "ı": "i",
    }
)
_ARABIC = "\u0600-\u06ff\u0750-\u077f\u08a0-\u08ff\ufb50-\ufdff\ufe70-\ufefc"
_RUN = re.compile(r"[^\W_]+")
_SCRIPT = re.compile(rf"[{_ARABIC}]+|[^{_ARABIC}]+")
_LETTERS = re.compile(r"[^\W\d_]+|\d+")
# A query of other words is not compared: engines cut other scripts in ways of their own.
_PLAIN = re.compile(r"[a-z0-9]+|[\u0621-\u063a\u0641-\u064a]+|[\u0660-\u0669]+")

# Signs around a word.
_AROUND = ".,:;!?()[]«»\"'،؛؟"


def fold(text: str) -> str:
    """Return the text as an engine compares it: without capitals, marks and accents, with one alef, ya and ha."""
    if text.isascii():
        return text.lower()
    folded = unicodedata.normalize("NFKD", text).lower().translate(_FOLD)
    return "".join(c for c in folded if unicodedata.category(c) not in ("Mn", "Cf"))


def of_texts(texts: Iterable[str]) -> list[str]:
    """Return the words of a document's texts, each once, in order."""
    found: dict[str, None] = {}
    for text in texts:
        for piece in fold(text).split():
            runs = _RUN.findall(piece)
            for run in (*runs, "".join(runs)) if len(runs) > 1 else runs:
                _add(run, found)
    return list(found)


def _add(run: str, found: dict[str, None]) -> None:
    if run in found or not run:
        return
    found[run] = None
    if run.startswith(ARTICLE) and len(run) > len(ARTICLE):
        found[run[len(ARTICLE) :]] = None
    if run.isascii() and (run.isalpha() or run.isdigit()):
        return
    for pattern in (_SCRIPT, _LETTERS):
        parts = pattern.findall(run)
        if len(parts) > 1:
            for part in parts:
                _add(part, found)


def plain(text: str) -> str:
    """Return the words of a text with blanks between them, without signs and articles."""
    words = _RUN.findall(fold(text))
    return " ".join(word[len(ARTICLE) :] if word.startswith(ARTICLE) else word for word in words)


def certain(texts: Iterable[str]) -> set[str]:
    """Return the words of a document's texts that every engine cuts alike, those with an article in two."""
    found: set[str] = set()
    for text in texts:
        for piece in fold(text).split():
            word = piece.strip(_AROUND)
            if not _PLAIN.fullmatch(word):
                continue
            found.update(parts(word))
    return found


def in_order(text: str) -> list[str]:
    """Return the words with which a text begins, up to the first sign, as every engine cuts them."""
    found: list[str] = []
    for piece in fold(text).split():
        if not _PLAIN.fullmatch(piece):
            break
        found += parts(piece)
    return found


def parts(word: str) -> list[str]:
    """Return a word of a query as an engine cuts it: its article is a word of its own."""
    if word.startswith(ARTICLE) and len(word) > len(ARTICLE):
        return [ARTICLE, word[len(ARTICLE) :]]
    return [word]


def of_query(text: str) -> list[str] | None:
    """Return the words of a query in order; None if it has a word that engines may cut in ways of their own."""
    words = fold(text).split()
    return words if all(_PLAIN.fullmatch(word) for word in words) else None
