"""Programs for pages of names and curation: found by words, counted by what they have."""

from typing import Any, NamedTuple

from litestar.datastructures import MultiDict

from api.editorial.listing import routes as listing
from api.editorial.listing.schemas import EditorList, ListedProgram, TrashList
from api.http.query import MAX_VALUE
from api.web.signin.asking import ask
from api.web.signin.staff import StaffRequest

_FOUND = 12


class _Asked(StaffRequest):
    """The request of a page, with the query string of a list instead of the page's own."""

    wanted: MultiDict[Any]

    @property
    def query_params(self) -> MultiDict[Any]:
        """What the list is asked for."""
        return self.wanted


def _asking(request: StaffRequest, **wanted: str) -> StaffRequest:
    made: Any = _Asked(request.scope, request.receive, request.send)
    asked: _Asked = made
    asked.wanted = MultiDict(wanted)
    return asked


async def _listed(request: StaffRequest, **wanted: str) -> EditorList:
    return await ask(_asking(request, **wanted), listing.list_programs, EditorList)


async def find(request: StaffRequest, words: str) -> list[ListedProgram]:
    """Return the programs that fit words best, in any state; none without words."""
    words = words.strip()[:MAX_VALUE]
    return (await _listed(request, q=words, limit=str(_FOUND))).data if words else []


class Having(NamedTuple):
    """How many programs have something.

    Attributes:
        live: Those that are not deleted.
        trashed: Deleted ones.
        exact: False: there are more.
    """

    live: int
    trashed: int
    exact: bool


async def count(request: StaffRequest, name: str, row_id: int) -> Having:
    """Return how many programs have something.

    Args:
        request: Who asks.
        name: The filter of the lists, such as `seriesId`.
        row_id: What they have.
    """
    wanted = {name: str(row_id), "counts": "true", "limit": "1"}
    live = (await _listed(request, **wanted)).meta
    trashed = (await ask(_asking(request, **wanted), listing.list_trash, TrashList)).meta
    totals = [meta.total if isinstance(meta.total, int) else 0 for meta in (live, trashed)]
    exact = all(meta.total_is_exact is not False for meta in (live, trashed))
    return Having(totals[0], totals[1], exact)
