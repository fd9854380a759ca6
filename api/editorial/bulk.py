"""Editors' route that applies the same step (publish, unpublish, tag) to many programs in one request."""

from litestar import post
from litestar.params import JSONBody
from sqlalchemy.orm import Session

from api.editorial import schemas
from api.http import transaction
from api.http.auth import REVIEWERS
from api.http.errors import Problem
from api.http.reply import JsonResponse
from api.http.request import ApiRequest, actor_of
from catalog.core import changes
from catalog.core.actor import Actor
from catalog.core.errors import CatalogError, FieldError
from catalog.programs import editing, lifecycle, snapshot
from catalog.taxonomy.names import check_names

MAX_TAGS = 50


def _take_step(
    session: Session, data: schemas.BulkIn, program_id: int, rev: int | None, actor: Actor
) -> schemas.BulkItem:
    """Apply the step to one program. When the catalogue refuses it, the program stays as it is.

    Args:
        session: The transaction.
        data: The step.
        program_id: The program.
        rev: The revision that the sender has read; None without one.
        actor: Who takes the step.
    """
    try:
        with session.begin_nested():
            if data.action in ("publish", "unpublish"):
                program = lifecycle.transition(session, program_id, data.action, actor, rev)
            else:
                found = lifecycle.get(session, program_id, expected_rev=rev)
                tags = snapshot.of(session, found)["tags"]
                program = editing.edit(session, program_id, {"tags": [*tags, *data.tags]}, actor)
    except CatalogError as error:
        return schemas.BulkItem(id=program_id, ok=False, code=error.code, detail=error.detail)
    return schemas.BulkItem(id=program_id, ok=True, rev=program.rev, status=program.status)


def _check(data: schemas.BulkIn) -> None:
    errors = []
    if data.action not in ("publish", "unpublish", "tag"):
        errors = [FieldError("action", "invalid", "publish, unpublish or tag.")]
    elif data.action == "tag":
        errors = check_names("tags", data.tags, MAX_TAGS)
        if not data.tags:
            errors.append(FieldError("tags", "required", "Must be given."))
    if data.revs and len(data.revs) != len(data.ids):
        errors.append(FieldError("revs", "invalid", "Must have one revision for each id, or be left out."))
    if errors:
        raise Problem("validation_failed", errors=errors)


@post(
    "/programs/bulk",
    operation_id="changePrograms",
    status_code=200,
    summary="One step for many programs",
    description="Every program has its own outcome; a failure does not stop the others.",
    opt={"roles": REVIEWERS},
)
async def bulk(request: ApiRequest, data: JSONBody[schemas.BulkIn]) -> JsonResponse[schemas.BulkAnswer]:
    """Publish, unpublish or tag programs."""
    _check(data)
    actor = actor_of(request)
    revs = dict(zip(data.ids, data.revs, strict=True)) if data.revs else {}
    # All requests lock programs in ascending order, so that two of them cannot deadlock.
    program_ids = sorted(set(data.ids))

    def work(session: Session) -> dict[int, schemas.BulkItem]:
        items = {}
        for program_id in program_ids:
            checkpoint = changes.checkpoint(session)
            items[program_id] = _take_step(session, data, program_id, revs.get(program_id), actor)
            if not items[program_id].ok:
                changes.restore(session, checkpoint)
        return items

    items = await transaction.write(request, work)
    in_order_sent = [items[i] for i in dict.fromkeys(data.ids)]
    failed = sum(not item.ok for item in in_order_sent)
    meta = schemas.BulkMeta(succeeded=len(in_order_sent) - failed, failed=failed)
    return JsonResponse(schemas.BulkAnswer(data=in_order_sent, meta=meta))


HANDLERS = [bulk]
