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

HARD_BREAK = 8
MAX_POSITION = 65_500
MAX_WORD_BYTES = 250
WORD, STOP, SOFT, HARD = "word", "stop", "soft", "hard"

_SYMBOLS = "\0\t\n\r\u2029\u200c+`\u00b1\u00d7\u00f7\u2212"
_NOT_SEPARATORS = "\u00a0\u202f\u2011\u066b\u066c\u2000\u2001\u205f\u037e\u0387\u061d"


def _is_separator(character: str) -> bool:
    category = unicodedata.category(character)
    return category[0] == "P" or category == "Zs" or (
        category == "Sm" and "\u2200" < character < "\u2300"
    )  # fmt: skip


SEPARATORS = (". ", ", ", *(
    chr(code) for code in range(0x10000)
    if chr(code) in _SYMBOLS or (_is_separator(chr(code)) and chr(code) not in _NOT_SEPARATORS)
))  # fmt: skip
# After these the next word is far away; a bare full stop or comma without a space is not one.
_HARD = frozenset(
    (". ", ", ", *"\0!;?¡§¶¿´،؛؟۔।॥․‥…※‼‽⁇⁈⁉、。！，．：；？｡､︐︑︒︓︔︕︖︙﹐﹑﹒﹔﹕﹖﹗")
)
_ARABIC = "\u0600-\u06ff\u0750-\u07ff\u08a0-\u08ff\ufb50-\ufdff\ufe70-\ufeff"
_LATIN = "A-Za-z\u0080-\u02af\u1d00-\u1dbf\u1e00-\u1eff\u2100-\u214f\u2c60-\u2c7f\ua720-\ua7ff\uab30-\uab6f"
_SCRIPTS = {
    "a": f"(?P<a>[{_ARABIC}])", "l": f"(?P<l>[{_LATIN}])",
    "x": rf"(?P<x>(?![{_ARABIC}{_LATIN}])[^\W\d_])",
}  # fmt: skip
_LETTER = re.compile("|".join(_SCRIPTS.values()))
# The first letter of another script than the one at hand.
_OTHER = {
    own: re.compile("|".join(p for name, p in _SCRIPTS.items() if name != own)) for own in _SCRIPTS
}
_HAS_ARABIC = re.compile(f"[{_ARABIC}]")
_ARTICLES = ("ال", "أل", "إل", "آل", "ٱل")
_FOLD = str.maketrans({**dict.fromkeys("أإآٱ", "ا"), "ى": "ي", "ة": "ه", "\u0640": None})
_PERSIAN = str.maketrans({
    **dict.fromkeys("يیىۀ", "ی"), **dict.fromkeys("كک", "ک"), "،": ",", "؟": "?", "\u200c": None,
    **{chr(0x6F0 + n): str(n) for n in range(10)},
})  # fmt: skip
_LATIN_FOLD = str.maketrans({"æ": "ae", "œ": "oe", "’": "'", "‘": "'", "‛": "'"})


def unlossy(word: str, language: str | None = None) -> str:
    """The first half of folding: what words are compared to stop words by."""
    if word.isascii():
        return word
    word = unicodedata.normalize("NFKD", word)
    return word.translate(_PERSIAN) if language == "pes" else word


def normalise(word: str, language: str | None = None) -> str:
    """The form under which a word is kept and looked for."""
    if word.isascii():
        return word.lower()
    folded = unlossy(word, language).lower()
    folded = folded.translate(_FOLD if _HAS_ARABIC.search(word) else _LATIN_FOLD)
    return "".join(c for c in folded if unicodedata.category(c) != "Mn").strip()


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
        cuts = separators | self.dictionary
        long = "|".join(re.escape(c) for c in sorted(cuts, key=len, reverse=True) if len(c) > 1)
        one = "".join(re.escape(c) for c in sorted(cuts) if len(c) == 1)
        self._cut = re.compile(f"({long}|[{one}])" if long else f"([{one}])")
        self._known = {
            language: _Known(self.stop, self.dictionary, language)
            for language in (None, *LANGUAGES)
        }
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
        for run, arabic in _runs(text):
            language = arabic_script(run, locales) if arabic else None
            for n, piece in enumerate(self._cut.split(run)):
                if not piece:
                    continue
                end = at + len(piece)
                if n % 2 and piece not in self.dictionary:
                    yield Token(HARD if piece in _HARD else SOFT, piece, at, end)
                elif n % 2 == 0 and has_article(piece, language):
                    yield self._word(piece[:2], language, at, at + 2)
                    yield self._word(piece[2:], language, at + 2, end)
                else:
                    yield self._word(piece, language, at, end)
                at = end

    def _word(self, raw: str, language: str | None, start: int, end: int) -> Token:
        kind = STOP if self.stop and unlossy(raw) in self.stop else WORD
        return Token(kind, normalise(raw, language), start, end)

    def words(self, text: str, locales: tuple[str, ...] | None = None) -> list[tuple[str, int]]:
        """(word, position) pairs: what the index keeps of a text."""
        found: list[tuple[str, int]] = []
        position, gap, first = 0, 0, True
        for run, arabic in ((text, False),) if text.isascii() else _runs(text):
            known = self._known[arabic_script(run, locales) if arabic else None]
            for n, piece in enumerate(self._cut.split(run)):
                if not piece:
                    continue
                if n % 2 and piece not in self.dictionary:
                    gap = HARD_BREAK if piece in _HARD else gap or 1
                    continue
                for lemma in known[piece]:
                    if lemma is not None and not lemma:
                        continue
                    # Words that touch (an article and its noun) are neighbours too.
                    position += 0 if first else gap or 1
                    gap, first = 0, False
                    if position >= MAX_POSITION:
                        return found
                    if lemma is not None and len(lemma) <= MAX_WORD_BYTES:
                        found.append((lemma, position))
        return found

    def phrase(self, text: str) -> tuple[str, ...]:
        """Just the words of a text: how synonyms are read."""
        return tuple(t.lemma for t in self.tokens(text) if t.kind is WORD and t.lemma)


class _Known(dict[str, tuple[str | None, ...]]):
    """A piece between separators -> its words; None for a stop word. Found once for each piece."""

    LIMIT = 200_000

    def __init__(self, stop: frozenset[str], dictionary: frozenset[str], language: str | None):
        super().__init__()
        self.stop, self.dictionary, self.language = stop, dictionary, language

    def __missing__(self, piece: str) -> tuple[str | None, ...]:
        parts: tuple[str, ...] = (piece,)
        if piece not in self.dictionary and has_article(piece, self.language):
            parts = (piece[:2], piece[2:])
        found = tuple(
            None if unlossy(part) in self.stop else normalise(part, self.language) for part in parts
        )
        if len(self) >= self.LIMIT:
            self.clear()
        self[piece] = found
        return found


def has_article(word: str, language: str | None) -> bool:
    """Is ال cut off this word?"""
    return len(word) > 2 and language in ("ara", "pes") and word.startswith(_ARTICLES)


def _runs(text: str) -> Iterator[tuple[str, bool]]:
    """(text, is it Arabic script?): pieces of one script; what belongs to none stays with the last."""
    if text.isascii():
        yield text, False
        return
    start, match = 0, _LETTER.search(text)
    while match is not None:
        script = match.lastgroup or ""
        following = _OTHER[script].search(text, match.end())
        end = following.start() if following else len(text)
        yield text[start:end], script == "a"
        start, match = end, following
    if start < len(text):
        yield text[start:], False
