"""What a page of a search or a listing depends on, so that a change of another program leaves it in the caches.

A page of the best hits that is full shows another program only if it has as many words, without a typo, as its last hit has.
A page that is not full shows every program that an engine finds. What is not certain depends on everything (None).
"""

import time
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from msgspec import UNSET

from api.answers.following.depends import Condition, Depends, Need, Span, Term, of_names
from api.discovery.narrowing.filters import Filters
from api.discovery.narrowing.orders import SORTS, Order
from api.discovery.params import NEWEST, PROGRAM, BrowseRequest, SearchRequest
from api.discovery.searching.ladder import Asked, Climb
from catalog.programs.fallback.statements import After
from catalog.words.joined import ARTICLE
from catalog.words.lexicon import Lexicon
from indexer.engines.document import ListedFields
from indexer.engines.messages import Hit
from indexer.stores.following import lemmas

# A page that is superseded only by what can touch it is kept so long. Its total may be so old: a program that is not on the
# page may be one more or one less.
KEPT_SECONDS = 600.0
# Of longer queries, engines leave out words.
_MOST_WORDS = 8
_FIELDS = {"releaseDate": "release_date", "durationSec": "duration_sec", "viewCount": "view_count"}


def ends_at(request: SearchRequest, depends: Depends | None, otherwise: float) -> float:
    """Return when a page ends, in seconds since 1970.

    Args:
        request: The search. The newest programs change by the clock alone: their page ends as others do.
        depends: What the page depends on.
        otherwise: When it ends in any case.
    """
    if depends is None or request.sort == NEWEST:
        return otherwise
    return min(otherwise, time.time() + KEPT_SECONDS)


def of_browse(request: BrowseRequest, after: After | None, hits: Sequence[ListedFields]) -> Depends | None:
    """Return what a page of a listing depends on.

    Args:
        request: The page.
        after: The place behind which it begins; None: it is the first page.
        hits: Its programs, and one more if there is a next page.
    """
    if request.facets or (after is not None and after[0] is None):
        return None
    span = _span(request.order, after, hits, is_full=len(hits) > request.limit, limit=request.limit)
    return Depends(tuple(hit.id for hit in hits), None, tuple(_conditions(request.filters)), span)


def of_search(request: SearchRequest, climb: Climb, lexicon: Lexicon) -> Depends | None:
    """Return what a page of a search depends on.

    Args:
        request: The search. It has no pins.
        climb: What it found, and how.
        lexicon: The words of the catalogue.
    """
    hits = climb.results.hits
    is_plain = request.types == (PROGRAM,) and not request.facets and not request.operators
    if not is_plain or request.page != 1 or request.cursor is not None or not climb.asked or not hits:
        return None
    if '"' in request.q:
        return None
    is_full, order = climb.results.total > len(hits) >= request.limit, SORTS[request.sort]
    span = None
    if order is not None and len(climb.asked) == 1:
        span = _span(order, None, hits, is_full=is_full, limit=request.limit)
    if not request.q.strip():
        needs: list[Need] | None = None
        if order is None:
            span = _span(("viewCount", "desc"), None, hits, is_full=is_full, limit=request.limit)
    else:
        needs = []
        for asked in climb.asked:
            ends = (hits[0], hits[-1]) if is_full and order is None and len(climb.asked) == 1 else ()
            found = _needs(asked, ends, _Counts(lexicon, climb.results.total))
            if found is None:
                return None
            needs += found
    best = (asked.best for asked in climb.asked if asked.best is not None)
    ids = dict.fromkeys([*(hit.id for hit in hits), *best])
    met = None if needs is None else tuple(needs)
    return Depends(tuple(ids), met, tuple(_conditions(request.filters)), span)


def _needs(asked: Asked, ends: Sequence[Hit], counts: "_Counts") -> list[Need] | None:
    """Return what words a program needs so that it is found; None: nobody can tell.

    Args:
        asked: What an engine was asked.
        ends: The first and the last hit of a page of the best hits that is full; none of any other page.
        counts: How many programs have its words.
    """
    words = lemmas.of_query(asked.query.q)
    if not words or len(words) > _MOST_WORDS:
        return None
    tokens = [part for word in words for part in lemmas.parts(word)]
    terms = _terms(tokens)
    strategy = "last" if asked.query.matching_strategy is UNSET else asked.query.matching_strategy
    if strategy == "all":
        return [Need(near=terms, kind=asked.kind)]
    is_unfinished = not asked.query.q[-1:].isspace()
    had = min((_leading(tokens, hit, is_unfinished=is_unfinished) for hit in ends), default=0)
    best = _at_best(tokens[:had], terms[:had], ends) if had else []
    if had == len(tokens):
        return best
    if strategy == "last":
        return [*best, Need(near=terms[: had + 1])]
    # The least frequent word is the one that is left: every program with it is found.
    left = [term for token, term in zip(tokens, terms, strict=True) if not counts.is_more_frequent(token)]
    return [Need(near=(term,)) for term in left or terms]


