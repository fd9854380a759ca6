"""Routes that are the same for the pending revision of a program, a series and a category."""

from collections.abc import Callable
from typing import Annotated

from litestar import delete, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.spec import Example
from litestar.params import JSONBody, QueryParameter
from sqlalchemy.orm import Session

from api.editorial import pending_schemas as schemas
from api.editorial.schemas import ActionIn
from api.http import transaction
from api.http.auth import EDITORS, REVIEWERS
from api.http.parameters import AfterId, Id, IfMatch, Limit
from api.http.query import DEFAULT_LIMIT
from api.http.reply import JsonResponse, etag_of
from api.http.request import ApiRequest, actor_of, expected_rev
from api.http.schemas import list_meta
from catalog.review import pending, queries
from catalog.review.models import ENTITIES, PendingRevision
from catalog.review.states import PENDING_STATES
from catalog.review.subjects import Subject

_State = Annotated[
    str | None,
    QueryParameter(
        name="state",
        enum=PENDING_STATES,
        description="Only this state.",
        examples=[Example(value="in_review")],
    ),
]
_Entity = Annotated[
    str | None,
    QueryParameter(enum=ENTITIES, description="Only this kind.", examples=[Example(value="program")]),
]


# The same for every kind of row: how the routes that make a pending revision live describe themselves.
APPLY_SUMMARIES = {
    "approve": "Publish the pending revision that was submitted",
    "publish": "Publish the pending revision, submitted or not",
}
APPLY_DESCRIPTION = "If-Match names the pending revision that was read; only its only author may leave it out. 409 `pending_conflict` names the fields that have changed in the live version meanwhile."
APPLY_ERRORS = (
    "not_found",
    "illegal_transition",
    "revision_required",
    "pending_conflict",
    "conflict",
    "validation_failed",
)


def answer(found: schemas.PendingOut | None) -> JsonResponse[schemas.PendingAnswer]:
    """Return a pending revision with its ETag."""
    etag = etag_of(found.rev) if found is not None else ""
    return JsonResponse(schemas.PendingAnswer(data=found), etag=etag)


async def change(
    request: ApiRequest, subject: Subject, row_id: int, work: Callable[[Session], PendingRevision | None]
) -> JsonResponse[schemas.PendingAnswer]:
    """Change a pending revision in one transaction and answer with it.

    Args:
        request: Its sender has the role for the change.
        subject: The kind of row.
        row_id: The row.
        work: Changes the pending revision.
    """

    def change_and_read(session: Session) -> schemas.PendingOut | None:
        work(session)
        return schemas.read_pending(session, subject, row_id)

    return answer(await transaction.write(request, change_and_read))


def routes(path: str, subject: Subject) -> list[HTTPRouteHandler]:
    """Return the routes below the address of a row that are the same for every kind of row.

    Args:
        path: The first part of the addresses, such as `/programs`.
        subject: The kind of row.
    """
    entity = subject.entity
    at = f"{path}/{{row_id:int}}/pending"

    @get(
        at,
        name=f"{entity}.pending",
        operation_id=f"get_pending_{entity}",
        summary=f"The pending revision of a {entity}",
        opt={"roles": EDITORS, "errors": ("not_found",)},
    )
    async def get_pending(request: ApiRequest, row_id: Id) -> JsonResponse[schemas.PendingAnswer]:
        def work(session: Session) -> schemas.PendingOut | None:
            found = pending.get(session, subject, row_id)
            return schemas.pending_out(found, subject.read(session, row_id))

        return answer(await transaction.read(request, work))

    @get(
        f"{at}/diff",
        name=f"{entity}.pending.diff",
        operation_id=f"diff_pending_{entity}",
        summary="What the pending revision changes, field by field",
        opt={"roles": EDITORS, "errors": ("not_found",)},
    )
    async def diff_pending(request: ApiRequest, row_id: Id) -> JsonResponse[schemas.PendingDiff]:
        def work(session: Session) -> schemas.PendingDiff:
            found = pending.get(session, subject, row_id)
            live = subject.read(session, row_id)
            data = {name: [live.get(name), value] for name, value in found.changes.items()}
            return schemas.PendingDiff(data=data, meta={"conflicts": found.conflicts(live)})

        return JsonResponse(await transaction.read(request, work))

    @delete(
        at,
        status_code=204,
        name=f"{entity}.pending.discard",
        operation_id=f"discard_pending_{entity}",
        summary="Discard the pending revision",
        opt={"roles": EDITORS, "errors": ("not_found",)},
    )
    async def discard_pending(request: ApiRequest, row_id: Id, if_match: IfMatch = None) -> None:
        actor, expected = actor_of(request), expected_rev(if_match)
        await transaction.write(request, lambda s: pending.discard(s, subject, row_id, actor, expected))

    @post(
        f"{at}/submit",
        status_code=200,
        name=f"{entity}.pending.submit",
        operation_id=f"submit_pending_{entity}",
        summary="Ask for a review of the pending revision",
        opt={"roles": EDITORS, "errors": ("not_found", "illegal_transition")},
    )
    async def submit_pending(
        request: ApiRequest, row_id: Id, if_match: IfMatch = None
    ) -> JsonResponse[schemas.PendingAnswer]:
        actor, expected = actor_of(request), expected_rev(if_match)
        return await change(
            request, subject, row_id, lambda s: pending.submit(s, subject, row_id, actor, expected)
        )

    @post(
        f"{at}/reject",
        status_code=200,
        name=f"{entity}.pending.reject",
        operation_id=f"reject_pending_{entity}",
        summary="Give the pending revision back to its authors",
        opt={"roles": REVIEWERS, "errors": ("not_found", "illegal_transition")},
    )
    async def reject_pending(
        request: ApiRequest, row_id: Id, data: JSONBody[ActionIn | None] = None, if_match: IfMatch = None
    ) -> JsonResponse[schemas.PendingAnswer]:
        actor, expected = actor_of(request), expected_rev(if_match)
        comment = data.comment if data is not None else ""
        return await change(
            request,
            subject,
            row_id,
            lambda s: pending.reject(s, subject, row_id, actor, expected, comment=comment),
        )

    return [get_pending, diff_pending, discard_pending, submit_pending, reject_pending]


@get(
    "/pending",
    operation_id="listPendingRevisions",
    summary="Pending revisions of all kinds",
    description="Those that were changed longest ago come first.",
    opt={"roles": EDITORS},
)
async def list_pending(
    request: ApiRequest,
    entity: _Entity = None,
    only_state: _State = None,
    after: AfterId = 0,
    limit: Limit = DEFAULT_LIMIT,
) -> JsonResponse[schemas.PendingList]:
    """List what waits for a review, or is being written. `after` is the `rev` of the last row of the page before."""
    async with request.shared.db() as session:
        rows = (await session.execute(queries.pending(entity, only_state, after, limit + 1))).all()
    items = [
        schemas.PendingItem(
            entity=found.entity,
            id=found.entity_id,
            title=title or "",
            state=found.state,
            rev=found.rev,
            authors=list(found.authors),
            fields=list(found.changes),
            open_threads=threads,
            updated_at=found.updated_at,
        )
        for found, title, threads in rows
    ]
    meta = list_meta(limit, [item.rev for item in items])
    return JsonResponse(schemas.PendingList(data=items[:limit], meta=meta))


HANDLERS = [list_pending]
