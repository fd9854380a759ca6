"""What listeners search for: bodies of the answer."""

from typing import Annotated

import msgspec

from api.http.schemas import Model, one_of
from catalog.insight.models import LANGUAGES

_Share = Annotated[float | None, msgspec.Meta(examples=[0.42])]


class TotalsOut(Model):
    """Sums of searches. `searches` counts first pages, `pages` further ones, `emptySearches` first pages without a result.

    `clickThrough`: clicks for each search. `meanPosition`: of the results that were clicked, from 1.
    """

    searches: int
    pages: int
    empty_searches: int
    mean_hits: float | None
    clicks: int
    click_through: _Share
    mean_position: float | None
    plays: int


class QueryOut(TotalsOut):
    """A query in the spelling of comparison. `rungs`: which readings of it answered. `filters`: which were set."""

    query: Annotated[str, msgspec.Meta(examples=["قهوه"])]
    language: Annotated[str, one_of("QueryLanguage", LANGUAGES)]
    rungs: dict[str, int]
    filters: dict[str, int]


class ProposalOut(Model):
    """A word of a query that the catalogue does not have, and words of it that resemble it: what a synonym may join."""

    term: Annotated[str, msgspec.Meta(examples=["اسبرسو"])]
    finds: list[str]


class EmptyOut(QueryOut):
    """A query that found nothing, at last on the day `lastEmpty`."""

    last_empty: Annotated[str, msgspec.Meta(examples=["2026-11-26"])]
    proposals: list[ProposalOut]


class FallingOut(QueryOut):
    """A query whose click-through fell. `before`: what it was in as many days before."""

    before: float


class SearchesOut(Model):
    """All searches together, and the queries to look at."""

    totals: TotalsOut
    top: list[QueryOut]
    empty: list[EmptyOut]
    falling: list[FallingOut]


class SearchesMeta(Model):
    """About the answer. `listeners`: a query is shown that so many different listeners asked."""

    days: int
    language: str | None
    limit: int
    listeners: int


class SearchesAnswer(Model):
    """What listeners search for."""

    data: SearchesOut
    meta: SearchesMeta
