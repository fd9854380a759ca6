"""The words of a text as an engine's index has them, and a few more: never fewer.

A word that an engine finds a document by must be found here, too. So a piece of text gives its words in each way in which
an engine may cut it: at signs and not, at a change of the script and not, with its article and without.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
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
# Letters of Latin script, and signs and marks that stand in any script and are no letters when they are folded.
_LATIN = (
    "\\x00-\u02af\u0300-\u036f\u1d00-\u1eff\u2000-\u206f\u2100-\u214f\u2c60-\u2c7f\ua720-\ua7ff\uab30-\uab6f"
)
_OTHER = re.compile(rf"[^{_LATIN}{_ARABIC}]|[\u0080-\u00bf]")
_BORDER = re.compile(rf"(?<=[{_ARABIC}])(?=[^{_ARABIC}])|(?<=[^{_ARABIC}])(?=[{_ARABIC}])")
# What engines take for blanks; others, a no-break space, stand inside a word.
_BLANKS = re.compile("[\t\n\r \u1680\u2002-\u200a\u2029\u3000]+")
_ARTICLES = ("ال", "أل", "إل", "آل", "ٱل")
# C# and C++ are words, also behind other letters.
_SIGNED = re.compile(r"[a-z](?:#|\+\+)")
# A query of other words is not compared: engines cut other scripts in ways of their own, and digits before letters by what
# stands before them (3d is two words behind an Arabic one, because digits belong to its script).
_PLAIN = re.compile(r"[a-z][a-z0-9]*|[0-9]+|[\u0621-\u063a\u0641-\u064a]+|[\u0660-\u0669]+")

# Letters of the second word of a pair.
PAIRED_LETTERS = 3
# Stands where engines may cut: a piece with it is not plain.
_CUT = "\x01"
# Signs around a word.
_AROUND = ".,:;!?()[]«»\"'،؛؟"


def fold(text: str) -> str:
    """Return the text as an engine compares it: without capitals, marks and accents, with one alef, ya and ha."""
    if text.isascii():
        return text.lower()
    folded = unicodedata.normalize("NFKD", text).lower().translate(_FOLD)
    return "".join(c for c in folded if unicodedata.category(c) != "Mn")


def _pieces(text: str) -> list[str]:
    """Return what stands between blanks, folded as `_piece` does it."""
    return [raw.lower() if raw.isascii() else _piece(raw) for raw in _BLANKS.split(text) if raw]


# A third of the time of a text, for a megabyte.
@lru_cache(maxsize=4_096)
def _piece(raw: str) -> str:
    """Return a piece folded, with a sign where engines may cut it, or not cut it, by what folding removes."""
    folded = fold(_OTHER.sub(_apart, _BORDER.sub(_CUT, raw)))
    # An article with a mark in it, or one that a ligature has, is none to an engine.
    if folded.lstrip(_AROUND).startswith(ARTICLE) and not raw.lstrip(_AROUND).startswith(_ARTICLES):
        return _CUT + folded
    return folded


def _apart(other: re.Match[str]) -> str:
    """Return a character of no or another script with signs around it if folding makes plain letters or nothing of it."""
    folded = fold(other[0])
    return f"{_CUT}{other[0]}{_CUT}" if not folded or _PLAIN.search(folded) else other[0]


def of_texts(texts: Iterable[str]) -> list[str]:
    """Return the words of a document's texts, each once, in order."""
    found: dict[str, None] = {}
    for text in texts:
        for piece in _pieces(text):
            for part in dict.fromkeys((piece, *_SIGNED.split(piece))):
                runs = _RUN.findall(part)
                for first in range(len(runs)):
                    for last in _ends(first, len(runs)):
                        _add("".join(runs[first:last]), found)
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


def begins_plainly(text: str) -> bool:
    """Return whether every engine cuts the beginning of a text alike."""
    first = next(iter(_pieces(text)), "")
    return _PLAIN.fullmatch(first.rstrip(_AROUND)) is not None


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
