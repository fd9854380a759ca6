"""A query's text as terms, and the graph of all its readings."""

import itertools
from dataclasses import dataclass, field

from pyroaring import BitMap

from deploy.local.searchnode.rank import typos
from deploy.local.searchnode.rank.context import Context
from deploy.local.searchnode.rank.graph import Graph, Node
from deploy.local.searchnode.rank.terms import Phrase, Term
from deploy.local.searchnode.text.tokens import HARD, STOP, WORD, Token

MAX_TERMS = 10
MAX_SYNONYMS, MAX_SYNONYM_WORDS = 50, 100
_HARD_GAP = 7
# A node: its term, (first, last) word position in the query.
Located = tuple[Term, tuple[int, int]]


@dataclass
class Query:
    """What was asked: its terms and all that was made of them, and what must not be found."""

    graph: Graph = field(default_factory=Graph)
    terms: list[Located] = field(default_factory=list)
    excluded: BitMap = field(default_factory=BitMap)
    # Was anything asked that narrows the search?
    empty: bool = True


class _Reader:
    """Reads a query's tokens from left to right."""

    def __init__(self, context: Context) -> None:
        self.context, self.query = context, Query()
        self.position = -1
        self.phrase: list[str | None] | None = None
        self.phrase_at = (0, 0)
        self.negative_phrase = self.negative = False
        self.after_space = True

    def read(self, tokens: list[Token]) -> None:
        """Take every token, at most MAX_TERMS terms of them."""
        for n, token in enumerate(tokens):
            if not token.lemma and token.kind in (WORD, STOP):
                continue
            if len(self.query.terms) >= MAX_TERMS:
                return
            if token.kind in (WORD, STOP):
                self.position += 1
                self._word(token, last=n == len(tokens) - 1)
            else:
                self._separator(token)
            self.after_space = token.lemma[-1:].isspace()
        self._close()

    def _word(self, token: Token, *, last: bool) -> None:
        if self.phrase is not None:
            if all(word is None for word in self.phrase):
                self.phrase_at = (self.position, self.position)
            self.phrase_at = (self.phrase_at[0], self.position)
            self.phrase.append(token.lemma if token.kind is WORD else None)
        elif self.negative:
            self.query.excluded |= self.context.documents(token.lemma)
            self.negative = False
        elif token.kind is WORD or last:
            prefix = last and self.context.index.settings["prefixSearch"] != "disabled"
            term = word_term(self.context, token.lemma, is_prefix=prefix)
            self.query.terms.append((term, (self.position, self.position)))

    def _separator(self, token: Token) -> None:
        if token.kind is HARD:
            self.position += _HARD_GAP
            if self.phrase is not None:
                # The phrase goes on, as one of its own.
                self._end_phrase()
                self.phrase = []
        quotes = token.lemma.count('"')
        if quotes:
            if self.phrase is not None:
                quotes -= 1
                self._end_phrase()
                self.negative_phrase = False
                self.phrase = None
            if quotes % 2:
                self.negative_phrase = self.negative
                self.phrase = []
        self.negative = self.phrase is None and token.lemma == "-" and self.after_space

    def _end_phrase(self) -> None:
        words: Phrase = tuple(self.phrase or ())
        if all(word is None for word in words):
            return
        if self.negative_phrase:
            self.query.excluded |= self.context.phrase(words)
            return
        text = " ".join(word or "" for word in words)
        self.query.terms.append((Term(self.context, text, phrase=words), self.phrase_at))

    def _close(self) -> None:
        if self.phrase is not None:
            self._end_phrase()


def word_term(context: Context, word: str, *, is_prefix: bool) -> Term:
    """A single word with its synonyms."""
    return Term(
        context, word, budget=typos.allowed(context.index, word), is_prefix=is_prefix,
        synonyms=_synonyms(context, (word,)),
    )  # fmt: skip


def _synonyms(context: Context, words: tuple[str, ...]) -> tuple[Phrase, ...]:
    found: list[Phrase] = []
    count = 0
    for phrase in context.index.synonyms.get(words, ())[:MAX_SYNONYMS]:
        if phrase and count + len(phrase) <= MAX_SYNONYM_WORDS:
            count += len(phrase)
            found.append(phrase)
    return tuple(found)


def parse(context: Context, text: str, locales: tuple[str, ...] | None = None) -> Query:
    """The query of a search's text, in one of these languages (None: as the settings say)."""
    reader = _Reader(context)
    index = context.index
    names = index.fields if context.fields is None else [index.fields[n] for n in context.fields]
    if locales is None:
        locales = index.tokenizer.all_locales(names)
    reader.read(list(index.tokenizer.tokens(text, locales)))
    query = reader.query
    query.empty = not query.terms
    graph, originals = query.graph, list(query.terms)
    for n, (term, positions) in enumerate(originals):
        graph.add(Node(term.subset(), positions, (n, n)))
        for size in (2, 3):
            joined = _joined(context, originals[n - size + 1 : n + 1]) if n >= size - 1 else None
            if joined is not None:
                query.terms.append(joined)
                graph.add(Node(joined[0].subset(), joined[1], (n - size + 1, n)))
    graph.join()
    return query


def _joined(context: Context, terms: list[Located]) -> Located | None:
    """Neighbouring words written as one: `data base` as `database`."""
    if any(term.phrase is not None for term, _ in terms):
        return None
    if any(a[1][1] + 1 != b[1][0] for a, b in itertools.pairwise(terms)):
        return None
    parts = tuple(term.text for term, _ in terms)
    text = "".join(parts)
    budget = max(typos.allowed(context.index, text) - len(parts) + 1, 0)
    # Synonyms of the word as it is written, and of the words it is made of.
    known = dict.fromkeys([*_synonyms(context, (text,)), *_synonyms(context, parts)])
    term = Term(
        context, text, budget=budget, is_prefix=terms[-1][0].is_prefix, parts=parts,
        synonyms=tuple(known),
    )  # fmt: skip
    return term, (terms[0][1][0], terms[-1][1][1])
