"""JSON bodies and answers of editors' routes for imports."""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, UnsetType

from api.http.schemas import Body, BodyId, ListMeta, Model, Moment, one_of
from catalog.imports.items import count_done
from catalog.imports.models import OUTCOMES, STATUSES, ImportItem, ImportRun, ImportSource
from catalog.imports.options import MAX_POSITIONS, Options

SourceType = Literal["feed", "youtube", "csv", "json", "jsonl", "opml"]


class ImportIn(Body):
    """The address to import from, with options."""

    source_type: Annotated[SourceType, msgspec.Meta(examples=["feed"])]
    url: Annotated[str, msgspec.Meta(examples=["https://feeds.example.com/fnjan.xml"])]
    options: Options = msgspec.field(default_factory=Options)


class ApplyIn(Body):
    """Which items of a dry run are written: those at `positions`, or all of them without it."""

    positions: (
        Annotated[list[BodyId], msgspec.Meta(min_length=1, max_length=MAX_POSITIONS, examples=[[1, 3]])]
        | None
    ) = None


class ImportSourceIn(Body):
    """A feed, channel or playlist to remember and refresh."""

    url: Annotated[str, msgspec.Meta(examples=["https://feeds.example.com/fnjan.xml"])]
    source_type: Literal["feed", "youtube"] = "feed"
    title: Annotated[str, msgspec.Meta(max_length=300)] = ""
    options: Options = msgspec.field(default_factory=Options)


class ImportSourcePatch(Body):
    """The fields to change; a field that is absent stays as it is."""

    url: str | UnsetType = UNSET
    title: Annotated[str, msgspec.Meta(max_length=300)] | UnsetType = UNSET
    state: Literal["active", "paused"] | UnsetType = UNSET
    options: Options | UnsetType = UNSET


class ImportCounts(Model):
    """Items by outcome."""

    created: int
    updated: int
    unchanged: int
    conflict: int
    skipped: int
    failed: int


class ImportRunOut(Model):
    """A run. `progress` is from 0 to 1, null while the number of items is not known.

    `appliedFrom`: the dry run that it carries out. `notYetSearchable`: the number of its programs that no engine has confirmed yet.
    """

    id: int
    source_type: str
    url: str | None
    file_name: str | None
    source_id: int | None
    parent_id: int | None
    retry_of: int | None
    applied_from: int | None
    dry_run: bool
    trigger: Annotated[str, msgspec.Meta(examples=["editor"])]
    status: Annotated[str, one_of("ImportStatus", STATUSES)]
    code: str | None
    detail: str | None
    attempt: int
    progress: Annotated[float | None, msgspec.Meta(examples=[0.5])]
    done: int
    total: int | None
    counts: ImportCounts
    cancel_requested: bool
    created_by: str
    created_at: Moment
    started_at: Moment | None
    finished_at: Moment | None
    next_attempt_at: Moment | None
    not_yet_searchable: int | None = None


class ImportRunAnswer(Model):
    """A run under `data`."""

    data: ImportRunOut


class ImportRunList(Model):
    """Runs, newest first."""

    data: list[ImportRunOut]
    meta: ListMeta


class ItemProblem(Model):
    """One wrong field of an item."""

    field: str
    code: str
    message: str


class ImportItemOut(Model):
    """The outcome of an item.

    `diff`: field to [before, after]. `conflicts`: field to [the editor's value, which stayed, the source's value].
    """

    position: int
    external_id: str | None
    title: str
    outcome: Annotated[str, one_of("ImportOutcome", OUTCOMES)]
    code: str | None
    detail: str | None
    program_id: int | None
    errors: list[ItemProblem]
    diff: dict[str, object]
    conflicts: dict[str, object]


class ImportItemList(Model):
    """Items of a run in their order."""

    data: list[ImportItemOut]
    meta: ListMeta


class ImportSourceOut(Model):
    """A remembered source. `reason` says why it is paused, or why its last run failed."""

    id: int
    source_type: str
    url: str
    title: str
    about: dict[str, object]
    options: dict[str, object]
    state: Annotated[str, msgspec.Meta(examples=["active"])]
    reason: str | None
    interval_sec: Annotated[int, msgspec.Meta(examples=[3600])]
    next_at: Moment
    failures: int
    last_run_at: Moment | None
    last_success_at: Moment | None
    last_change_at: Moment | None
    created_at: Moment


class ImportSourceAnswer(Model):
    """A source under `data`."""

    data: ImportSourceOut


class ImportSourceList(Model):
    """A page of sources."""

    data: list[ImportSourceOut]
    meta: ListMeta


def run_out(run: ImportRun, waiting: int | None = None) -> ImportRunOut:
    """Return a run as JSON shows it; `waiting` is the number of its programs that are not yet searchable."""
    done = count_done(run)
    progress = None
    if run.total is not None:
        progress = min(1.0, done / run.total) if run.total else 1.0
    return ImportRunOut(
        id=run.id,
        source_type=run.kind,
        url=run.url,
        file_name=run.file_name,
        source_id=run.source_id,
        parent_id=run.parent_id,
        retry_of=run.retry_of,
        applied_from=run.applied_from,
        dry_run=run.dry_run,
        trigger=run.trigger,
        status=run.status,
        code=run.code,
        detail=run.detail,
        attempt=run.attempt,
        progress=progress,
        done=done,
        total=run.total,
        counts=ImportCounts(
            created=run.created,
            updated=run.updated,
            unchanged=run.unchanged,
            conflict=run.conflicts,
            skipped=run.skipped,
            failed=run.failed,
        ),
        cancel_requested=run.cancel_requested,
        created_by=run.actor_name,
        created_at=run.created_at,
        started_at=run.started_at,
        finished_at=run.finished_at,
        next_attempt_at=run.next_at if run.status == "queued" else None,
        not_yet_searchable=waiting,
    )


def item_out(item: ImportItem) -> ImportItemOut:
    """Return an item as JSON shows it."""
    return ImportItemOut(
        position=item.position,
        external_id=item.external_id,
        title=item.title,
        outcome=item.outcome,
        code=item.code,
        detail=item.detail,
        program_id=item.program_id,
        diff=item.diff or {},
        conflicts=item.conflicts or {},
        errors=[ItemProblem(**error) for error in item.errors or ()],
    )


def source_out(row: ImportSource) -> ImportSourceOut:
    """Return a source as JSON shows it."""
    return ImportSourceOut(
        id=row.id,
        source_type=row.kind,
        url=row.url,
        title=row.title,
        about=row.about or {},
        options=row.options or {},
        state=row.state,
        reason=row.reason,
        interval_sec=int(row.interval_sec),
        next_at=row.next_at,
        failures=row.failures,
        last_run_at=row.last_run_at,
        last_success_at=row.last_success_at,
        last_change_at=row.last_change_at,
        created_at=row.created_at,
    )
