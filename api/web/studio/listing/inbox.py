"""The review inbox: what waits for a decision, longest first, and where a person's own submissions are."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from litestar import Response, get
from sqlalchemy import RowMapping
from sqlalchemy.orm import Session

from api.editorial.listing import schemas
from api.editorial.listing.schemas import ListedProgram
from api.editorial.rights import rights_of
from api.http import transaction
from api.http.query import MAX_LIMIT
from api.http.request import actor_of
from api.web.signin.staff import StaffRequest, page, redirect
from api.web.studio import zones
from api.web.studio.listing.narrowing import author
from catalog.programs.listing import waiting
from catalog.programs.listing.marks import MARKS

# What is edited and not decided, of one's own.
_BACK = 50


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits for a decision.

    Attributes:
        entity: The kind of row, of `catalog.review.models.ENTITIES`.
        id: The row.
        place: In the queue, from 1.
        title: What listeners know it by, or will.
        language: The language of the title; "" where it is not known.
        since: When it was submitted.
        people: Who submitted it, or wrote the change.
        fields: What a pending revision changes; nothing for a program that waits itself.
        open_threads: Of comments.
    """

    entity: str
    id: int
    place: int
    title: str
    language: str
    since: datetime
    people: Sequence[str]
    fields: Sequence[str]
    open_threads: int


def _waiting(row: RowMapping) -> Waiting:
    return Waiting(
        entity=row["entity"],
        id=row["id"],
        place=row["place"],
        title=row["title"],
        language=row["language"],
        since=row["since"],
        people=row["people"],
        fields=list(row["changes"] or ()),
        open_threads=row["threads"],
    )


@dataclass(frozen=True, slots=True)
class _Inbox:
    """What a person sees: the beginning of the queue, how long it is, their own in it, and what came back to them."""

    queue: Sequence[Waiting]
    total: int
    own: Sequence[Waiting]
    back: Sequence[ListedProgram]


def _read(session: Session, me: str, language: str) -> _Inbox:
    """Read the inbox of a person.

    Args:
        session: The transaction.
        me: The person, as revisions name their actors.
        language: The language of the names of categories.
    """
    queue = session.execute(waiting.waiting(MAX_LIMIT, language)).mappings().all()
    own = session.execute(waiting.waiting(MAX_LIMIT, language, me)).mappings().all()
    back = session.execute(waiting.back(me, _BACK)).mappings().all()
    ids = [row["id"] for row in back]
    marks = {row["id"]: row for row in session.execute(MARKS, {"ids": ids}).mappings()}
    return _Inbox(
        queue=[_waiting(row) for row in queue],
        total=queue[0]["total"] if queue else 0,
        own=[_waiting(row) for row in own],
        back=[schemas.listed(row, marks[row["id"]]) for row in back],
    )


@get("/review")
async def review(request: StaffRequest) -> Response[bytes]:
    """Return what waits for a decision. An address with parameters leads to the one without."""
    if request.query_params:
        return redirect(request, request.url.path)
    me, language = str(actor_of(request)), request.locale.code
    found = await transaction.read(request, lambda s: _read(s, me, language))
    context = {
        "queue": found.queue,
        "total": found.total,
        "own": found.own,
        "most": MAX_LIMIT,
        "back": found.back,
        "all_back": len(found.back) < _BACK,
        "may_decide": rights_of(request).may_publish,
        "zone": zones.remembered(request),
        "now": datetime.now(UTC),
        "author": author,
    }
    return page(request, "studio/listing/review.html", context)


HANDLERS = [review]
