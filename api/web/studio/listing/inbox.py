"""The review inbox: what waits for a decision, longest first, and where a person's own submissions are."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import attrgetter

from litestar import Response, get
from litestar.datastructures import MultiDict

from api.editorial.listing import params
from api.editorial.listing import routes as listing
from api.editorial.listing.schemas import ListedProgram
from api.editorial.pending_schemas import PendingItem, PendingList
from api.editorial.review import routes as pending
from api.editorial.rights import rights_of
from api.http.query import MAX_LIMIT
from api.http.request import actor_of
from api.web.signin.asking import ask
from api.web.signin.staff import StaffRequest, page, redirect
from api.web.studio import zones
from api.web.studio.listing.narrowing import author

# What is edited and not decided, of one's own.
_BACK = 50


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits for a decision.

    Attributes:
        entity: The kind of row, of `catalog.review.models.ENTITIES`.
        id: The row.
        title: What listeners know it by, or will.
        language: The language of the title; "" where it is not known.
        since: When it was submitted.
        people: Who submitted it, or wrote the change.
        fields: What a pending revision changes; nothing for a program that waits itself.
        open_threads: Of comments.
    """

    entity: str
    id: int
    title: str
    language: str
    since: datetime
    people: Sequence[str]
    fields: Sequence[str]
    open_threads: int


def _program(one: ListedProgram) -> Waiting:
    who = [one.submitted_by] if one.submitted_by is not None else []
    since = one.submitted_at or one.updated_at
    return Waiting("program", one.id, one.title, one.language, since, who, (), one.open_threads)


def _change(one: PendingItem) -> Waiting:
    return Waiting(
        one.entity, one.id, one.title, "", one.updated_at, one.authors, one.fields, one.open_threads
    )


@get("/review")
async def review(request: StaffRequest) -> Response[bytes]:
    """Return what waits for a decision. An address with parameters leads to the one without."""
    if request.query_params:
        return redirect(request, request.url.path)
    limit = str(MAX_LIMIT)
    new = await listing.programs(
        request, MultiDict({"status": "in_review", "sort": "updatedAt", "limit": limit})
    )
    changes = await ask(request, pending.list_pending, PendingList, only_state="in_review", limit=MAX_LIMIT)
    back = await listing.programs(
        request, MultiDict({"editedBy": params.ME, "commented": "true", "limit": str(_BACK)})
    )
    queue = sorted([*map(_program, new.data), *map(_change, changes.data)], key=attrgetter("since"))
    me, rights = str(actor_of(request)), rights_of(request)
    places = dict(enumerate(queue, 1))
    context = {
        "queue": places,
        "own": {place: one for place, one in places.items() if me in one.people},
        "back": [one for one in back.data if _is_back(one)],
        "complete": new.meta.next_cursor is None and changes.meta.next_cursor is None,
        "may_decide": rights.may_publish,
        "zone": zones.remembered(request),
        "now": datetime.now(UTC),
        "author": author,
    }
    return page(request, "studio/listing/review.html", context)


def _is_back(program: ListedProgram) -> bool:
    """Whether a program with open comments waits for its author: what was submitted waits for a reviewer."""
    return program.status == "draft" or program.pending_state == "draft"


HANDLERS = [review]
