"""Why is a program not found? What the record, each index and the caches say of it."""

from dataclasses import dataclass

from sqlalchemy.exc import SQLAlchemyError

from api.http.errors import Problem
from api.http.found.schemas import IndexStateAnswer, IndexStateOut
from api.http.query import MAX_VALUE
from api.operations import pipeline
from api.operations.reading import database
from api.operations.reading.schemas import FoundList, FoundOut
from api.web.listener import programs
from api.web.signin.asking import ask
from api.web.signin.staff import StaffRequest
from catalog.core.errors import NotFound
from catalog.programs.public import hidden_because
from indexer.engines.errors import EngineUnavailableError


@dataclass(frozen=True, slots=True)
class Finding:
    """A program, why listeners may not see it (names of texts), its state in each index, and what a lookup finds.

    Attributes:
        program: The record.
        reasons: Names of texts below `hidden`.
        indexes: Its state in each index; None when that cannot be asked.
        looked_up: Whether listeners get it at its address, through the caches; None when that cannot be asked.
    """

    program: FoundOut
    reasons: list[str]
    indexes: list[IndexStateOut] | None
    looked_up: bool | None


async def find(request: StaffRequest, words: str) -> list[Finding]:
    """Return the programs with this id or a part of this title, the newest first."""
    words = words.strip()[:MAX_VALUE]
    if not words:
        return []
    found = await ask(request, database.find_programs, FoundList, q=words)
    return [await _finding(request, program) for program in found.data]


async def _finding(request: StaffRequest, program: FoundOut) -> Finding:
    indexes, looked_up = None, None
    try:
        answer = await ask(request, pipeline.index_state, IndexStateAnswer, program_id=program.id)
        indexes = answer.data
    except NotFound:
        indexes = []
    try:
        looked_up = await programs.find(request.shared, str(program.id)) is not None
    except (Problem, SQLAlchemyError, EngineUnavailableError):
        looked_up = None
    return Finding(program, _reasons(program), indexes, looked_up)


def _reasons(program: FoundOut) -> list[str]:
    reason = hidden_because(
        program.status,
        is_visible=program.visible,
        is_deleted=program.is_deleted,
        is_merged=program.merged_into is not None,
    )
    return [] if reason is None else [reason]
