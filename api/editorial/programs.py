"""Editors' routes for one program: create, read, change, delete."""

from collections.abc import Callable

from litestar import delete, get, patch, post
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import JSONBody
from sqlalchemy.orm import Session

from api.editorial import schemas
from api.editorial.pending_schemas import read_pending
from api.editorial.rights import rights_of
from api.http import idempotent, transaction
from api.http.auth import EDITORS, REVIEWERS
from api.http.parameters import Id, IfMatch, OnceKey
from api.http.reply import JsonResponse, etag_of
from api.http.request import ApiRequest, actor_of, expected_rev
from catalog.core.errors import NotFound
from catalog.programs import editing, lifecycle, queries
from catalog.programs import pending as program_pending
from catalog.programs.models import ProgramRedirect
from catalog.programs.pending import PROGRAMS
from catalog.review import pending
from catalog.review.rights import Rights

# A change that waits for a reviewer.
WAITS = {
    202: ResponseSpec(
        schemas.EditorAnswer, generate_examples=False, description="The change waits for a reviewer"
    )
}


def _read_program(session: Session, program_id: int) -> schemas.EditorProgram:
    row = session.execute(queries.BY_IDS, {"ids": [program_id]}).mappings().one_or_none()
    if row is not None and row["deleted_at"] is not None:
        # A merged program: its id stands for the program that stayed, whose own id the answer has.
        redirect = session.get(ProgramRedirect, program_id)
        ids = [redirect.into_id] if redirect is not None else []
        row = session.execute(queries.BY_IDS, {"ids": ids}).mappings().one_or_none()
    if row is None or row["deleted_at"] is not None:
        raise NotFound("program", program_id)
    return schemas.editor_program(row)


def read_program(session: Session, program_id: int) -> schemas.EditorAnswer:
    """Return a program as editors see it, with its pending revision.

    Raises:
        NotFound: No such program, or it is deleted.
    """
    program = _read_program(session, program_id)
    return schemas.EditorAnswer(data=program, pending=read_pending(session, PROGRAMS, program.id))


def _answer(found: schemas.EditorAnswer, *, status: int | None = None) -> JsonResponse[schemas.EditorAnswer]:
    return JsonResponse(found, etag=etag_of(found.data.rev), status=status)


async def change_program(
    request: ApiRequest, program_id: int, change: Callable[[Session], object]
) -> JsonResponse[schemas.EditorAnswer]:
    """Change a program in one transaction and answer with it.

    Args:
        request: Its sender has the role for the change.
        program_id: The program.
        change: Changes the program; an exception rolls the transaction back.

    Returns:
        The program as it is after the change.
    """

    def change_and_read(session: Session) -> schemas.EditorAnswer:
        change(session)
        return read_program(session, program_id)

    return _answer(await transaction.write(request, change_and_read))


async def edit_fields(
    request: ApiRequest, program_id: int, edit: Callable[[Session, Rights], None]
) -> JsonResponse[schemas.EditorAnswer]:
    """Change fields of a program, and answer with 202 instead of 200 when a change of them waits for a reviewer.

    Args:
        request: Its sender has the role for the change.
        program_id: The program.
        edit: Changes the fields with the sender's rights.
    """
    rights = rights_of(request)

    def edit_and_read(session: Session) -> tuple[schemas.EditorAnswer, bool]:
        before = pending.find(session, PROGRAMS.entity, program_id)
        rev = before.rev if before is not None else None
        edit(session, rights)
        found = read_program(session, program_id)
        return found, found.pending is not None and found.pending.rev != rev

    found, waits = await transaction.write(request, edit_and_read)
    return _answer(found, status=202 if waits else None)


@post(
    "/programs",
    summary="Create a draft",
    description="Idempotent with an Idempotency-Key header.",
    opt={"roles": EDITORS, "errors": ("conflict",)},
)
async def create_program(
    request: ApiRequest, data: JSONBody[schemas.ProgramIn], idempotency_key: OnceKey = None
) -> JsonResponse[schemas.EditorAnswer]:
    """Create a program in the state `draft`."""
    values, actor = schemas.values(data), actor_of(request)

    def work(session: Session) -> idempotent.Created[schemas.EditorAnswer]:
        program = editing.create(session, values, actor)
        created = _read_program(session, program.id)
        location = f"/catalog/programs/{program.id}"
        return idempotent.Created(schemas.EditorAnswer(data=created), location, etag_of(created.rev))

    return await idempotent.create(request, idempotency_key, work)


@get(
    "/programs/{program_id:int}",
    summary="One program in any state",
    opt={"roles": EDITORS, "errors": ("not_found",)},
)
async def get_program(request: ApiRequest, program_id: Id) -> JsonResponse[schemas.EditorAnswer]:
    """Return a program as editors see it."""
    return _answer(await transaction.read(request, lambda s: read_program(s, program_id)))


@patch(
    "/programs/{program_id:int}",
    summary="Change fields",
    description="Send If-Match with the ETag you read: 412 when the program has changed since. 202: listeners see the program, and the sender may not publish, so the change waits in `pending` for a reviewer. A change of a submitted program takes the submission back.",
    opt={"roles": EDITORS, "errors": ("not_found", "conflict")},
    responses=WAITS,
)
async def edit_program(
    request: ApiRequest, program_id: Id, data: JSONBody[schemas.ProgramPatch], if_match: IfMatch = None
) -> JsonResponse[schemas.EditorAnswer]:
    """Change the fields that the body has."""
    values, actor, expected = schemas.values(data), actor_of(request), expected_rev(if_match)
    return await edit_fields(
        request,
        program_id,
        lambda s, rights: program_pending.change(s, program_id, values, actor, rights, expected_rev=expected),
    )


@delete(
    "/programs/{program_id:int}",
    status_code=204,
    summary="Delete",
    description="/undelete brings the program back.",
    opt={"roles": REVIEWERS, "errors": ("not_found",)},
)
async def delete_program(request: ApiRequest, program_id: Id, if_match: IfMatch = None) -> None:
    """Hide a program from listeners and editors."""
    actor, expected = actor_of(request), expected_rev(if_match)
    await transaction.write(
        request, lambda s: lifecycle.transition(s, program_id, "delete", actor, expected) and None
    )


HANDLERS = [create_program, get_program, edit_program, delete_program]
