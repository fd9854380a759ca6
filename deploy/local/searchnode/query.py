"""A query as terms, and each term as the words of the index that may stand for it."""

import itertools
import re
from dataclasses import dataclass, field
from functools import cached_property

from pyroaring import BitMap
from rapidfuzz import process
from rapidfuzz.distance import OSA

from deploy.local.searchnode.index import Index
from deploy.local.searchnode.tokens import words

MAX_TERMS = 10
_PART = re.compile(r'(-?)"([^"]*)"?|(\S+)')


@dataclass
class Term:
    """One place of the query. `costs[n]` holds the words reached with n typos."""

    index: Index
    text: str
    is_prefix: bool = False
    phrase: tuple[str, ...] = ()
    costs: tuple[set[str], set[str], set[str]] = field(
        default_factory=lambda: (set(), set(), set())
    )
    # Documents that match by more than one word (a split word, a synonym, a phrase), by typo cost.
    extra: list[BitMap] = field(default_factory=lambda: [BitMap(), BitMap(), BitMap()])

    @cached_property
    def bitmaps(self) -> list[BitMap]:
        """Documents by the fewest typos that reach them: disjoint."""
        seen = BitMap()
        result = []
        for cost in range(3):
            found = BitMap.union(
                self.extra[cost], *(self.index.words_of(w) for w in self.costs[cost])
            )
            result.append(found - seen)
            seen |= found
        return result

    @cached_property
    def documents(self) -> BitMap:
        """Every document that matches the term."""
        return BitMap.union(*self.bitmaps)

    @cached_property
    def words(self) -> set[str]:
        """Every word that may stand for it; a phrase's own words."""
        return set().union(*self.costs, self.phrase)


@dataclass(frozen=True)
class Query:
    """What was asked, derived against one index."""

    terms: list[Term]
    excluded: BitMap


def parse(index: Index, text: str) -> Query:
    """Terms in order (at most 10), and the documents that a `-word` or `-"phrase"` rules out."""
    terms: list[Term] = []
    excluded = BitMap()
    stop = set(index.settings["stopWords"])
    ends_open = bool(text) and not text[-1].isspace()
    parts = list(_PART.finditer(text))
    for part in parts:
        minus, quoted, plain = part.groups()
        if plain is None:
            found = tuple(word for word, _ in words(quoted))
            if not found:
                continue
            matched = phrase_documents(index, found)
            if minus:
                excluded |= matched
            else:
                terms.append(
                    Term(index, " ".join(found), phrase=found, extra=[matched, BitMap(), BitMap()])
                )
        elif plain.startswith("-") and len(plain) > 1:
            for word, _ in words(plain[1:]):
                excluded |= index.words_of(word)
        else:
            last = part is parts[-1] and ends_open
            found = tuple(word for word, _ in words(plain))
            for n, word in enumerate(found):
                is_prefix = (
                    last and n == len(found) - 1 and index.settings["prefixSearch"] != "disabled"
                )
                if word not in stop:
                    terms.append(Term(index, word, is_prefix))
    terms = terms[:MAX_TERMS]
    for term in terms:
        if not term.phrase:
            _derive(index, term)
    _join_neighbours(index, terms)
    _synonyms(index, terms)
    return Query(terms, excluded)


def phrase_documents(index: Index, phrase: tuple[str, ...]) -> BitMap:
    """Documents in which these words stand one after another in one field."""
    candidates = BitMap.intersection(*(index.words_of(word) for word in phrase))
    if len(phrase) == 1:
        return candidates
    return BitMap(number for number in candidates if _has_phrase(index, number, phrase))


def _has_phrase(index: Index, number: int, phrase: tuple[str, ...]) -> bool:
    for _, found, positions in index.tokens[number]:
        for start in range(len(found) - len(phrase) + 1):
            if found[start : start + len(phrase)] == phrase and (
                positions[start + len(phrase) - 1] - positions[start] == len(phrase) - 1
            ):
                return True
    return False


