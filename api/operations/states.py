"""States that are read from several servers: a program in all indexes, and the job queues.

The routes of `api.operations` call it, in a thread where a function blocks.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec
from redis import Redis
from rq.job import Job
from rq.registry import FailedJobRegistry, ScheduledJobRegistry, StartedJobRegistry
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from api.operations.schemas import FailedJobOut, IndexStateAnswer, IndexStateOut, QueueOut
from api.settings import Settings
from catalog.core.changes import ProgramChange
from catalog.core.db import plain_rows
from catalog.core.errors import NotFound
from catalog.indexing.models import IndexDirty
from catalog.programs import queries
from catalog.programs.models import Program
from indexer import stores
from indexer.engines import document, targets
from indexer.engines.admin import Engine
from indexer.engines.errors import EngineRejectedError, EngineUnavailableError
from indexer.engines.messages import Query, StoredVersion
from indexer.stores.queues import NAMES, JsonJob, JsonQueue

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class Known(NamedTuple):
    """What PostgreSQL knows of a program: the time, its row, its marks by target, the indexes that are kept."""

    now: datetime
    row: queries.ProgramRow | None
    marks: dict[int, IndexDirty]
    targets: list[targets.Target]


def known(session: Session, settings: Settings, program_id: int) -> Known:
    """Read what PostgreSQL knows of a program.

    Args:
        session: A session on the primary.
        settings: Name the engines.
        program_id: The program.
    """
    rows = plain_rows(session, queries.BY_IDS, queries.ProgramRow, ids=[program_id])
    marks = session.scalars(select(IndexDirty).where(IndexDirty.program_id == program_id))
    return Known(
        session.scalars(select(func.now())).one(),
        rows[0] if rows else None,
        {mark.target_id: mark for mark in marks},
        list(targets.list_active(session, settings.indexer)),
    )


def of_program(settings: Settings, program_id: int, found_in_database: Known) -> IndexStateAnswer:
    """Return the state of a program in every index that is kept. Waits for the engines.

    Args:
        settings: How the engines are asked.
        program_id: The program.
        found_in_database: What `known` returned.

    Raises:
        NotFound: Neither the database nor an index has the program.
    """
    now, row, marks, kept = found_in_database
    wanted = document.build(row).hash if row is not None and document.is_indexed(row, now) else None
    found = []
    for target in kept:
        mark = marks.get(target.id)
        stored, error = _stored(settings, target, program_id)
        if error is not None:
            state = "unknown"
        elif mark is not None:
            state = "parked" if mark.parked else "waiting"
        elif stored is None:
            state = "in_step" if wanted is None else "missing"
        elif wanted is None:
            state = "ghost"
        else:
            state = "in_step" if stored.hash == wanted else "stale"
        found.append(
            IndexStateOut(
                target_id=target.id,
                index=target.uid,
                state=state,
                wanted=wanted is not None,
                stored_rev=stored.rev if stored and isinstance(stored.rev, int) else None,
                waiting_sec=round((now - mark.marked_at).total_seconds(), 3) if mark else None,
                error=error or (mark.error if mark else None),
            )
        )
    if row is None and not marks and all(entry.state == "in_step" for entry in found):
        raise NotFound("program", program_id)
    meta = {"rev": row["rev"] if row else None, "status": row["status"] if row else None}
    return IndexStateAnswer(data=found, meta=meta)


def _stored(
    settings: Settings, target: targets.Target, program_id: int
) -> tuple[StoredVersion | None, str | None]:
    """Return the version of the program's document or None, and the error when the engine did not answer."""
    # The API's key may search and nothing else.
    key = settings.indexer.meili_search_key or settings.indexer.meili_key
    impatient = {"write_timeout": settings.indexer.read_timeout, "meili_key": key}
    engine = Engine(settings.indexer.model_copy(update=impatient), target.url)
    version = [field.encode_name for field in msgspec.structs.fields(StoredVersion)]
    query = Query(
        q="", index_uid=target.uid, limit=1, filter=[f"id = {program_id}"], attributes_to_retrieve=version
    )
    try:
        (page,) = engine.multi_search([query], StoredVersion)
    except (EngineUnavailableError, EngineRejectedError) as error:
        return None, str(error)
    return (page.hits[0] if page.hits else None), None


