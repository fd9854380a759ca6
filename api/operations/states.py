"""What ops look at that lies in several places: a program in every index, and the queues."""

from typing import Any

from redis import Redis
from redis.exceptions import RedisError
from rq.registry import FailedJobRegistry, ScheduledJobRegistry, StartedJobRegistry
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from api.operations.schemas import IndexStateAnswer, IndexStateOut, QueueOut
from api.settings import Settings
from catalog.changes import ProgramChange
from catalog.db import opened, session_factory
from catalog.dirty import IndexDirty
from catalog.errors import NotFound
from catalog.programs import queries
from catalog.programs.models import Program
from indexer import document, targets
from indexer.engine import Engine, EngineRejectedError, EngineUnavailableError
from indexer.queues import NAMES, JsonQueue


def of_program(settings: Settings, program_id: int) -> IndexStateAnswer:
    """The program in every index that is kept. Raises NotFound when neither side knows it."""
    with opened(settings.catalog) as database, session_factory(database)() as session:
        now = session.scalars(select(func.now())).one()
        row = session.execute(queries.BY_IDS, {"ids": [program_id]}).mappings().one_or_none()
        marks = {
            mark.target_id: mark
            for mark in session.scalars(
                select(IndexDirty).where(IndexDirty.program_id == program_id)
            )
        }
        kept = targets.kept(session, settings.indexer)
    wanted = None
    if row is not None and document.is_indexed(dict(row), now):
        wanted = document.build(dict(row))["_hash"]
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
            state = "in_step" if stored["_hash"] == wanted else "stale"
        found.append(
            IndexStateOut(
                target_id=target.id, index=target.uid, state=state, wanted=wanted is not None,
                stored_rev=stored["_rev"] if stored else None,
                waiting_sec=round((now - mark.marked_at).total_seconds(), 3) if mark else None,
                error=error or (mark.error if mark else None),
            )
        )  # fmt: skip
    if row is None and not marks and all(entry.state == "in_step" for entry in found):
        raise NotFound("program", program_id)
    meta = {"rev": row["rev"] if row else None, "status": row["status"] if row else None}
    return IndexStateAnswer(data=found, meta=meta)


def _stored(
    settings: Settings, target: targets.Target, program_id: int
) -> tuple[dict[str, Any] | None, str | None]:
    """The document's `_rev` and `_hash`, or why the engine could not say."""
    impatient = {"write_timeout": settings.indexer.read_timeout}
    engine = Engine(settings.indexer.model_copy(update=impatient), target.url)
    try:
        page, _ = engine.documents(
            target.uid, fields=["_rev", "_hash"], limit=1, where=f"id = {program_id}"
        )
    except (EngineUnavailableError, EngineRejectedError) as error:
        return None, str(error)
    return (page[0] if page else None), None


def of_queues(url: str) -> list[QueueOut] | None:
    """Every queue, or None when Redis does not answer."""
    found = []
    with Redis.from_url(url, socket_timeout=2, socket_connect_timeout=1) as redis:
        try:
            for name in NAMES:
                queue = JsonQueue(name, connection=redis)
                found.append(
                    QueueOut(
                        name=name, waiting=queue.count, running=StartedJobRegistry(queue=queue).count,
                        failed=FailedJobRegistry(queue=queue).count,
                        retrying=ScheduledJobRegistry(queue=queue).count,  # type: ignore[no-untyped-call]
                    )
                )  # fmt: skip
        except (RedisError, OSError):
            return None
    return found


def current(session: Session, program_ids: list[int]) -> list[ProgramChange]:
    """The programs of these ids as caches are told of them."""
    rows = session.execute(
        select(Program.id, Program.rev, func.count(1).filter(*queries.VISIBLE) > 0)
        .where(Program.id.in_(program_ids))
        .group_by(Program.id)
    )
    return [ProgramChange(*row) for row in rows]
