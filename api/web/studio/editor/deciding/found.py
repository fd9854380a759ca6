"""Whether listeners find a program as it is now, and since when."""

import asyncio
import time
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.http import transaction
from api.http.found import index_state
from api.http.request import ApiRequest
from catalog.core.errors import NotFound
from catalog.indexing.states import MAIN
from catalog.programs.models import ProgramRevision

# How long somebody who asks waits for a change, and how often is looked.
WAIT_SECONDS, LOOK_SECONDS = 10.0, 0.1


@dataclass(frozen=True, slots=True)
class Found:
    """Whether listeners find a program.

    Attributes:
        state: One of yes, waiting, refused (by an engine), unknown (no engine answers), or no (it is not published).
        seconds: Since its last change.
    """

    state: str
    seconds: float


async def look(request: ApiRequest, program_id: int) -> Found:
    """Return whether listeners find a program as it is now.

    Args:
        request: Reads with its database and its engines.
        program_id: The program.

    Raises:
        NotFound: There is no such program.
    """
    settings = request.shared.settings

    def work(session: Session) -> tuple[index_state.Known, float]:
        known = index_state.known(session, settings, program_id)
        if known.row is None:
            raise NotFound("program", program_id)
        changed = select(ProgramRevision.at).where(
            ProgramRevision.program_id == program_id, ProgramRevision.rev == known.row["rev"]
        )
        at = session.scalars(changed).one_or_none()
        return known, (known.now - at).total_seconds() if at is not None else 0.0

    known, seconds = await transaction.read(request, work)
    if known.row is None or known.row["status"] != "published":
        return Found("no", seconds)
    searched = {target.id for target in known.targets if target.state in MAIN}
    marks = [mark for target_id, mark in known.marks.items() if target_id in searched]
    if marks:
        return Found("refused" if any(mark.parked for mark in marks) else "waiting", seconds)
    answer = await asyncio.to_thread(index_state.of_program, settings, program_id, known)
    entries = [entry for entry in answer.data if entry.target_id in searched]
    if not all(entry.wanted for entry in entries):
        return Found("no", seconds)
    states = {entry.state for entry in entries}
    if not states or "unknown" in states:
        return Found("unknown", seconds)
    return Found("yes" if states == {"in_step"} else "waiting", seconds)


async def wait(request: ApiRequest, program_id: int) -> Found:
    """Return whether listeners find a program as soon as they do, at the latest after `WAIT_SECONDS`.

    Args:
        request: Reads with its database and its engines.
        program_id: The program.

    Raises:
        NotFound: There is no such program.
    """
    until = time.monotonic() + WAIT_SECONDS
    while True:
        found = await look(request, program_id)
        if found.state in ("yes", "no", "refused") or time.monotonic() > until:
            return found
        await asyncio.sleep(LOOK_SECONDS)
