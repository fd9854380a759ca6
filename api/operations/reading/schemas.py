"""What operators read: bodies of the answers."""

from typing import Annotated

import msgspec

from api.http.schemas import ListMeta, Model, Moment, ProgramStatus, one_of
from catalog.imports.models import SOURCE_STATES, STATUSES, ImportRun, ImportSource


class LoggedOut(Model):
    """An event of the audit log: who did what to which row, with the values before and after."""

    id: int
    at: Moment
    actor_kind: Annotated[str, msgspec.Meta(examples=["account"])]
    actor_id: int | None
    actor: str
    action: str
    entity: str
    entity_id: int | None
    diff: dict[str, object]
    request_id: str


class LogAnswer(Model):
    """Events, the newest first."""

    data: list[LoggedOut]
    meta: ListMeta


class PeriodicOut(Model):
    """A job that the scheduler enqueues: `cron` in UTC, and when it is due next. `lateSec`: since when it is overdue, or 0."""

    id: str
    function: str
    cron: str
    next_at: Moment
    late_sec: float


class ScheduleAnswer(Model):
    """Periodic jobs, by the time of their next run."""

    data: list[PeriodicOut]


class AnswersOut(Model):
    """Answers of a kind since the processes of this instance began, by where they came from.

    `memory` and `stale` are from the memory of a process, `redis` from Redis, `coalesced` waited for the same answer of
    another request; `made` were made anew. `hitRate` is the share of those that were not made anew.
    """

    kind: Annotated[str, msgspec.Meta(examples=["page"])]
    memory: int
    stale: int
    redis: int
    coalesced: int
    made: int
    hit_rate: float | None


class AnswersList(Model):
    """Kinds of cached answers, by name."""

    data: list[AnswersOut]


class FoundOut(Model):
    """A program of any state. `visible`: whether listeners may see it now."""

    id: int
    title: str
    slug: str
    status: ProgramStatus
    rev: int
    visible: bool
    is_deleted: bool
    scheduled_publish_at: Moment | None
    expire_at: Moment | None
    merged_into: int | None


class FoundList(Model):
    """Programs with the id or a part of the title that was asked for, the newest first."""

    data: list[FoundOut]


class RunOut(Model):
    """An import, without the address of its source, which may be a secret."""

    id: int
    kind: str
    source: str | None
    status: Annotated[str, one_of("ImportStatus", STATUSES)]
    total: int | None
    position: int
    created: int
    updated: int
    failed: int
    detail: str | None
    cancel_requested: bool
    created_at: Moment
    finished_at: Moment | None


class SourceOut(Model):
    """A remembered source. `failures` counts the runs that failed since the last one that did not."""

    id: int
    kind: str
    title: str
    state: Annotated[str, one_of("SourceState", SOURCE_STATES)]
    reason: str | None
    failures: int
    next_at: Moment
    last_success_at: Moment | None


class ImportsOut(Model):
    """The last imports, and the sources that fail or are paused."""

    runs: list[RunOut]
    sources: list[SourceOut]


class RunAnswer(Model):
    """An import under `data`."""

    data: RunOut


class SourceAnswer(Model):
    """A source under `data`."""

    data: SourceOut


def run_out(run: ImportRun, title: str | None) -> RunOut:
    """Return an import as answers have it. `title` is that of its source."""
    return RunOut(
        id=run.id,
        kind=run.kind,
        source=title,
        status=run.status,
        total=run.total,
        position=run.position,
        created=run.created,
        updated=run.updated,
        failed=run.failed,
        detail=run.detail,
        cancel_requested=run.cancel_requested,
        created_at=run.created_at,
        finished_at=run.finished_at,
    )


def source_out(source: ImportSource) -> SourceOut:
    """Return a source as answers have it."""
    return SourceOut(
        id=source.id,
        kind=source.kind,
        title=source.title,
        state=source.state,
        reason=source.reason,
        failures=source.failures,
        next_at=source.next_at,
        last_success_at=source.last_success_at,
    )


class ImportsAnswer(Model):
    """Imports under `data`."""

    data: ImportsOut
