"""Where a page of a list ends, and what an engine is asked for the programs behind it. `service` calls it.

The list must have an order by a field: its value in the last program and the program's id are the place. A search also keeps
what it was understood as, so that every page of it continues the same list.
"""

from collections.abc import Sequence
from typing import NamedTuple

from msgspec import UNSET, structs

from api.discovery.facets.counting import conditions, narrowed
from api.discovery.narrowing.orders import Order
from api.discovery.params import BEGINNING, SearchRequest
from api.http import cursor
from catalog.programs.fallback.statements import After
from indexer.engines.messages import Query


class Place(NamedTuple):
    """Where a search goes on: behind a program, with the words and conditions that its first page was found with."""

    after: After
    q: str
    extra: Sequence[str]


def beyond(order: Order, after: After) -> str:
    """Return the filter for the programs behind a place. Programs without a value come last in both directions.

    Args:
        order: The field and direction of the list.
        after: The value of the last program, and its id.
    """
    (field, direction), (value, last) = order, after
    operator = "<" if direction == "desc" else ">"
    if value is None:
        return f"{field} IS NULL AND id {operator} {int(last)}"
    return (
        f"{field} {operator} {int(value)} OR ({field} = {int(value)} AND id {operator} {int(last)}) "
        f"OR {field} IS NULL"
    )


def sorting(order: Order) -> list[str]:
    """Return the engine's order of a list with places: by the field, then by id."""
    field, direction = order
    return [f"{field}:{direction}", f"id:{direction}"]


def _binding(request: SearchRequest) -> str:
    return cursor.bound("search", request.q, request.operators, request.sort, request.filters.key())


def place_of(secret: str, request: SearchRequest) -> Place | None:
    """Return where a search goes on; None for its first page.

    Args:
        secret: Signed the cursor.
        request: The search.

    Raises:
        Problem: The cursor belongs to another search.
    """
    if request.cursor is None or request.cursor == BEGINNING:
        return None
    value, last, q, extra = cursor.decode(secret, _binding(request), request.cursor)
    return Place((value, last), q, extra)


def following(secret: str, request: SearchRequest, query: Query, after: After) -> str:
    """Return the cursor of the page behind a program.

    Args:
        secret: Signs the cursor.
        request: The search.
        query: What the engine was asked for the page.
        after: The place of its last program.
    """
    return cursor.encode(secret, _binding(request), [*after, query.q, narrowed(request, query)])


def continued(request: SearchRequest, query: Query, order: Order, place: Place) -> list[Query]:
    """Return two queries: the programs behind a place and one more, and the number of all.

    Args:
        request: The search.
        query: The query of its first page.
        order: The order of its list.
        place: Where it goes on.
    """
    where = [*conditions(request, request.filters), *place.extra]
    page = structs.replace(
        query,
        q=place.q,
        filter=[*where, beyond(order, place.after)],
        facets=UNSET,
        page=UNSET,
        hits_per_page=UNSET,
        limit=request.limit + 1,
    )
    whole = Query(
        q=place.q,
        page=1,
        hits_per_page=0,
        filter=where or UNSET,
        facets=query.facets,
        matching_strategy=query.matching_strategy,
    )
    return [page, whole]
