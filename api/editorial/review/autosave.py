"""Editors' routes for what is saved while somebody writes."""

from litestar import get, patch
from litestar.params import JSONBody
from sqlalchemy.orm import Session

from api.editorial import schemas
from api.editorial.programs import read_program
from api.editorial.rights import rights_of
from api.http import transaction
from api.http.auth import EDITORS
from api.http.errors import Problem
from api.http.parameters import Id, IfMatch
from api.http.reply import JsonResponse
from api.http.request import ApiRequest, actor_of, expected_rev
from catalog.programs import pending
from catalog.programs.models import Program
from catalog.programs.pending import Seen

Answer = JsonResponse[schemas.EditorAnswer]
_AT = "/programs/{program_id:int}/autosave"
# Begins the ETag of a pending revision, whose numbers may be those of the program, too.
_PENDING = "p"
_IF_MATCH = "If-Match is the ETag of the last answer of this address."


def _read(session: Session, program_id: int) -> tuple[schemas.EditorAnswer, Seen]:
    found = read_program(session, program_id)
    return found, pending.edition(session, session.get_one(Program, found.data.id))


def _answer(found: schemas.EditorAnswer, seen: Seen) -> Answer:
    return JsonResponse(found, etag=f'"{_PENDING if seen.is_pending else ""}{seen.rev}"')


def _seen(if_match: str | None) -> Seen:
    """Return what the sender has seen.

    Raises:
        Problem: The header is missing, or no ETag of these routes.
    """
    tag = (if_match or "").strip().removeprefix("W/").strip('"')
    rev = expected_rev(tag.removeprefix(_PENDING)) if tag else None
    if rev is None:
        raise Problem("revision_required", f"Nothing is saved over what was not read. {_IF_MATCH}")
    return Seen(rev, tag.startswith(_PENDING))


@get(
    _AT,
    operation_id="getDraft",
    summary="What is there to go on writing",
    description="The program, and its pending changes. The ETag is what the next PATCH of this address sends as If-Match.",
    opt={"roles": EDITORS, "errors": ("not_found",)},
)
async def get_draft(request: ApiRequest, program_id: Id) -> Answer:
    """Return the program with its pending revision, and the ETag of what writing changes."""
    return _answer(*await transaction.read(request, lambda s: _read(s, program_id)))


@patch(
    _AT,
    operation_id="autosaveProgram",
    summary="Save while writing",
    description="Listeners never see anything of it: changes of a published or scheduled program wait in its pending revision, "
    "whoever writes. What one author saves with pauses of at most 15 minutes, and nobody else in between, is one "
    f"revision and one audit event. {_IF_MATCH} 412 when somebody has changed it since.",
    opt={"roles": EDITORS, "errors": ("not_found", "conflict", "revision_required")},
)
async def autosave_program(
    request: ApiRequest, program_id: Id, data: JSONBody[schemas.ProgramPatch], if_match: IfMatch = None
) -> Answer:
    """Save the fields that the body has."""
    values, actor, rights, seen = schemas.values(data), actor_of(request), rights_of(request), _seen(if_match)

    def work(session: Session) -> tuple[schemas.EditorAnswer, Seen]:
        pending.autosave(session, program_id, values, actor, rights, seen)
        return _read(session, program_id)

    return _answer(*await transaction.write(request, work))


HANDLERS = [get_draft, autosave_program]
