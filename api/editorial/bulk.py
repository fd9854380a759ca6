"""Editors' route that does the same (publish, archive, schedule, tag, …) to many programs in one request."""

from collections.abc import Callable, Sequence

from litestar import post
from litestar.params import JSONBody
from msgspec import UNSET
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from api.editorial import schemas
from api.editorial.review.times import require_offset
from api.editorial.rights import rights_of
from api.http import idempotent
from api.http.auth import EDITORS, REVIEWERS
from api.http.errors import Problem
from api.http.parameters import OnceKey
from api.http.reply import JsonResponse
from api.http.request import ApiRequest, actor_of
from catalog.core import changes
from catalog.core.actor import Actor
from catalog.core.audit import AuditEvent
from catalog.core.errors import CatalogError, FieldError
from catalog.programs import lifecycle, pending, snapshot
from catalog.programs.models import Program
from catalog.programs.sittings.folding import joined
from catalog.review import pending as review
from catalog.review.rights import Rights
from catalog.review.states import LIVE
from catalog.taxonomy.names import check_names, key

MAX_TAGS = 50
# What is decided for listeners; editors ask for it by `submit`.
_OF_REVIEWERS = frozenset(schemas.BULK_STEPS) - {"submit"}
# Changes one program, which is locked and has the revision that was named.
_Step = Callable[[Session, int, int | None], object]


def _transition(data: schemas.BulkIn, actor: Actor) -> _Step:
    at = data.scheduled_publish_at if data.scheduled_publish_at is not UNSET else None
    return lambda session, program_id, rev: lifecycle.transition(
        session, program_id, data.action, actor, rev, at=at, comment=data.comment
    )


def _edit(data: schemas.BulkIn, actor: Actor, rights: Rights) -> _Step:
    def edit(session: Session, program_id: int, rev: int | None) -> None:
        program = lifecycle.get(session, program_id, expected_rev=rev)
        if data.action == "categorise":
            values: dict[str, object] = {"category_id": data.category_id}
        else:
            named, there = {key(tag) for tag in data.tags}, _tags(session, program, rights)
            kept = [tag for tag in there if data.action == "tag" or key(tag) not in named]
            values = {"tags": [*kept, *data.tags] if data.action == "tag" else kept}
        pending.change(session, program_id, values, actor, rights, restates=False)

    return edit


def _tags(session: Session, program: Program, rights: Rights) -> list[str]:
    """Return the tags that a change of them begins with: those that wait, if the change will wait beside them."""
    found = review.find(session, pending.PROGRAMS.entity, program.id)
    waits = program.status in LIVE and not (rights.may_publish or "tags" in rights.direct)
    if waits and found is not None and isinstance(tags := found.changes.get("tags"), list):
        return tags
    return snapshot.of(session, program)["tags"]


def _outcome(session: Session, step: _Step, program_id: int, rev: int | None) -> schemas.BulkItem:
    """Take the step with one program. When the catalogue refuses it, the program stays as it is.

    Args:
        session: The transaction.
        step: The step.
        program_id: The program.
        rev: The revision that the sender has read; None without one.
    """
    entity, noted = pending.PROGRAMS.entity, changes.checkpoint(session)
    before = review.find(session, entity, program_id)
    pending_rev = before.rev if before is not None else None
    try:
        with session.begin_nested():
            step(session, program_id, rev)
            program = session.get_one(Program, program_id)
            after = review.find(session, entity, program_id)
    except CatalogError as error:
        changes.restore(session, noted)
        return schemas.BulkItem(id=program_id, ok=False, code=error.code, detail=error.detail)
    return schemas.BulkItem(
        id=program_id,
        ok=True,
        rev=program.rev,
        status=program.status,
        waits=after is not None and after.rev != pending_rev,
        ends=after is None and pending_rev is not None,
    )


def _newest_event(session: Session, program_ids: Sequence[int]) -> int:
    """Return the last audit event of programs that are locked: what comes after it is of this transaction."""
    return session.scalar(select(func.max(AuditEvent.id)).where(*_of_programs(program_ids))) or 0


