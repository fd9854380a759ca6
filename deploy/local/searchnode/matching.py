"""Where a query's words stand in a text of a hit."""

from bisect import bisect_left
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
        # Words that must be met whole, and (word, how much of it the query has) of prefixes.
        self.whole: dict[str, Ids] = {}
        self.prefixes: list[tuple[str, int, Ids]] = []
        ordered = sorted(query.terms, key=lambda t: (t[0].is_prefix, t[1][0] - t[1][1]))
        for term, ids in ordered:
            for phrase in term.known_phrases():
                self.phrases.setdefault(phrase[0], []).append((phrase, ids))
            words = term.known_words()
            if term.open_prefix and term.text not in words:
                words = [term.text, *words]
            for word in words:
                if term.is_prefix:
                    self.prefixes.append((word, min(len(term.text), len(word)), ids))
                else:
                    self.whole.setdefault(word, ids)
        self.prefixes.sort(key=lambda p: p[0])
        self._prefix_words = [word for word, _, _ in self.prefixes]

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
        candidates = self.phrases.get(first.lemma, [])
        if first.kind is STOP:
            candidates = [*candidates, *self.phrases.get(None, [])]
        for phrase, ids in candidates:
            following = [tokens[n] for n in places[at : at + len(phrase)]]
            if len(following) == len(phrase) and all(
                token.kind is STOP if word is None else token.lemma == word
                for word, token in zip(phrase, following, strict=True)
            ):
                last = at + len(phrase) - 1
                length = following[-1].end - first.start
                return Match(ids, length, (at, last), (places[at], places[last]))
        return None

    def _word_at(self, text: str, tokens: list[Token], places: list[int], at: int) -> Match | None:
        token = tokens[places[at]]
        here = (at, at), (places[at], places[at])
        ids = self.whole.get(token.lemma)
        if ids is not None:
            return Match(ids, token.end - token.start, *here)
        for size in range(1, len(token.lemma) + 1):
            head = token.lemma[:size]
            n = bisect_left(self._prefix_words, head)
            if n < len(self.prefixes) and self._prefix_words[n] == head:
                _, shown, ids = self.prefixes[n]
                return Match(ids, _original_length(text[token.start : token.end], shown), *here)
        return None


def _original_length(raw: str, folded: int) -> int:
    """How many characters of a word give its first `folded` folded characters."""
    seen = 0
    for n, character in enumerate(raw):
        if seen >= folded:
            return n
        seen += len(normalise(character))
    return len(raw)
