"""JSON bodies and answers of editors' routes for programs, revisions and audit events."""

from typing import Annotated

import msgspec
from msgspec import UNSET, UnsetType
from sqlalchemy import RowMapping

from api.editorial.pending_schemas import PendingOut
from api.http.schemas import (
    Body,
    BodyId,
    Kind,
    ListMeta,
    MediaType,
    Model,
    Moment,
    ProgramDetail,
    ProgramStatus,
    category_ref,
    one_of,
    program_detail,
    sent_fields,
)
from catalog.core.audit import AuditEvent
from catalog.programs.models import ProgramRevision
from catalog.review.states import PROGRAM


class PersonIn(Body):
    """A person on a program, with a role."""

    name: str
    role: Annotated[str, msgspec.Meta(examples=["host"])] = "guest"


class ProgramIn(Body):
    """A new program; it starts as a draft."""

    title: Annotated[str, msgspec.Meta(examples=["المرأة التي سامحت"])]
    language: Annotated[str, msgspec.Meta(examples=["ar"])]
    media_type: MediaType
    kind: Kind
    slug: str | None = None
    description: str = ""
    duration_sec: int | None = None
    release_date: Moment | None = None
    media_url: str | None = None
    thumbnail_url: str | None = None
    category_id: int | None = None
    series_id: int | None = None
    season: int | None = None
    episode: int | None = None
    is_featured: bool = False
    is_explicit: bool = False
    expire_at: Moment | None = None
    tags: list[str] = []
    people: list[PersonIn] = []


class ProgramPatch(Body):
    """The fields to change; a field that is absent stays as it is."""

    title: str | UnsetType = UNSET
    language: str | UnsetType = UNSET
    media_type: MediaType | UnsetType = UNSET
    kind: Kind | UnsetType = UNSET
    slug: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    duration_sec: int | UnsetType | None = UNSET
    release_date: Moment | UnsetType | None = UNSET
    media_url: str | UnsetType | None = UNSET
    thumbnail_url: str | UnsetType | None = UNSET
    category_id: int | UnsetType | None = UNSET
    series_id: int | UnsetType | None = UNSET
    season: int | UnsetType | None = UNSET
    episode: int | UnsetType | None = UNSET
    is_featured: bool | UnsetType = UNSET
    is_explicit: bool | UnsetType = UNSET
    expire_at: Moment | UnsetType | None = UNSET
    locked_fields: list[str] | UnsetType = UNSET
    tags: list[str] | UnsetType = UNSET
    people: list[PersonIn] | UnsetType = UNSET


class ActionIn(Body):
    """What the sender has to say about the step. It is kept in the history, and shown to the author."""

    comment: Annotated[str, msgspec.Meta(max_length=2000, examples=["The second host is missing."])] = ""


class ScheduleIn(Body):
    """When to publish."""

    scheduled_publish_at: Moment


# What the same request does to many programs: every step from a state to another that people take, and three edits.
BULK_STEPS = tuple(action for action in PROGRAM if action != "withdraw")
BULK_EDITS = ("tag", "untag", "categorise")


class BulkIn(Body):
    """The same step for many programs.

    `revs` has the revision of each of `ids` that was read, in their order. It is needed to publish what somebody else
    wrote. `tags` are added by `tag` and taken away by `untag`; `categorise` sets `categoryId`, null for none; `schedule` needs
    `scheduledPublishAt`.
    """

    action: Annotated[str, one_of("BulkAction", (*BULK_STEPS, *BULK_EDITS))]
    ids: Annotated[list[BodyId], msgspec.Meta(min_length=1, max_length=500)]
    revs: Annotated[list[BodyId], msgspec.Meta(max_length=500)] = []
    tags: list[str] = []
    category_id: BodyId | UnsetType | None = UNSET
    scheduled_publish_at: Moment | UnsetType = UNSET
    comment: Annotated[str, msgspec.Meta(max_length=2000)] = ""


class BulkItem(Model):
    """The outcome for one program.

    `changes`: field to [before, after], by which the step can be taken back. `waits`: the change waits for a reviewer, and
    `changes` are those of the pending revision. `ends`: the pending revision ended by it, and no step brings it back as it was.
    """

    id: int
    ok: bool
    waits: bool = False
    ends: bool = False
    changes: Annotated[
        dict[str, list[object]], msgspec.Meta(examples=[{"status": ["draft", "published"]}])
    ] = {}
    rev: int | None = None
    status: ProgramStatus | None = None
    code: str | None = None
    detail: str | None = None


class BulkMeta(Model):
    """The numbers of outcomes."""

    succeeded: int
    failed: int


class BulkAnswer(Model):
    """The outcomes, in the order of the ids."""

    data: list[BulkItem]
    meta: BulkMeta


class EditorProgram(ProgramDetail, kw_only=True):
    """A program as editors see it."""

    status: ProgramStatus
    scheduled_publish_at: Moment | None
    expire_at: Moment | None
    locked_fields: list[str]
    source_type: str | None
    external_id: str | None
    created_at: Moment
    updated_at: Moment


class EditorAnswer(Model):
    """A program under `data`, as it is now. `pending`: its changes that wait for a reviewer, if there are any."""

    data: EditorProgram
    pending: PendingOut | None = None


class RevisionItem(Model):
    """One revision."""

    rev: int
    action: str
    actor: str
    at: Moment
    snapshot: dict[str, object]


class RevisionList(Model):
    """Revisions, newest first."""

    data: list[RevisionItem]
    meta: ListMeta


class DiffAnswer(Model):
    """What changed between two revisions: field to [before, after]."""

    data: dict[str, list[object]]
    meta: dict[str, int]


class AuditItem(Model):
    """An audit event: who did what to which row. `importId`: the run that did it, null for people."""

    id: int
    at: Moment
    actor: str
    actor_id: int | None
    import_id: int | None
    action: str
    entity: str
    entity_id: int | None
    diff: dict[str, object]
    request_id: str


class AuditList(Model):
    """Events, newest first."""

    data: list[AuditItem]
    meta: ListMeta


def editor_program(row: RowMapping) -> EditorProgram:
    """Return a program as editors see it, from a row of `queries.detail()`."""
    shared = program_detail(row)
    shared.category = category_ref(row, inactive=True)
    return EditorProgram(
        **{name: getattr(shared, name) for name in ProgramDetail.__struct_fields__},
        status=row["status"],
        scheduled_publish_at=row["scheduled_publish_at"],
        expire_at=row["expire_at"],
        locked_fields=list(row["locked_fields"]),
        source_type=row["source_type"],
        external_id=row["external_id"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


def revision_item(row: ProgramRevision) -> RevisionItem:
    """Return a revision as JSON shows it."""
    return RevisionItem(
        rev=row.rev, action=row.action, actor=row.actor, at=row.at, snapshot=dict(row.snapshot)
    )


def audit_item(event: AuditEvent) -> AuditItem:
    """Return an audit event as JSON shows it."""
    return AuditItem(
        id=event.id,
        at=event.at,
        actor=event.actor_name,
        actor_id=event.actor_id,
        import_id=event.actor_id if event.actor_kind == "import" else None,
        action=event.action,
        entity=event.entity,
        entity_id=event.entity_id,
        diff=event.diff,
        request_id=event.request_id,
    )


def values(body: ProgramIn | ProgramPatch) -> dict[str, object]:
    """Return the values that a body sets, by column name; `people` as (role, name) pairs."""
    found = sent_fields(body)
    if found.get("slug", "") is None:
        del found["slug"]
    if not isinstance(body.people, UnsetType):
        found["people"] = [(person.role, person.name) for person in body.people]
    return found