def _of_programs(program_ids: Sequence[int]) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return AuditEvent.entity == "program", AuditEvent.entity_id == func.any(list(program_ids))


def _say_changes(session: Session, items: Sequence[schemas.BulkItem], last_event: int) -> None:
    """Add to the outcomes what changed, as the audit log has it: of the program, and of what waits beside it."""
    mine = (*_of_programs([item.id for item in items if item.ok]), AuditEvent.id > last_event)
    found: dict[int | None, dict[str, object]] = {}
    for event in session.scalars(select(AuditEvent).where(*mine).order_by(AuditEvent.id)):
        found[event.entity_id] = joined(found.get(event.entity_id, {}), event.diff)
    for item in items:
        said = found.get(item.id, {})
        item.changes = {
            name: pair for name, pair in said.items() if name != "comment" and isinstance(pair, list)
        }


def _check(data: schemas.BulkIn, rights: Rights) -> None:
    """Check what does not depend on the programs.

    Raises:
        Problem: The body does not have what its action needs, or the sender may not take it.
    """
    if data.action in _OF_REVIEWERS and not rights.may_publish:
        raise Problem("forbidden", f"Needs one of: {', '.join(REVIEWERS)}.")
    errors = []
    if data.action not in (*schemas.BULK_STEPS, *schemas.BULK_EDITS):
        known = ", ".join((*schemas.BULK_STEPS, *schemas.BULK_EDITS))
        errors.append(FieldError("action", "invalid", f"One of {known}."))
    elif data.action in ("tag", "untag"):
        errors += check_names("tags", data.tags, MAX_TAGS)
        if not data.tags:
            errors.append(FieldError("tags", "required", "Must be given."))
    elif data.action == "categorise" and data.category_id is UNSET:
        errors.append(FieldError("categoryId", "required", "Must be given; null for none."))
    elif data.action == "schedule" and data.scheduled_publish_at is UNSET:
        errors.append(FieldError("scheduledPublishAt", "required", "Must be given."))
    if data.revs and len(data.revs) != len(data.ids):
        errors.append(FieldError("revs", "invalid", "Must have one revision for each id, or be left out."))
    if errors:
        raise Problem("validation_failed", errors=errors)
    if data.scheduled_publish_at is not UNSET:
        require_offset(data.scheduled_publish_at)


@post(
    "/programs/bulk",
    operation_id="changePrograms",
    status_code=200,
    summary="One step for many programs",
    description="Every program has its own outcome; a failure does not stop the others, and leaves its program as it was. Editors "
    "may submit, tag, untag and categorise, where a change of what listeners see waits as in PATCH; the other steps "
    "are of reviewers. At most 500 programs. Idempotent with an Idempotency-Key header.",
    opt={"roles": EDITORS},
)
async def bulk(
    request: ApiRequest, data: JSONBody[schemas.BulkIn], idempotency_key: OnceKey = None
) -> JsonResponse[schemas.BulkAnswer]:
    """Take one step with many programs."""
    rights, actor = rights_of(request), actor_of(request)
    _check(data, rights)
    step = _edit(data, actor, rights) if data.action in schemas.BULK_EDITS else _transition(data, actor)
    revs = dict(zip(data.ids, data.revs, strict=True)) if data.revs else {}

    def work(session: Session) -> idempotent.Created[schemas.BulkAnswer]:
        # In ascending order: two requests cannot deadlock.
        lifecycle.lock_all(session, data.ids)
        last_event = _newest_event(session, data.ids)
        items = {
            number: _outcome(session, step, number, revs.get(number)) for number in sorted(set(data.ids))
        }
        in_order_sent = [items[number] for number in dict.fromkeys(data.ids)]
        _say_changes(session, in_order_sent, last_event)
        failed = sum(not item.ok for item in in_order_sent)
        meta = schemas.BulkMeta(succeeded=len(in_order_sent) - failed, failed=failed)
        return idempotent.Created(schemas.BulkAnswer(data=in_order_sent, meta=meta))

    return await idempotent.create(request, idempotency_key, work)


HANDLERS = [bulk]
