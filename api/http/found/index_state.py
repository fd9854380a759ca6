"""The state of a program in every index, read from PostgreSQL and the engines. Operators and editors ask for it."""

from datetime import datetime
from typing import NamedTuple

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from api.http.found.schemas import IndexStateAnswer, IndexStateOut
from api.settings import Settings
from catalog.core.db import plain_rows
from catalog.core.errors import NotFound
from catalog.indexing.models import IndexDirty
from catalog.programs import queries
from indexer.engines import document, targets
from indexer.engines.admin import Engine
from indexer.engines.errors import EngineRejectedError, EngineUnavailableError
from indexer.engines.messages import Query, StoredVersion


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