def _budget(index: Index, word: str) -> int:
    tolerance = index.settings["typoTolerance"]
    if not tolerance["enabled"] or word in {w.lower() for w in tolerance["disableOnWords"]}:
        return 0
    if tolerance.get("disableOnNumbers") and word.replace(".", "").isdecimal():
        return 0
    sizes = tolerance["minWordSizeForTypos"]
    if len(word) >= sizes["twoTypos"]:
        return 2
    return 1 if len(word) >= sizes["oneTypo"] else 0


def _derive(index: Index, term: Term) -> None:
    word = term.text
    exact, one, two = term.costs
    if word in index.postings:
        exact.add(word)
    if term.is_prefix:
        exact.update(index.prefixed(word))
    budget = _budget(index, word)
    if budget:
        # A wrong first letter counts double, so with one typo allowed the first letter is right.
        near = index.by_first.get(word[0], [])
        for found, distance, _ in process.extract(
            word, near, scorer=OSA.distance, score_cutoff=budget, limit=None
        ):
            (one if distance <= 1 else two).add(found)
        if term.is_prefix and len(word) > 2:
            for size in (len(word) - 1, len(word), len(word) + 1):
                longer = [w for w in near if len(w) > size]
                heads = [w[:size] for w in longer]
                for _, distance, at in process.extract(
                    word, heads, scorer=OSA.distance, score_cutoff=1, limit=None
                ):
                    if distance:
                        one.add(longer[at])
        if budget == 2:
            tails = index.vocabulary
            for found, _, _ in process.extract(
                word, tails, scorer=OSA.distance, score_cutoff=1, limit=None
            ):
                if found[0] != word[0]:
                    two.add(found)
        one -= exact
        two -= exact | one
        _forget_untolerant(index, term)
    _split(index, term)


def _forget_untolerant(index: Index, term: Term) -> None:
    """Fields without typo tolerance: a word that stands only there is no correction."""
    names = set(index.settings["typoTolerance"]["disableOnAttributes"])
    if not names:
        return
    wanted = index.settings["searchableAttributes"]
    fields = index.fields if "*" in wanted else wanted
    untolerant = {n for n, name in enumerate(fields) if name in names}
    for cost in (1, 2):
        found = term.costs[cost]
        found -= {w for w in found if set(index.postings.get(w, ())) <= untolerant}


def _split(index: Index, term: Term) -> None:
    """`darkknight` also means `dark knight` side by side: the most frequent split, one typo."""
    best: tuple[int, BitMap] = (0, BitMap())
    for at in range(1, len(term.text)):
        left, right = term.text[:at], term.text[at:]
        if left in index.postings and right in index.postings:
            found = phrase_documents(index, (left, right))
            if len(found) > best[0]:
                best = (len(found), found)
    term.extra[1] |= best[1]


def _join_neighbours(index: Index, terms: list[Term]) -> None:
    """`data base` also means `database`: both places are matched by the joined word."""
    for left, right in itertools.pairwise(terms):
        if left.phrase or right.phrase:
            continue
        joined = left.text + right.text
        if joined in index.postings:
            found = index.words_of(joined)
            left.extra[1] |= found
            right.extra[0] |= found


def _synonyms(index: Index, terms: list[Term]) -> None:
    table = {tuple(w for w, _ in words(k)): v for k, v in index.settings["synonyms"].items()}
    if not table:
        return
    for size in (1, 2, 3):
        for start in range(len(terms) - size + 1):
            span = terms[start : start + size]
            for alternative in table.get(tuple(t.text for t in span), ()):
                found = tuple(w for w, _ in words(alternative))
                if not found:
                    continue
                documents = phrase_documents(index, found)
                for term in span:
                    term.extra[0] |= documents
                    if len(found) == 1 and size == 1:
                        term.costs[0].add(found[0])
