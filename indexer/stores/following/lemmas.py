"""The words of a text as an engine's index has them, and a few more: never fewer.

A word that an engine finds a document by must be found here, too. So a piece of text gives its words in each way in which
an engine may cut it: at signs and not, at a change of the script and not, with its article and without.
"""

import re
import unicodedata
from collections.abc import Iterable
from zlib import crc32

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
# Engines cut a run where the script changes, and perhaps where digits begin: a word has one or several of these.
_ATOM = re.compile(rf"(?:(?!\d)[{_ARABIC}])+|[a-z]+|\d+|[^{_ARABIC}a-z\d]+")
_MOST_ATOMS = 8
_BORDER = re.compile(rf"(?<=[{_ARABIC}])(?=[^\s{_ARABIC}])|(?<=[^\s{_ARABIC}])(?=[{_ARABIC}])")
# C# and C++ are words, also behind other letters.
_SIGNED = re.compile(r"([^\W_]*)[a-z](?:#|\+\+)")
# A query of other words is not compared: engines cut other scripts in ways of their own.
_PLAIN = re.compile(r"[a-z0-9]+|[\u0621-\u063a\u0641-\u064a]+|[\u0660-\u0669]+")

# Letters of the second word of a pair.
PAIRED_LETTERS = 3
# Signs around a word.
_AROUND = ".,:;!?()[]«»\"'،؛؟"


def fold(text: str) -> str:
    """Return the text as an engine compares it: without capitals, marks and accents, with one alef, ya and ha."""
    if text.isascii():
        return text.lower()
    folded = unicodedata.normalize("NFKD", text).lower().translate(_FOLD)
    return "".join(c for c in folded if unicodedata.category(c) != "Mn")


def _pieces(text: str) -> list[str]:
    """Return what stands between blanks, with a sign where the script changes: marks, which folding removes, are of one, too."""
    return fold(text if text.isascii() else _BORDER.sub("\x01", text)).split()


def of_texts(texts: Iterable[str]) -> list[str]:
    """Return the words of a document's texts, each once, in order."""
    found: dict[str, None] = {}
    for text in texts:
        for piece in _pieces(text):
            runs = _RUN.findall(piece)
            for first in range(len(runs)):
                for last in _ends(first, len(runs)):
                    _add("".join(runs[first:last]), found)
            for run in _SIGNED.findall(piece):
                _add(run, found)
    return list(found)


def _add(run: str, found: dict[str, None]) -> None:
    atoms = _ATOM.findall(run)
    parts_of_it = ("".join(atoms[n:end]) for n in range(len(atoms)) for end in _ends(n, len(atoms)))
    for word in (run, *parts_of_it) if run else ():
        found[word] = None
        if word.startswith(ARTICLE) and len(word) > len(ARTICLE):
            found[word[len(ARTICLE) :]] = None


def _ends(first: int, count: int) -> range:
    return range(first + 1, min(count, first + _MOST_ATOMS) + 1)


def plain(text: str) -> str:
    """Return the words of a text with blanks between them, without signs and articles."""
    words = _RUN.findall(fold(text))
    return " ".join(word[len(ARTICLE) :] if word.startswith(ARTICLE) else word for word in words)


def certain(texts: Iterable[str]) -> set[str]:
    """Return the words of a document's texts that every engine cuts alike, those with an article in two."""
    found: set[str] = set()
    for text in texts:
        for piece in _pieces(text):
            word = piece.strip(_AROUND)
            if not _PLAIN.fullmatch(word):
                continue
            found.update(parts(word))
    return found


def in_order(text: str) -> list[list[str]]:
    """Return the words of a text in order, as every engine cuts them: words of one list follow on each other."""
    found: list[list[str]] = [[]]
    for piece in _pieces(text):
        word = piece.rstrip(_AROUND)
        if not _PLAIN.fullmatch(word):
            found.append([])
            continue
        found[-1] += parts(word)
        if word != piece:
            found.append([])
    return [part for part in found if part]


def pairs(texts: Iterable[str]) -> set[int]:
    """Return every two words that may follow on each other in one of the texts, as `pair` writes them."""
    found: set[int] = set()
    for text in texts:
        before: list[str] = []
        for piece in _pieces(text):
            word = piece.strip(_AROUND)
            if not word:
                continue
            if _PLAIN.fullmatch(word):
                words = parts(word)
                found.update(pair(one, words[0]) for one in before)
                found.update(map(pair, words, words[1:]))
                before = words[-1:]
            else:
                # Engines may cut it in any of these ways.
                words = of_texts((piece,))
                if not words:
                    continue
                words.append(ARTICLE)
                found.update(pair(one, other) for one in (*before, *words) for other in words)
                before = words
    return found


def pair(word: str, following: str) -> int:
    """Return a number for two words; of the second one only the first letters count: it may be unfinished."""
    return crc32(f"{word} {following[:PAIRED_LETTERS]}".encode())


def parts(word: str) -> list[str]:
    """Return a word of a query as an engine cuts it: its article is a word of its own."""
    if word.startswith(ARTICLE) and len(word) > len(ARTICLE):
        return [ARTICLE, word[len(ARTICLE) :]]
    return [word]


def of_query(text: str) -> list[str] | None:
    """Return the words of a query in order; None if it has a word that engines may cut in ways of their own."""
    words = _pieces(text)
    return words if all(_PLAIN.fullmatch(word) for word in words) else None