class _Counts(NamedTuple):
    """How many programs have a word, beside how many a query finds."""

    lexicon: Lexicon
    total: int

    def is_more_frequent(self, token: str) -> bool:
        """Return whether certainly more programs have a word than were found."""
        if token == ARTICLE:
            longer = self.lexicon.completions(ARTICLE, 1)
            return any(entry.programs > self.total for entry in longer)
        return self.lexicon.count(token) > self.total


def _terms(tokens: Sequence[str]) -> tuple[Term, ...]:
    """Return each word with what it makes together with its neighbours, two or three of them."""
    found = []
    for n, token in enumerate(tokens):
        joined = [
            "".join(tokens[first : first + size])
            for size in (2, 3)
            for first in range(max(0, n - size + 1), n + 1)
            if first + size <= len(tokens)
        ]
        found.append((token, *joined))
    return tuple(found)


def _leading(tokens: Sequence[str], hit: Hit, *, is_unfinished: bool) -> int:
    """Return how many words of a query a hit certainly has without a typo, from the first one on."""
    texts = (hit.title, hit.series_title or "", *hit.people, *hit.tags, hit.description)
    words = lemmas.certain(texts)
    for n, token in enumerate(tokens):
        if token in words:
            continue
        is_begun = is_unfinished and n == len(tokens) - 1
        if not (is_begun and any(word.startswith(token) for word in words)):
            return n
    return len(tokens)


def _at_best(tokens: Sequence[str], terms: tuple[Term, ...], ends: Sequence[Hit]) -> list[Need]:
    """Return what a program needs to come before the last hit, when all that counts before is equal.

    Engines then look for words that stand together, in the title before other texts, at the beginning before other places, for
    texts that are the query, and for views.

    Args:
        tokens: The words that the hits have without a typo.
        terms: The same with what they make together.
        ends: The first and the last hit.
    """
    if not all(_together(tokens, hit) for hit in ends):
        return [Need(whole=terms)]
    pairs = tuple(
        lemmas.pair(word, following)
        for word, following in pairwise(tokens)
        # Every word but the last one is whole.
        if len(following) >= lemmas.PAIRED_LETTERS or following is not tokens[-1]
    )
    titles = [lemmas.in_order(hit.title) for hit in ends]
    if not all(any(_stands_in(tokens, part) for part in title) for title in titles):
        return [Need(whole=terms, pairs=pairs)]
    if not all(
        title[0][: len(tokens)] == tokens and lemmas.begins_plainly(hit.title)
        for title, hit in zip(titles, ends, strict=True)
    ):
        return [Need(whole=terms, pairs=pairs, is_titled=True)]
    views = min(hit.view_count for hit in ends)
    text = " ".join(token for token in tokens if token != ARTICLE)
    return [Need(whole=terms, pairs=pairs, is_titled=True, is_first=True, views=views, text=text)]


def _together(tokens: Sequence[str], hit: Hit) -> bool:
    """Return whether words certainly follow on each other in a text of a hit."""
    texts = (hit.title, hit.series_title or "", *hit.people, *hit.tags, hit.description)
    return any(_stands_in(tokens, part) for text in texts for part in lemmas.in_order(text))


def _stands_in(tokens: Sequence[str], part: Sequence[str]) -> bool:
    count = len(tokens)
    return any(part[n : n + count] == tokens for n in range(len(part) - count + 1))


def _span(
    order: Order, after: After | None, hits: Sequence[ListedFields], *, is_full: bool, limit: int
) -> Span | None:
    name, direction = order
    field = _FIELDS[name]
    last = getattr(hits[limit - 1], field) if is_full else None
    if is_full and last is None:
        # Programs without a value are on the page: all of them may be.
        return Span(field, direction == "desc", None if after is None else after[0])
    return Span(field, direction == "desc", None if after is None else after[0], last)


def _conditions(filters: Filters) -> Iterable[Condition]:
    for field in ("category_id", "language", "media_type", "kind", "series_id"):
        values = getattr(filters, field)
        if values:
            yield Condition(field, tuple(values))
    for field, several, each in (
        ("tags", filters.tag, filters.tag_all),
        ("people", filters.person, filters.person_all),
    ):
        if several:
            yield of_names(field, several)
        for value in each:
            yield of_names(field, [value])
    if filters.featured is not None:
        yield Condition("is_featured", (filters.featured,))
    for field, least, most in (
        ("duration_sec", filters.duration_min, filters.duration_max),
        ("release_date", filters.released_after, filters.released_before),
    ):
        if least is not None or most is not None:
            yield Condition(field, least=least, most=most)
