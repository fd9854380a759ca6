"""Words of a text with their positions, cut and folded as charabia does it for Arabic and Latin.

A text is cut where the script changes and at separators; in Arabic and Persian a leading ال is a
word of its own. Then marks and tatweel go, alef, ya and ta marbuta take one form, capitals and
accents go. A sentence break puts eight positions between words.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from deploy.local.searchnode.attributes import fits
from deploy.local.searchnode.text.language import LANGUAGES, arabic_script
from deploy.local.searchnode.text.scripts import ARABIC, LATIN, runs

HARD_BREAK = 8
MAX_POSITION = 65_500
MAX_WORD_BYTES = 250
# What a token may be. The last two are compared by identity: a word may read `soft`.
WORD, STOP, SOFT, HARD = "\0word", "\0stop", "\0soft", "\0hard"

_SYMBOLS = "\0\t\n\r\u2029\u200c+`\u00b1\u00d7\u00f7\u2212"
_NOT_SEPARATORS = frozenset(
    "\u00a0\u202f\u2011\u066b\u066c\u2000\u2001\u205f\u037e\u0387\u061d\u0f0c\u1b7d\u1b7e\u2226\u228e\u2329\u232a"
)


def _is_separator(character: str) -> bool:
    category = unicodedata.category(character)
    if "\u2e53" <= character <= "\u2e5d":
        return False
    return category[0] == "P" or category == "Zs" or (
        category == "Sm" and "\u2211" < character < "\u2300"
    )  # fmt: skip


SEPARATORS = (". ", ", ", *(
    chr(code) for code in range(0x10000)
    if chr(code) in _SYMBOLS or (_is_separator(chr(code)) and chr(code) not in _NOT_SEPARATORS)
))  # fmt: skip
# After these the next word is far away; a bare full stop or comma without a space is not one.
_HARD = frozenset(
    (". ", ", ", *"\0!;?¡§¶¿´،؛؟۔।॥․‥…※‼‽⁇⁈⁉、。！，．：；？｡､︐︑︒︓︔︕︖︙﹐﹑﹒﹔﹕﹖﹗")
)
_HAS_ARABIC = re.compile(f"[{ARABIC}]")
# Only in these scripts marks are taken off.
_HAS_MARKED = re.compile(f"[{ARABIC}{LATIN}\u0370-\u03ff\u1f00-\u1fff\u0590-\u05ff\u0e00-\u0e7f]")
# These count as a script without capitals.
_FULL_WIDTH = re.compile("[\uff00-\uffef]")
_CONTROLS = re.compile("[\0-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]")
_ARTICLES = ("ال", "أل", "إل", "آل", "ٱل")
_FOLD = str.maketrans({**dict.fromkeys("أإآٱ", "ا"), "ى": "ي", "ة": "ه", "\u0640": None})
_PERSIAN = str.maketrans({
    **dict.fromkeys("يیىۀ", "ی"), **dict.fromkeys("كک", "ک"), "،": ",", "؟": "?", "\u200c": None,
    **{chr(0x6F0 + n): str(n) for n in range(10)},
})  # fmt: skip
_LATIN_FOLD = str.maketrans({
    "æ": "ae", "œ": "oe", "’": "'", "‘": "'", "‛": "'", "ð": "d", "đ": "d", "ı": "i",
})  # fmt: skip


def unlossy(word: str, language: str | None = None) -> str:
    """The first half of folding: what words are compared to stop words and separators by."""
    if word.isascii() and word.isprintable():
        return word
    word = _CONTROLS.sub("", unicodedata.normalize("NFKD", word))
    return word.translate(_PERSIAN) if language == "pes" else word


def normalise(word: str, language: str | None = None) -> str:
    """The form under which a word is kept and looked for."""
    if word.isascii() and word.isprintable():
        return word.lower()
    folded = unlossy(word, language)
    if not _FULL_WIDTH.search(word):
        folded = folded.lower()
    folded = folded.translate(_FOLD if _HAS_ARABIC.search(word) else _LATIN_FOLD)
    if not _HAS_MARKED.search(folded):
        return folded
    return "".join(c for c in folded if unicodedata.category(c) != "Mn")


class Token(NamedTuple):
    """A piece of a text: its kind, its folded form, and its place in characters."""

    kind: str
    lemma: str
    start: int
    end: int


class Tokenizer:
    """Cuts texts by an index's stop words, separators and dictionary."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self.stop = frozenset(settings["stopWords"])
        separators = {*SEPARATORS, *settings["separatorTokens"]} - {*settings["nonSeparatorTokens"]}
        self.dictionary = frozenset(settings["dictionary"])
        self.separators = frozenset(separators)
        cuts = separators | self.dictionary
        long = "|".join(re.escape(c) for c in sorted(cuts, key=len, reverse=True) if len(c) > 1)
        one = "".join(re.escape(c) for c in sorted(cuts) if len(c) == 1)
        self._cut = re.compile(f"({long}|[{one}])" if long else f"([{one}])")
        self._known = {language: _Known(self, language) for language in (None, *LANGUAGES)}
        rules = settings.get("localizedAttributes") or ()
        self._locales = [(r["attributePatterns"], tuple(r["locales"])) for r in rules]

    def locales(self, field: str) -> tuple[str, ...] | None:
        """The languages the settings expect in a field."""
        for patterns, locales in self._locales:
            if any(fits(pattern, field) for pattern in patterns):
                return locales
        return None

    def all_locales(self, fields: Iterable[str]) -> tuple[str, ...] | None:
        """The languages expected in any of the fields: what a query may be in."""
        found = {name for field in fields for name in self.locales(field) or ()}
        return tuple(sorted(found)) or None

    def tokens(self, text: str, locales: tuple[str, ...] | None = None) -> Iterator[Token]:
        """Words, stop words and separators in order."""
        at = 0
        for run, arabic in runs(text):
            language = arabic_script(run, locales) if arabic else None
            for n, piece in enumerate(self._cut.split(run)):
                if not piece:
                    continue
                end = at + len(piece)
                if n % 2 == 0 and has_article(piece, language):
                    yield self._token(piece[:2], language, at, at + 2)
                    yield self._token(piece[2:], language, at + 2, end)
                else:
                    yield self._token(piece, language, at, end)
                at = end

    def _token(self, raw: str, language: str | None, start: int, end: int) -> Token:
        kind = self.kind(raw)
        return Token(kind, normalise(raw, language), start, end)

    def kind(self, raw: str) -> str:
        """What a piece is, once it is decomposed: `…` is three full stops then, and a word."""
        plain = unlossy(raw)
        if plain in self.stop:
            return STOP
        if plain in self.separators:
            return HARD if plain in _HARD else SOFT
        return WORD

    def words(self, text: str, locales: tuple[str, ...] | None = None) -> list[tuple[str, int]]:
        """(word, position) pairs: what the index keeps of a text."""
        found: list[tuple[str, int]] = []
        # The gap before the next word; -1 before anything but separators was met.
        position, gap = 0, -1
        for run, arabic in runs(text):
            known = self._known[arabic_script(run, locales) if arabic else None]
            for piece in self._cut.split(run):
                for lemma in known[piece] if piece else ():
                    if lemma is SOFT or lemma is HARD:
                        if gap >= 0:
                            gap = HARD_BREAK if lemma is HARD else gap or 1
                        continue
                    if not lemma and lemma is not None:
                        gap = max(gap, 0)
                        continue
                    position += max(gap, 0)
                    # Words that touch (an article and its noun) are neighbours too.
                    gap = 1
                    if position >= MAX_POSITION:
                        return found
                    if lemma is not None and len(lemma) <= MAX_WORD_BYTES:
                        found.append((lemma, position))
        return found

    def phrase(self, text: str) -> tuple[str, ...]:
        """Just the words of a text: how synonyms are read."""
        return tuple(t.lemma for t in self.tokens(text) if t.kind is WORD and t.lemma)


class _Known(dict[str, tuple[str | None, ...]]):
    """A piece of a text -> its words; None for a stop word, SOFT and HARD for what is between words.

    Found once for each piece.
    """

    LIMIT = 200_000

    def __init__(self, tokenizer: Tokenizer, language: str | None):
        super().__init__()
        self.tokenizer, self.language = tokenizer, language

    def __missing__(self, piece: str) -> tuple[str | None, ...]:
        parts: tuple[str, ...] = (piece,)
        if piece not in self.tokenizer.dictionary and has_article(piece, self.language):
            parts = (piece[:2], piece[2:])
        found = tuple(map(self._form, parts))
        if len(self) >= self.LIMIT:
            self.clear()
        self[piece] = found
        return found

    def _form(self, part: str) -> str | None:
        kind = self.tokenizer.kind(part)
        if kind is WORD:
            lemma = normalise(part, self.language)
            # What is only blank takes a position, but is no word.
            return (lemma.strip() or None) if lemma else ""
        return None if kind is STOP else kind


def has_article(word: str, language: str | None) -> bool:
    """Is ال cut off this word?"""
    return len(word) > 2 and language in ("ara", "pes") and word.startswith(_ARTICLES)