@contextmanager
def connected(url: str) -> "Iterator[Redis]":
    """Connect to the queue's Redis until the block ends."""
    with stores.open_sync(url, timeout=2, connect_timeout=1) as redis:
        yield redis


def of_queues(url: str) -> list[QueueOut]:
    """Return every queue with its numbers of jobs.

    Raises:
        RedisError: Redis does not answer.
    """
    with connected(url) as redis:
        queues = [JsonQueue(name, connection=redis) for name in NAMES]
        return [
            QueueOut(
                name=queue.name,
                waiting=queue.count,
                running=StartedJobRegistry(queue=queue).count,
                failed=FailedJobRegistry(queue=queue).count,
                retrying=ScheduledJobRegistry(queue=queue).count,  # type: ignore[no-untyped-call]  # RQ has no types
            )
            for queue in queues
        ]


def failed_jobs(url: str, name: str, limit: int) -> list[FailedJobOut]:
    """Return the jobs of a queue that failed for good, the latest first.

    Args:
        url: The queue's Redis.
        name: The queue.
        limit: How many at the most.

    Raises:
        RedisError: Redis does not answer.
    """
    with connected(url) as redis:
        registry = FailedJobRegistry(queue=JsonQueue(name, connection=redis))
        ids = registry.get_job_ids(-limit, -1)
        failed = [_failed(job) for job in JsonJob.fetch_many(ids, connection=redis) if job is not None]
    # The registry knows whole seconds, in which several jobs may fail.
    return sorted(failed, key=lambda job: job.failed_at or _LONG_AGO, reverse=True)


def _failed(job: Job) -> FailedJobOut:
    result = job.latest_result()
    traceback = str(result.exc_string or "") if result is not None else ""
    return FailedJobOut(
        id=str(job.id),
        function=str(job.func_name),
        arguments=[str(argument) for argument in job.args],
        reason=traceback.strip().rpartition("\n")[2],
        traceback=traceback,
        failed_at=job.ended_at.replace(tzinfo=UTC) if job.ended_at is not None else None,
    )


def retry(url: str, name: str, ids: Iterable[str]) -> int:
    """Put failed jobs back into their queue.

    Args:
        url: The queue's Redis.
        name: The queue.
        ids: The jobs; none of them means all failed jobs.

    Returns:
        How many there were.

    Raises:
        RedisError: Redis does not answer.
    """
    with connected(url) as redis:
        registry = FailedJobRegistry(queue=JsonQueue(name, connection=redis))
        known_ids = registry.get_job_ids()
        chosen = [job_id for job_id in known_ids if job_id in set(ids)] if ids else known_ids
        for job_id in chosen:
            registry.requeue(job_id)
        return len(chosen)


def cancel(url: str, name: str, ids: Iterable[str]) -> int:
    """Delete waiting, retrying and failed jobs; a job that runs goes on.

    Args:
        url: The queue's Redis.
        name: The queue.
        ids: The jobs; none of them means all that wait.

    Returns:
        How many there were.

    Raises:
        RedisError: Redis does not answer.
    """
    with connected(url) as redis:
        queue = JsonQueue(name, connection=redis)
        if not ids:
            return int(queue.empty())  # type: ignore[no-untyped-call]  # RQ has no types
        places = (queue, FailedJobRegistry(queue=queue), ScheduledJobRegistry(queue=queue))  # type: ignore[no-untyped-call]  # RQ has no types
        there = {job_id for place in places for job_id in place.get_job_ids()}
        chosen = there.intersection(ids)
        for job in JsonJob.fetch_many(sorted(chosen), connection=redis):
            if job is not None:
                job.delete()
        return len(chosen)


def current(session: Session, program_ids: list[int]) -> list[ProgramChange]:
    """Return the programs of these ids as changes for the caches."""
    rows = session.execute(
        select(Program.id, Program.rev, func.count(1).filter(*queries.VISIBLE) > 0)
        .where(Program.id.in_(program_ids))
        .group_by(Program.id)
    )
    return [ProgramChange(*row) for row in rows]
