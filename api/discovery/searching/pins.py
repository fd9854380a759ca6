"""Pinned programs in a page of results: at their places, once, and only those that the filters let through.

The results without the pinned programs move up and down around them, so that no program is missing and none is there twice
on any page. An engine is asked once more for a query that has pins; all other queries cost what they did.
"""

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

from msgspec import UNSET, structs

from api.discovery.params import SearchRequest
from api.discovery.searching.fallback import Hits
from api.discovery.searching.ladder import Climb, put_titled_first
from catalog.words.spelling import split
from indexer.engines.index_settings import MAX_TOTAL_HITS
from indexer.engines.messages import Hit
from indexer.engines.search import SearchPool

T = TypeVar("T")


class Window(NamedTuple):
    """A part of the results.

    Attributes:
        pinned: Position on the page, from 0 -> index of the pinned program.
        first: How many of the other results lie before the page.
        size: How many of the other results the page has.
    """

    pinned: dict[int, int]
    first: int
    size: int


def window(places: Sequence[int], others: int, page: int, limit: int) -> Window:
    """Return what a page has.

    Args:
        places: The places of the pinned programs, from 1, in ascending order.
        others: How many other results there are.
        page: From 1.
        limit: Results on a page.
    """
    first, last = (page - 1) * limit, page * limit
    positions: list[int] = []
    for n, place in enumerate(places):
        # Behind the last result there is no place: the last pinned programs end the list.
        most = others + n
        least = positions[-1] + 1 if positions else 0
        positions.append(max(least, min(place - 1, most)))
    on_page = {at - first: n for n, at in enumerate(positions) if first <= at < last}
    before = sum(1 for at in positions if at < first)
    return Window(on_page, first - before, limit - len(on_page))


def merged(others: Sequence[T], chosen: Sequence[T], places: Sequence[int], limit: int) -> list[T]:
    """Return the first results with the pinned programs at their places.

    Args:
        others: The results without them.
        chosen: The pinned programs, by place.
        places: Their places, from 1, in ascending order.
        limit: How many results.
    """
    part = window(places, len(others), 1, limit)
    found = list(others[: part.size])
    for position, index in sorted(part.pinned.items()):
        found.insert(position, chosen[index])
    return found


async def placed(
    engine: SearchPool, request: SearchRequest, narrowed: list[str], climb: Climb, places: dict[int, int]
) -> Hits:
    """Return a page of results with the pinned programs.

    Args:
        engine: The search engines.
        request: The page.
        narrowed: The engine's filter of the request.
        climb: The answer without pins.
        places: Program -> its place, by place.

    Raises:
        EngineUnavailableError: No engine answers.
        EngineRejectedError: An engine refuses the query.
    """
    pinned = f"id IN [{', '.join(map(str, places))}]"
    own = [] if climb.query.filter is UNSET else climb.query.filter
    plain = {"facets": UNSET, "page": UNSET, "hits_per_page": UNSET, "index_uid": UNSET}
    # However many pinned programs come before the page, its other results are among these.
    offset = max(0, (request.page - 1) * request.limit - len(places))
    rest = structs.replace(
        climb.query, **plain, filter=[*own, f"NOT {pinned}"], offset=offset, limit=request.limit + len(places)
    )
    # Asked for a page, an engine counts every hit.
    count = structs.replace(
        climb.query, **plain | {"page": 1, "hits_per_page": 0}, filter=[*own, f"NOT {pinned}"]
    )
    visible = structs.replace(
        climb.query,
        **plain,
        q="",
        sort=UNSET,
        matching_strategy=UNSET,
        filter=[*narrowed, pinned],
        limit=len(places),
    )
    asked = [rest, count, visible]
    if request.highlight:
        # The words of the query are marked in those that have them.
        asked.append(
            structs.replace(visible, q=climb.query.q, matching_strategy=climb.query.matching_strategy)
        )
    others, counted, *found = await engine.multi_search(asked)
    by_id = {hit.id: hit for results in found for hit in results.hits}
    chosen = [by_id[program_id] for program_id in places if program_id in by_id]
    total = min(counted.total, MAX_TOTAL_HITS)
    part = window([places[hit.id] for hit in chosen], total, request.page, request.limit)
    hits: list[Hit] = others.hits[part.first - offset :][: part.size]
    if request.page == 1 and climb.rewrite is None:
        put_titled_first(hits, split(request.q))
    for position, index in sorted(part.pinned.items()):
        hits.insert(position, chosen[index])
    return Hits(hits, total + len(chosen))
