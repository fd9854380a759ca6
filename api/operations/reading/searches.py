"""The route that shows what listeners search for: `catalog.insight` has the numbers, the vocabulary proposes synonyms."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from litestar import get
from litestar.openapi.spec import Example
from litestar.params import QueryParameter
from sqlalchemy import RowMapping
from sqlalchemy.orm import Session

from api.http import transaction
from api.http.auth import OPS
from api.http.parameters import Limit
from api.http.query import DEFAULT_LIMIT
from api.http.reply import JsonResponse
from api.http.request import ApiRequest, CatalogueWords
from api.operations.reading.insight_schemas import (
    EmptyOut,
    FallingOut,
    ProposalOut,
    QueryOut,
    SearchesAnswer,
    SearchesMeta,
    SearchesOut,
    TotalsOut,
)
from catalog.insight import queries
from catalog.insight.models import LANGUAGES
from indexer.jobs.searches import TOLD

_MAX_DAYS, _DEFAULT_DAYS = 30, 7
_Days = Annotated[
    int,
    QueryParameter(
        ge=1,
        le=_MAX_DAYS,
        description="The last days, today included.",
        examples=[Example(value=_DEFAULT_DAYS)],
    ),
]
_Language = Annotated[
    str | None,
    QueryParameter(
        enum=LANGUAGES, description="Only queries in this script.", examples=[Example(value="ar")]
    ),
]
# Queries for which words are looked for: it takes milliseconds each, in one thread for all.
_PROPOSED = 20
# (language, query) -> which readings answered it and which filters were set, and how often.
_Named = Mapping[tuple[str, str], Mapping[str, Mapping[str, int]]]


@get(
    "/searches",
    operation_id="getSearches",
    summary="What listeners search for",
    description="The queries that are asked most, those that find nothing, with words of the catalogue that resemble theirs "
    "(proposals for a synonym, for the first 20 of them), and those whose click-through fell against the same time before. A query is shown when "
    f"{TOLD} different listeners asked it within a week; the totals have every search.",
    opt={"roles": OPS},
)
async def searches(
    request: ApiRequest, days: _Days = _DEFAULT_DAYS, language: _Language = None, limit: Limit = DEFAULT_LIMIT
) -> JsonResponse[SearchesAnswer]:
    """Return what listeners search for."""

    def work(session: Session) -> SearchesOut:
        totals = session.execute(queries.totals(days, language)).mappings().one()
        lists = [
            session.execute(statement(days, language, limit)).mappings().all()
            for statement in (queries.top, queries.without_hits, queries.falling)
        ]
        named = _named(session, days, [row for rows in lists for row in rows])
        top, empty, falling = lists
        return SearchesOut(
            totals=TotalsOut(**_sums(totals)),
            top=[QueryOut(**_of(row, named)) for row in top],
            empty=[
                EmptyOut(**_of(row, named), last_empty=row["last_empty"].isoformat(), proposals=[])
                for row in empty
            ],
            falling=[FallingOut(**_of(row, named), before=round(row["before"], 4)) for row in falling],
        )

    found = await transaction.read(request, work)
    await asyncio.to_thread(_propose, request.shared.vocabulary, found.empty[:_PROPOSED])
    meta = SearchesMeta(days=days, language=language, limit=limit, listeners=TOLD)
    return JsonResponse(SearchesAnswer(data=found, meta=meta))


def _named(session: Session, days: int, rows: Sequence[RowMapping]) -> _Named:
    wanted = sorted({(row["language"], row["query"]) for row in rows})
    found: defaultdict[tuple[str, str], dict[str, dict[str, int]]] = defaultdict(
        lambda: {"rungs": {}, "filters": {}}
    )
    if wanted:
        for language, query, kind, name, times in session.execute(queries.details(days, wanted)):
            found[language, query][kind][name] = int(times)
    return found


def _sums(row: RowMapping) -> dict[str, Any]:
    """Return what the sums of a row say, as JSON shows it."""
    counted = {
        name: int(row[name] or 0) for name in ("searches", "pages", "empty", "hits", "clicks", "plays")
    }
    counted["empty_searches"] = counted.pop("empty")
    hits, positions = counted.pop("hits"), int(row["positions"] or 0)
    return counted | {
        "mean_hits": _share(hits, counted["searches"], 1),
        "click_through": _share(counted["clicks"], counted["searches"], 4),
        "mean_position": _share(positions, counted["clicks"], 1),
    }


def _share(part: int, whole: int, digits: int) -> float | None:
    return round(part / whole, digits) if whole else None


def _of(row: RowMapping, named: _Named) -> dict[str, Any]:
    key = row["language"], row["query"]
    return {"query": row["query"], "language": row["language"], **_sums(row), **named[key]}


def _propose(words: CatalogueWords, empty: Sequence[EmptyOut]) -> None:
    """Add the words of the catalogue that resemble those which it does not have."""
    for query in empty:
        near = {word: words.near(word) for word in words.unknown(query.query)}
        query.proposals = [ProposalOut(term=word, finds=found) for word, found in near.items() if found]


HANDLERS = [searches]
