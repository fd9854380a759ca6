"""Finds where the words of a query stand in a text of a hit. `formatting.py` shows what it finds."""

import itertools
from typing import NamedTuple

from deploy.searchnode.rank.lookup.context import Phrase
from deploy.searchnode.rank.reading.parse import Query
from deploy.searchnode.text.folding import fold
from deploy.searchnode.text.tokens import STOP, WORD, Token, Tokenizer

# (first, last) position among the words of the query.
QueryWords = tuple[int, int]


class Match(NamedTuple):
    """A match: which words of the query, where, and how many characters from its first token on."""

    query_words: QueryWords
    length: int
    # (first, last) among the words of the text, and among its tokens.
    words: tuple[int, int]
    tokens: tuple[int, int]


class _Whole(NamedTuple):
    """A word that must stand whole in a text. The word with the lowest order is tried first."""

    order: int
    query_words: QueryWords


class _Beginning(NamedTuple):
    """A word with which a word of a text must begin; `letters` of it are highlighted."""

    order: int
    query_words: QueryWords
    letters: int


class Matcher:
    """Finds the words of one query in texts, after the query was ranked."""

    def __init__(self, query: Query, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        # By their first word.
        self._phrases: dict[str | None, list[tuple[Phrase, QueryWords]]] = {}
        self._whole: dict[str, _Whole] = {}
        self._beginnings: dict[str, _Beginning] = {}
        # Prefixes come last; of the others those that join several words come first.
        ordered = sorted(query.terms, key=lambda t: (t[0].is_prefix, t[1][0] - t[1][1]))
        order = itertools.count()
        for term, query_words in ordered:
            for phrase in term.found_phrases():
                # Texts are cut without stop words, so a phrase with a stop word is found nowhere.
                if None not in phrase:
                    self._phrases.setdefault(phrase[0], []).append((phrase, query_words))
            for word in term.found_words():
                if term.is_prefix:
                    letters = min(len(term.text), len(word))
                    self._beginnings.setdefault(word, _Beginning(next(order), query_words, letters))
                else:
                    self._whole.setdefault(word, _Whole(next(order), query_words))

    def find(self, text: str, locales: tuple[str, ...] | None) -> tuple[list[Token], list[Match]]:
        """Return the tokens of a text and the matches in it, both in order."""
        tokens = list(self.tokenizer.tokens(text, locales))
        # The tokens that are words, by their numbers.
        words = [n for n, token in enumerate(tokens) if token.kind in (WORD, STOP)]
        found: list[Match] = []
        at = 0
        while at < len(words):
            match = self._phrase_at(tokens, words, at) or self._word_at(text, tokens, words, at)
            if match is not None:
                found.append(match)
            at = match.words[1] + 1 if match else at + 1
        return tokens, found

    def _phrase_at(self, tokens: list[Token], words: list[int], at: int) -> Match | None:
        first = tokens[words[at]]
        for phrase, query_words in self._phrases.get(first.lemma, ()):
            following = [tokens[n] for n in words[at : at + len(phrase)]]
            if phrase == tuple(token.lemma for token in following):
                last = at + len(phrase) - 1
                length = following[-1].end - first.start
                return Match(query_words, length, (at, last), (words[at], words[last]))
        return None

    def _word_at(self, text: str, tokens: list[Token], words: list[int], at: int) -> Match | None:
        token = tokens[words[at]]
        here = (at, at), (words[at], words[at])
        lemma = token.lemma
        whole = self._whole.get(lemma)
        beginnings = (self._beginnings.get(lemma[:size]) for size in range(1, len(lemma) + 1))
        beginning = min((found for found in beginnings if found), default=None)
        if whole is not None and (beginning is None or whole.order < beginning.order):
            return Match(whole.query_words, token.end - token.start, *here)
        if beginning is None:
            return None
        length = _length_before_folding(text[token.start : token.end], beginning.letters)
        return Match(beginning.query_words, length, *here)


def _length_before_folding(raw: str, folded: int) -> int:
    """Return how many characters of a word fold to its first `folded` folded characters."""
    seen = 0
    for n, character in enumerate(raw):
        if seen >= folded:
            return n
        seen += len(fold(character))
    return len(raw)
