"""Whether listeners find a program as it is now, and since when."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.http import transaction
from api.http.found import index_state
from api.http.request import ApiRequest
from catalog.core.errors import NotFound
from catalog.indexing.states import MAIN
from catalog.programs.models import ProgramRevision

# How long somebody who asks waits for a change; the pause between two looks, at first and at most, and how it grows.
WAIT_SECONDS = 10.0
FIRST_PAUSE, LONGEST_PAUSE, GROWTH = 0.5, 1.0, 1.25
# How many may wait at once in a process: each looks at the database and the engines again and again.
MOST_WAITING = 16


@dataclass(frozen=True, slots=True)
class Found:
    """Whether listeners find a program.

    Attributes:
        state: One of yes, waiting, refused (by an engine), unknown (no engine answers), or no (it is not published).
        seconds: Since its last change.
    """

    state: str
    seconds: float


NOT_ASKED = Found("waiting", 0.0)


class Room:
    """Counts who waits, so that not more do than there is room for."""

    def __init__(self, most: int) -> None:
        """Begin empty."""
        self._free = most

    @contextmanager
    def entered(self) -> Iterator[bool]:
        """Say whether there was room, which is taken until the block ends."""
        got = self._free > 0
        self._free -= got
        try:
            yield got
        finally:
            self._free += got


room = Room(MOST_WAITING)


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

    When as many wait as may, the answer is what there is at once.

    Args:
        request: Reads with its database and its engines.
        program_id: The program.

    Raises:
        NotFound: There is no such program.
    """
    until, pause = time.monotonic() + WAIT_SECONDS, FIRST_PAUSE
    with room.entered() as may_wait:
        while True:
            found = await look(request, program_id)
            is_known = found.state in ("yes", "no", "refused")
            if is_known or not may_wait or time.monotonic() + pause > until:
                return found
            await asyncio.sleep(pause)
            pause = min(pause * GROWTH, LONGEST_PAUSE)
