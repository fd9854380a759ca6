"""The only writer of programs: every step checks the state, keeps a revision and an audit event.

    draft -> in_review -> published -> archived
      |         |            |  ^
      +-> scheduled ---------+  +-- unpublish returns to draft

Functions take a synchronous Session (asynchronous callers use `run_sync`), change rows and
flush; committing is the caller's business.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import DateTime, func, select
from sqlalchemy.orm import Session

from catalog import audit, changes
from catalog.actor import Actor
from catalog.categories.models import Category
from catalog.db import flush
from catalog.errors import (
    FieldError,
    IllegalTransition,
    NotFound,
    StaleRevision,
    ValidationFailed,
)
from catalog.programs import slugs, snapshot
from catalog.programs.data import COLUMNS, camel, validate
from catalog.programs.models import Program, ProgramRedirect, ProgramRevision
from catalog.series.models import Series
from catalog.vocabulary import lifecycle as vocabulary

_UNIQUE = {"slug": "slug", "external_id": "externalId"}
# action -> the states it may start from
ALLOWED = {
    "submit": {"draft"},
    "approve": {"in_review"},
    "reject": {"in_review"},
    "schedule": {"draft", "in_review", "scheduled"},
    "unschedule": {"scheduled"},
    "publish": {"draft", "in_review", "scheduled"},
    "unpublish": {"published"},
    "archive": {"draft", "in_review", "scheduled", "published"},
    "restore": {"archived"},
}


def database_now(session: Session) -> datetime:
    """The clock every rule about time uses: a wrong application clock publishes nothing early."""
    clock = func.clock_timestamp(type_=DateTime(timezone=True))
    return session.scalars(select(clock)).one()


def get(session: Session, program_id: int, *, expected_rev: int | None = None) -> Program:
    """The program, locked for this transaction.

    Raises NotFound, or StaleRevision when `expected_rev` is not the one held.
    """
    program = session.get(Program, program_id, with_for_update=True, populate_existing=True)
    if program is None or program.deleted_at is not None:
        raise NotFound("program", program_id)
    if expected_rev is not None and program.rev != expected_rev:
        raise StaleRevision(expected_rev, program.rev)
    return program


def create(
    session: Session,
    values: Mapping[str, Any],
    actor: Actor,
    *,
    source: tuple[str, str] | None = None,
    content_hash: str | None = None,
) -> Program:
    """A new draft. `values`: columns by name, `tags`: names, `people`: (role, name) pairs.

    `source` is (source_type, external_id) of an imported program, `content_hash` of what its source
    said. Raises ValidationFailed, Conflict.
    """
    validate(values, creating=True)
    _check_references(session, values)
    program = Program(
        **{name: values[name] for name in COLUMNS if name in values},
        slug=slugs.free(
            session, values.get("slug") or values["title"], exact=bool(values.get("slug"))
        ),
        status="draft",
        rev=1,
    )
    if source is not None:
        program.source_type, program.external_id = source
        program.content_hash = content_hash
    session.add(program)
    flush(session, "Another program has this value.", _UNIQUE)
    slugs.remember(session, program)
    if values.get("tags"):
        vocabulary.set_tags(session, program.id, values["tags"])
    if values.get("people"):
        vocabulary.set_people(session, program.id, values["people"])
    return _written(session, program, "create", actor, {"title": [None, program.title]})


def edit(
    session: Session,
    program_id: int,
    values: Mapping[str, Any],
    actor: Actor,
    *,
    expected_rev: int | None = None,
    action: str = "edit",
    content_hash: str | None = None,
) -> Program:
    """Change fields of a program in any state; what did not change is no revision.

    An import also gives the `content_hash` of what its source says now. Raises NotFound, StaleRevision, ValidationFailed, Conflict.
    """
    program = get(session, program_id, expected_rev=expected_rev)
    validate(values, creating=False)
    _check_references(session, values)
    before = snapshot.of(session, program)
    for name in COLUMNS:
        if name in values:
            setattr(program, name, values[name])
    if content_hash is not None:
        program.content_hash = content_hash
    if "slug" in values and values["slug"] != program.slug:
        program.slug = slugs.free(session, values["slug"], program_id=program.id, exact=True)
    if "tags" in values:
        vocabulary.set_tags(session, program.id, values["tags"])
    if "people" in values:
        vocabulary.set_people(session, program.id, values["people"])
    flush(session, "Another program has this value.", _UNIQUE)
    diff = snapshot.difference(before, snapshot.of(session, program))
    if not diff:
        return program
    slugs.remember(session, program)
    program.rev = before["rev"] + 1
    return _written(session, program, action, actor, diff)


def _step(
    session: Session,
    program_id: int,
    action: str,
    actor: Actor,
    expected_rev: int | None,
    **values: Any,
) -> Program:
    program = get(session, program_id, expected_rev=expected_rev)
    if program.status not in ALLOWED[action]:
        raise IllegalTransition(action, program.status)
    diff = {
        camel(name): [snapshot.plain(getattr(program, name)), snapshot.plain(value)]
        for name, value in values.items()
        if getattr(program, name) != value
    }
    for name, value in values.items():
        setattr(program, name, value)
    program.rev += 1
    return _written(session, program, action, actor, diff)


def submit(
    session: Session, program_id: int, actor: Actor, expected_rev: int | None = None
) -> Program:
    """draft -> in_review."""
    return _step(session, program_id, "submit", actor, expected_rev, status="in_review")


def approve(
    session: Session, program_id: int, actor: Actor, expected_rev: int | None = None
) -> Program:
    """in_review -> scheduled when a time is set, else published."""
    program = get(session, program_id, expected_rev=expected_rev)
    if program.status not in ALLOWED["approve"]:
        raise IllegalTransition("approve", program.status)
    if program.scheduled_publish_at and program.scheduled_publish_at > database_now(session):
        return _step(session, program_id, "approve", actor, expected_rev, status="scheduled")
    return publish(session, program_id, actor, expected_rev, action="approve")


def reject(
    session: Session, program_id: int, actor: Actor, expected_rev: int | None = None
) -> Program:
    """in_review -> draft."""
    return _step(session, program_id, "reject", actor, expected_rev, status="draft")


def schedule(
    session: Session,
    program_id: int,
    at: datetime,
    actor: Actor,
    expected_rev: int | None = None,
) -> Program:
    """To be published at `at` (in the future by the database clock)."""
    if at <= database_now(session):
        raise ValidationFailed(
            [FieldError("scheduledPublishAt", "in_the_past", "Must be in the future.")]
        )
    return _step(
        session, program_id, "schedule", actor, expected_rev,
        status="scheduled", scheduled_publish_at=at,
    )  # fmt: skip


def unschedule(
    session: Session, program_id: int, actor: Actor, expected_rev: int | None = None
) -> Program:
    """scheduled -> draft, without a time."""
    return _step(
        session, program_id, "unschedule", actor, expected_rev,
        status="draft", scheduled_publish_at=None,
    )  # fmt: skip


def publish(
    session: Session,
    program_id: int,
    actor: Actor,
    expected_rev: int | None = None,
    *,
    action: str = "publish",
) -> Program:
    """Make it visible now. `publishedAt` is the first time it was. Raises also ValidationFailed
    when it has already expired."""
    program = get(session, program_id, expected_rev=expected_rev)
    if action == "publish" and program.status not in ALLOWED["publish"]:
        raise IllegalTransition("publish", program.status)
    now = database_now(session)
    if program.expire_at is not None and program.expire_at <= now:
        raise ValidationFailed([FieldError("expireAt", "in_the_past", "It has already expired.")])
    diff = {"status": [program.status, "published"]}
    program.status, program.scheduled_publish_at = "published", None
    program.published_at = program.published_at or now
    program.rev += 1
    return _written(session, program, action, actor, diff)


def unpublish(
    session: Session, program_id: int, actor: Actor, expected_rev: int | None = None
) -> Program:
    """published -> draft; listeners no longer find it."""
    return _step(session, program_id, "unpublish", actor, expected_rev, status="draft")


def archive(
    session: Session, program_id: int, actor: Actor, expected_rev: int | None = None
) -> Program:
    """Out of sight, kept for good."""
    return _step(
        session, program_id, "archive", actor, expected_rev,
        status="archived", scheduled_publish_at=None,
    )  # fmt: skip


def restore(
    session: Session, program_id: int, actor: Actor, expected_rev: int | None = None
) -> Program:
    """archived -> draft."""
    return _step(session, program_id, "restore", actor, expected_rev, status="draft")


def delete(
    session: Session, program_id: int, actor: Actor, expected_rev: int | None = None
) -> Program:
    """Take it away from listeners and editors; `undelete` brings it back as a draft."""
    program = get(session, program_id, expected_rev=expected_rev)
    diff = {"status": [program.status, "deleted"]}
    program.deleted_at = database_now(session)
    program.rev += 1
    return _written(session, program, "delete", actor, diff)


def undelete(session: Session, program_id: int, actor: Actor) -> Program:
    """A deleted program comes back as a draft; one that was merged has its id and address again."""
    program = session.get(Program, program_id, with_for_update=True, populate_existing=True)
    if program is None:
        raise NotFound("program", program_id)
    if program.deleted_at is None:
        raise IllegalTransition("undelete", program.status)
    program.deleted_at, program.status, program.scheduled_publish_at = None, "draft", None
    merged = session.get(ProgramRedirect, program_id)
    if merged is not None:
        session.delete(merged)
        slugs.take_back(session, program)
    program.rev += 1
    return _written(session, program, "undelete", actor, {"status": ["deleted", "draft"]})


def restore_revision(
    session: Session, program_id: int, rev: int, actor: Actor, expected_rev: int | None = None
) -> Program:
    """Give the fields back the values they had at `rev`; the state stays as it is now."""
    revision = session.get(ProgramRevision, (program_id, rev))
    if revision is None:
        raise NotFound("revision", rev)
    values = snapshot.to_values(revision.snapshot)
    return edit(
        session, program_id, values, actor, expected_rev=expected_rev, action="restore_revision"
    )


def publish_due(session: Session, actor: Actor, limit: int = 500) -> list[int]:
    """Publish what is scheduled and due by the database clock; returns the ids.

    Rows another process works on are left to it. One that has expired meanwhile is archived.
    """
    due = session.scalars(
        select(Program.id)
        .where(
            Program.status == "scheduled",
            Program.deleted_at.is_(None),
            Program.scheduled_publish_at <= func.clock_timestamp(),
        )
        .order_by(Program.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    published = []
    for program_id in due:
        try:
            publish(session, program_id, actor)
        except ValidationFailed:
            archive(session, program_id, actor)
        else:
            published.append(program_id)
    return published


def expire_due(session: Session, actor: Actor, limit: int = 500) -> list[int]:
    """Archive what is published and has expired by the database clock; returns the ids."""
    due = session.scalars(
        select(Program.id)
        .where(
            Program.status == "published",
            Program.deleted_at.is_(None),
            Program.expire_at.is_not(None),
            Program.expire_at <= func.clock_timestamp(),
        )
        .order_by(Program.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    for program_id in due:
        archive(session, program_id, actor)
    return list(due)


def is_visible(program: Program, now: datetime) -> bool:
    """May a listener see it at `now`?"""
    return (
        program.status == "published"
        and program.deleted_at is None
        and (program.expire_at is None or program.expire_at > now)
    )


def _check_references(session: Session, values: Mapping[str, Any]) -> None:
    errors = []
    for name, model in (("category_id", Category), ("series_id", Series)):
        value = values.get(name)
        # Locked, so that it cannot be deleted before this transaction commits.
        if (
            value is not None
            and session.get(model, value, with_for_update={"key_share": True}) is None
        ):
            errors.append(FieldError(camel(name), "not_found", f"No such {name[:-3]}."))
    if errors:
        raise ValidationFailed(errors)


def _written(
    session: Session, program: Program, action: str, actor: Actor, diff: dict[str, Any]
) -> Program:
    flush(session, "Another program has this value.", _UNIQUE)
    session.refresh(program)
    session.add(
        ProgramRevision(
            program_id=program.id,
            rev=program.rev,
            action=action,
            actor=str(actor),
            snapshot=snapshot.of(session, program),
        )
    )
    audit.record(session, actor, f"program.{action}", "program", program.id, diff)
    session.flush()
    now = session.scalars(select(func.now())).one()
    changes.note(
        session, [changes.ProgramChange(program.id, program.rev, is_visible(program, now))]
    )
    return program
