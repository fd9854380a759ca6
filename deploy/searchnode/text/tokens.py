"""Cuts texts into tokens and words with positions. The index cuts documents, ranking cuts queries.

The rules are those of charabia, Meilisearch's tokenizer, for Arabic and Latin script: a text is cut
where the script changes and at separators; in Arabic and Persian a leading article (ال) is a word of
its own. A separator that ends a sentence puts eight positions between the words around it.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import NamedTuple, TypedDict

from deploy.searchnode.attributes import matches
from deploy.searchnode.text.folding import decompose, fold
from deploy.searchnode.text.language import LANGUAGES, language_of
from deploy.searchnode.text.scripts import script_runs

# Positions between two words with the end of a sentence between them.
HARD_BREAK = 8
# Words from this position of a field on are not indexed.
MAX_POSITION = 65_500
# Words with more characters are not indexed.
MAX_WORD_LENGTH = 250
# The kinds of tokens. SOFT and HARD are compared by identity, because a word may read `soft`.
WORD, STOP, SOFT, HARD = "\0word", "\0stop", "\0soft", "\0hard"

_SYMBOLS = "\0\t\n\r\u2029\u200c+`\u00b1\u00d7\u00f7\u2212"
_NOT_SEPARATORS = frozenset(
    "\u00a0\u202f\u2011\u066b\u066c\u2000\u2001\u205f\u037e\u0387\u061d\u0f0c\u1b7d\u1b7e\u2226\u228e\u2329\u232a"
)


def _is_separator(character: str) -> bool:
    category = unicodedata.category(character)
    if "\u2e53" <= character <= "\u2e5d":
        return False
    return category[0] == "P" or category == "Zs" or (category == "Sm" and "\u2211" < character < "\u2300")


SEPARATORS = (
    ". ",
    ", ",
    *(
        chr(code)
        for code in range(0x10000)
        if chr(code) in _SYMBOLS or (_is_separator(chr(code)) and chr(code) not in _NOT_SEPARATORS)
    ),
)
# Separators that end a sentence. A full stop or comma counts only with a blank after it.
_HARD = frozenset((". ", ", ", *"\0!;?¡§¶¿´،؛؟۔।॥․‥…※‼‽⁇⁈⁉、。！，．：；？｡､︐︑︒︓︔︕︖︙﹐﹑﹒﹔﹕﹖﹗"))
_ARTICLES = ("ال", "أل", "إل", "آل", "ٱل")


class LocalizedRule(TypedDict):
    """An entry of the setting `localizedAttributes`: the languages expected in some attributes."""

    attributePatterns: list[str]
    locales: list[str]


class TokenizerSettings(TypedDict):
    """The settings of an index that decide how its texts are cut."""

    stopWords: list[str]
    separatorTokens: list[str]
    nonSeparatorTokens: list[str]
    dictionary: list[str]
    localizedAttributes: list[LocalizedRule] | None


class Token(NamedTuple):
    """A piece of a text: its kind, its lemma, and where it starts and ends, in characters."""

    kind: str
    lemma: str
    start: int
    end: int


class Tokenizer:
    """Cuts texts by the stop words, separators and dictionary of one index."""

    def __init__(self, settings: TokenizerSettings) -> None:
        self.stop = frozenset(settings["stopWords"])
        separators = {*SEPARATORS, *settings["separatorTokens"]} - {*settings["nonSeparatorTokens"]}
        self.dictionary = frozenset(settings["dictionary"])
        self.separators = frozenset(separators)
        cuts = separators | self.dictionary
        longer = "|".join(re.escape(c) for c in sorted(cuts, key=len, reverse=True) if len(c) > 1)
        single = "".join(re.escape(c) for c in sorted(cuts) if len(c) == 1)
        self._cut = re.compile(f"({longer}|[{single}])" if longer else f"([{single}])")
        self._lemmas = {language: _LemmaCache(self, language) for language in (None, *LANGUAGES)}
        rules = settings.get("localizedAttributes") or ()
        self._locales = [(r["attributePatterns"], tuple(r["locales"])) for r in rules]

    def locales(self, field: str) -> tuple[str, ...] | None:
        """Return the languages that the settings expect in a field; None when they name none."""
        for patterns, locales in self._locales:
            if any(matches(pattern, field) for pattern in patterns):
                return locales
        return None

    def all_locales(self, fields: Iterable[str]) -> tuple[str, ...] | None:
        """Return the languages expected in any of the fields, in which a query may be; None: no limit."""
        found = {name for field in fields for name in self.locales(field) or ()}
        return tuple(sorted(found)) or None

    def tokens(self, text: str, locales: tuple[str, ...] | None = None) -> Iterator[Token]:
        """Yield words, stop words and separators in order; `locales` limits the guess of the language."""
        at = 0
        for run, arabic in script_runs(text):
            language = language_of(run, locales) if arabic else None
            for n, piece in enumerate(self._cut.split(run)):
                if not piece:
                    continue
                end = at + len(piece)
                # The pieces between the cuts have even numbers, the cuts themselves odd ones.
                if n % 2 == 0 and has_article(piece, language):
                    yield self._token(piece[:2], language, at, at + 2)
                    yield self._token(piece[2:], language, at + 2, end)
                else:
                    yield self._token(piece, language, at, end)
                at = end

    def _token(self, raw: str, language: str | None, start: int, end: int) -> Token:
        return Token(self.kind(raw), fold(raw, language), start, end)

    def kind(self, raw: str) -> str:
        """Return the kind of a piece, judged after decomposition: `…` becomes three full stops, a word."""
        plain = decompose(raw)
        if plain in self.stop:
            return STOP
        if plain in self.separators:
            return HARD if plain in _HARD else SOFT
        return WORD

    def words(self, text: str, locales: tuple[str, ...] | None = None) -> list[tuple[str, int]]:
        """Return (lemma, position) of every word of a text, as the index keeps them."""
        found: list[tuple[str, int]] = []
        # The distance to the next word; -1 until the first word or blank word.
        position, gap = 0, -1
        for run, arabic in script_runs(text):
            lemmas = self._lemmas[language_of(run, locales) if arabic else None]
            for piece in self._cut.split(run):
                for lemma in lemmas[piece] if piece else ():
                    if lemma is SOFT or lemma is HARD:
                        if gap >= 0:
                            gap = HARD_BREAK if lemma is HARD else gap or 1
                        continue
                    if not lemma and lemma is not None:
                        gap = max(gap, 0)
                        continue
                    position += max(gap, 0)
                    # Words without a separator between them (an article and its noun) are neighbours too.
                    gap = 1
                    if position >= MAX_POSITION:
                        return found
                    if lemma is not None and len(lemma) <= MAX_WORD_LENGTH:
                        found.append((lemma, position))
        return found

    def lemmas(self, text: str) -> tuple[str, ...]:
        """Return the lemmas of a text without positions, as a synonym is read."""
        return tuple(t.lemma for t in self.tokens(text) if t.kind is WORD and t.lemma)


class _LemmaCache(dict[str, tuple[str | None, ...]]):
    """A piece of a text -> its lemmas: None for a stop word, SOFT or HARD for a separator.

    A lemma is found once for each piece. The cache is emptied when it holds MAX_PIECES.
    """

    MAX_PIECES = 200_000

    def __init__(self, tokenizer: Tokenizer, language: str | None) -> None:
        super().__init__()
        self.tokenizer, self.language = tokenizer, language

    def __missing__(self, piece: str) -> tuple[str | None, ...]:
        parts: tuple[str, ...] = (piece,)
        if piece not in self.tokenizer.dictionary and has_article(piece, self.language):
            parts = (piece[:2], piece[2:])
        lemmas = tuple(map(self._lemma, parts))
        if len(self) >= self.MAX_PIECES:
            self.clear()
        self[piece] = lemmas
        return lemmas

    def _lemma(self, part: str) -> str | None:
        kind = self.tokenizer.kind(part)
        if kind is WORD:
            lemma = fold(part, self.language)
            # A blank lemma takes a position, but is no word; an empty one does not even take a position.
            return (lemma.strip() or None) if lemma else ""
        return None if kind is STOP else kind


def has_article(word: str, language: str | None) -> bool:
    """Return whether the article ال is cut off this word: only in Arabic and Persian."""
    return len(word) > 2 and language in ("ara", "pes") and word.startswith(_ARTICLES)
