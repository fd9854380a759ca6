"""What the board shows: the answers of the routes under /ops. A part whose server does not answer is None."""

import asyncio
import logging
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from sqlalchemy.exc import SQLAlchemyError

from api.http.errors import Problem
from api.operations import audits, engines, health, pipeline, rebuilds, schemas
from api.operations.engines import EngineList, EngineOut
from api.operations.health import Ready
from api.operations.reading import database, processes, searches
from api.operations.reading import schemas as reading
from api.operations.reading.insight_schemas import SearchesAnswer, SearchesOut
from api.web.signin.asking import ask
from api.web.signin.staff import StaffRequest
from indexer.engines.errors import EngineUnavailableError

log = logging.getLogger(__name__)
_LATEST, _AUDITS, _JOBS, _EVENTS, _QUERIES = 5, 10, 20, 15, 8
Shape = TypeVar("Shape")
Data = TypeVar("Data")
Some_co = TypeVar("Some_co", covariant=True)


class _Answer(Protocol[Some_co]):
    """An answer of the API."""

    @property
    def data(self) -> Some_co:
        """What it says."""
        ...  # a protocol has no body


@dataclass(frozen=True, slots=True)
class Board:
    """Everything that the board shows, as the routes under /ops answer it. `failed`: queue -> its failed jobs."""

    health: Ready | None
    engines: list[EngineOut] | None
    sync: schemas.SyncOut | None
    rebuilds: list[schemas.ReindexOut] | None
    audits: list[schemas.DriftOut] | None
    queues: list[schemas.QueueOut] | None
    failed: dict[str, list[schemas.FailedJobOut]]
    schedule: list[reading.PeriodicOut] | None
    caches: list[reading.AnswersOut] | None
    imports: reading.ImportsOut | None
    searches: SearchesOut | None
    log: list[reading.LoggedOut] | None


async def _part(asked: Awaitable[Shape]) -> Shape | None:
    """Return a part of the board; None when its server does not answer."""
    try:
        return await asked
    except (Problem, SQLAlchemyError, EngineUnavailableError) as error:
        log.warning("a part of the board is missing: %s", error)
        return None


async def _data(asked: Awaitable[_Answer[Data]]) -> Data | None:
    """Return what such a part has under `data`."""
    found = await _part(asked)
    return found.data if found is not None else None


async def load(request: StaffRequest) -> Board:
    """Ask for everything at the same time."""
    (
        (ready, search, sync, built, audited),
        (queues, schedule, cached, imports, searched, events),
    ) = await asyncio.gather(
        asyncio.gather(
            _part(ask(request, health.ready, Ready)),
            _data(ask(request, engines.list_engines, EngineList)),
            _data(ask(request, pipeline.sync, schemas.SyncAnswer)),
            _data(ask(request, rebuilds.reindexes, schemas.ReindexList, limit=_LATEST)),
            _data(ask(request, audits.audits, schemas.DriftList, limit=_AUDITS)),
        ),
        asyncio.gather(
            _part(_queues(request)),
            _data(ask(request, processes.schedule, reading.ScheduleAnswer)),
            _data(ask(request, processes.caches, reading.AnswersList)),
            _data(ask(request, database.list_imports, reading.ImportsAnswer)),
            _data(ask(request, searches.searches, SearchesAnswer, limit=_QUERIES)),
            _data(ask(request, database.audit_log, reading.LogAnswer, limit=_EVENTS)),
        ),
    )
    return Board(
        health=ready,
        engines=search,
        sync=sync,
        rebuilds=built,
        audits=audited,
        queues=queues and queues[0],
        failed=queues[1] if queues else {},
        schedule=schedule,
        caches=cached,
        imports=imports,
        searches=searched,
        log=events,
    )


async def _queues(
    request: StaffRequest,
) -> tuple[list[schemas.QueueOut], dict[str, list[schemas.FailedJobOut]]]:
    queues = (await ask(request, pipeline.queues, schemas.QueueList)).data
    troubled = [queue.name for queue in queues if queue.failed]
    jobs = [
        await ask(request, pipeline.failed_jobs, schemas.FailedJobList, queue=name, limit=_JOBS)
        for name in troubled
    ]
    return queues, {name: answer.data for name, answer in zip(troubled, jobs, strict=True)}
