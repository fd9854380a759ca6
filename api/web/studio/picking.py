"""Programs for pages of names and curation: found by words, counted by what they have."""

from typing import Any

from litestar.datastructures import MultiDict

from api.editorial.listing import routes as listing
from api.editorial.listing.schemas import EditorList, ListedProgram
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


async def _listed(request: StaffRequest, **wanted: str) -> EditorList:
    made: Any = _Asked(request.scope, request.receive, request.send)
    asked: _Asked = made
    asked.wanted = MultiDict(wanted)
    return await ask(asked, listing.list_programs, EditorList)


async def find(request: StaffRequest, words: str) -> list[ListedProgram]:
    """Return the programs that fit words best, in any state; none without words."""
    words = words.strip()[:MAX_VALUE]
    return (await _listed(request, q=words, limit=str(_FOUND))).data if words else []


async def count(request: StaffRequest, name: str, row_id: int) -> int:
    """Return how many programs have something, up to the limit of lists.

    Args:
        request: Who asks.
        name: The filter of the list, such as `seriesId`.
        row_id: What they have.
    """
    found = await _listed(request, **{name: str(row_id), "counts": "true", "limit": "1"})
    return found.meta.total if isinstance(found.meta.total, int) else 0
