"""Reads a query's text: its terms, the words it excludes, and the graph of all its readings.

`rank/search.py` calls `parse`; highlighting (`query/matching.py`) uses the terms of the `Query`.
"""

import itertools
from dataclasses import dataclass, field

from pyroaring import BitMap

from deploy.searchnode.rank import typos
from deploy.searchnode.rank.lookup.context import Context, Phrase
from deploy.searchnode.rank.reading.graph import Graph, TermNode
from deploy.searchnode.rank.reading.terms import Term
from deploy.searchnode.text.tokens import HARD, STOP, WORD, Token

# Further words of a query are ignored.
MAX_TERMS = 10
# Synonyms of one term, and words of all its synonyms together.
MAX_SYNONYMS, MAX_SYNONYM_WORDS = 50, 100
# Positions that the end of a sentence adds between two words of a query.
_HARD_GAP = 7
# A term with its (first, last) position in the query, counted in words.
Located = tuple[Term, tuple[int, int]]


@dataclass
class Query:
    """What a search asks for: its terms, their graph, and the documents that must not be found."""

    graph: Graph = field(default_factory=Graph)
    # First the terms of the text, then those that join neighbouring words.
    terms: list[Located] = field(default_factory=list)
    excluded: BitMap = field(default_factory=BitMap)
    # Has the text no term?
    empty: bool = True


class _Reader:
    """Reads the tokens of a query from left to right."""

    def __init__(self, context: Context) -> None:
        self.context, self.query = context, Query()
        self.position = -1
        # The words of the quoted phrase in which the reader is, and their positions.
        self.phrase: list[str | None] | None = None
        self.phrase_at = (0, 0)
        # Does a minus exclude the phrase, or the word that follows?
        self.negative_phrase = self.negative = False
        self.after_space = True

    def read(self, tokens: list[Token]) -> None:
        """Read every token until the query has MAX_TERMS terms."""
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
                # The end of a sentence ends the phrase; what follows is a phrase of its own.
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
    """Return the term of a single word, with its typo budget and its synonyms.

    Args:
        context: The search's view of the index.
        word: The lemma.
        is_prefix: Longer words stand for it too: it is the last word of the query.
    """
    return Term(
        context,
        word,
        budget=typos.budget(context.index, word),
        is_prefix=is_prefix,
        synonyms=_synonyms(context, (word,)),
    )


def _synonyms(context: Context, words: tuple[str, ...]) -> tuple[Phrase, ...]:
    found: list[Phrase] = []
    count = 0
    for phrase in context.index.synonyms.get(words, ())[:MAX_SYNONYMS]:
        if phrase and count + len(phrase) <= MAX_SYNONYM_WORDS:
            count += len(phrase)
            found.append(phrase)
    return tuple(found)


def parse(context: Context, text: str, locales: tuple[str, ...] | None = None) -> Query:
    """Read a query.

    Args:
        context: The search's view of the index.
        text: What the request asks for.
        locales: The languages that the request names, as codes of three letters; None: those that the
            settings expect in the fields that count.

    Returns:
        The query with the graph of all its readings.
    """
    reader = _Reader(context)
    index = context.index
    if locales is None:
        fields = index.searchable.names
        locales = index.tokenizer.all_locales(
            fields if context.fields is None else [fields[n] for n in context.fields]
        )
    reader.read(list(index.tokenizer.tokens(text, locales)))
    query = reader.query
    query.empty = not query.terms
    graph, originals = query.graph, list(query.terms)
    for n, (term, positions) in enumerate(originals):
        graph.add(TermNode(term.subset(), positions, (n, n)))
        for size in (2, 3):
            joined = _joined(context, originals[n - size + 1 : n + 1]) if n >= size - 1 else None
            if joined is not None:
                query.terms.append(joined)
                graph.add(TermNode(joined[0].subset(), joined[1], (n - size + 1, n)))
    graph.connect()
    return query


def _joined(context: Context, terms: list[Located]) -> Located | None:
    """Return neighbouring words as one word (`data base` as `database`); None when they cannot be joined.

    Each joint costs one typo of the budget that the long word would have.
    """
    if any(term.phrase is not None for term, _ in terms):
        return None
    if any(a[1][1] + 1 != b[1][0] for a, b in itertools.pairwise(terms)):
        return None
    parts = tuple(term.text for term, _ in terms)
    text = "".join(parts)
    budget = max(typos.budget(context.index, text) - len(parts) + 1, 0)
    # Synonyms of the long word, and of the words it is made of.
    synonyms = dict.fromkeys([*_synonyms(context, (text,)), *_synonyms(context, parts)])
    term = Term(
        context, text, budget=budget, is_prefix=terms[-1][0].is_prefix, parts=parts, synonyms=tuple(synonyms)
    )
    return term, (terms[0][1][0], terms[-1][1][1])
