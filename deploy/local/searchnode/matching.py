"""Where a query's words stand in a text of a hit."""

import itertools
from typing import NamedTuple

from deploy.local.searchnode.rank.parse import Query
from deploy.local.searchnode.rank.terms import Phrase
from deploy.local.searchnode.text.tokens import STOP, WORD, Token, Tokenizer, normalise

# (first, last) position among the query's words.
Ids = tuple[int, int]


class Match(NamedTuple):
    """What matched: which words of the query, and how many characters from its first token on."""

    ids: Ids
    length: int
    # (first, last) among the words of the text, and among its tokens.
    words: tuple[int, int]
    tokens: tuple[int, int]


class Matcher:
    """Finds one query's words in texts."""

    def __init__(self, query: Query, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        self.phrases: dict[str | None, list[tuple[Phrase, Ids]]] = {}
        # (place in the order in which words are tried, the query's words) of words to be met whole,
        # and of beginnings, with how many letters of them the query has.
        self.whole: dict[str, tuple[int, Ids]] = {}
        self.prefixes: dict[str, tuple[int, Ids, int]] = {}
        ordered = sorted(query.terms, key=lambda t: (t[0].is_prefix, t[1][0] - t[1][1]))
        order = itertools.count()
        for term, ids in ordered:
            for phrase in term.known_phrases():
                # Texts are cut without stop words, so a phrase with one is met nowhere.
                if None not in phrase:
                    self.phrases.setdefault(phrase[0], []).append((phrase, ids))
            for word in term.known_words():
                if term.is_prefix:
                    letters = min(len(term.text), len(word))
                    self.prefixes.setdefault(word, (next(order), ids, letters))
                else:
                    self.whole.setdefault(word, (next(order), ids))

    def find(self, text: str, locales: tuple[str, ...] | None) -> tuple[list[Token], list[Match]]:
        """The text's tokens, and the matches in order."""
        tokens = list(self.tokenizer.tokens(text, locales))
        places = [n for n, token in enumerate(tokens) if token.kind in (WORD, STOP)]
        found: list[Match] = []
        at = 0
        while at < len(places):
            match = self._phrase_at(tokens, places, at) or self._word_at(text, tokens, places, at)
            if match is not None:
                found.append(match)
            at = match.words[1] + 1 if match else at + 1
        return tokens, found

    def _phrase_at(self, tokens: list[Token], places: list[int], at: int) -> Match | None:
        first = tokens[places[at]]
        for phrase, ids in self.phrases.get(first.lemma, ()):
            following = [tokens[n] for n in places[at : at + len(phrase)]]
            if phrase == tuple(token.lemma for token in following):
                last = at + len(phrase) - 1
                length = following[-1].end - first.start
                return Match(ids, length, (at, last), (places[at], places[last]))
        return None

    def _word_at(self, text: str, tokens: list[Token], places: list[int], at: int) -> Match | None:
        token = tokens[places[at]]
        here = (at, at), (places[at], places[at])
        lemma = token.lemma
        whole = self.whole.get(lemma)
        heads = (self.prefixes.get(lemma[:size]) for size in range(1, len(lemma) + 1))
        head = min((found for found in heads if found), default=None)
        if whole is not None and (head is None or whole[0] < head[0]):
            return Match(whole[1], token.end - token.start, *here)
        if head is None:
            return None
        return Match(head[1], _original_length(text[token.start : token.end], head[2]), *here)


def _original_length(raw: str, folded: int) -> int:
    """How many characters of a word give its first `folded` folded characters."""
    seen = 0
    for n, character in enumerate(raw):
        if seen >= folded:
            return n
        seen += len(normalise(character))
    return len(raw)
