"""Editors' routes for conflicts of imports: fields that an editor wrote and whose source says something else."""

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from litestar import get, post
from litestar.openapi.spec import Example
from litestar.params import JSONBody, QueryParameter
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.editorial.rights import rights_of
from api.http import transaction
from api.http.auth import EDITORS
from api.http.parameters import AfterId, Id, Limit
from api.http.query import DEFAULT_LIMIT, MAX_ID
from api.http.reply import JsonResponse
from api.http.request import ApiRequest, actor_of
from api.http.schemas import Body, BodyId, ListMeta, Model, Moment, list_meta
from catalog.imports import queries
from catalog.imports.models import CONFLICT_STATES, ImportConflict
from catalog.imports.writing import conflicts
from catalog.programs import snapshot
from catalog.programs.models import Program

_State = Annotated[
    str | None,
    QueryParameter(
        name="state", enum=CONFLICT_STATES, description="Only this state.", examples=[Example(value="open")]
    ),
]
_ProgramId = Annotated[
    int | None, QueryParameter(name="programId", ge=1, le=MAX_ID, description="Only of this program.")
]


class SettleIn(Body):
    """Whose value the field keeps. `mine`: the source's later changes are not reported either.

    `id`, `importId` and `rev` are those of the conflict that was read: 412 when the field has another conflict now, when the
    source has said something else since, or when the program has changed.
    """

    field: Annotated[str, msgspec.Meta(max_length=50, examples=["title"])]
    keep: Literal["mine", "source"]
    id: BodyId | None = None
    import_id: BodyId | None = None
    rev: BodyId | None = None


class ImportConflictOut(Model):
    """A field with two values. `here`: what the program says. `source`: what its source says, null for nothing."""

    id: int
    program_id: int
    title: str
    rev: int
    field: Annotated[str, msgspec.Meta(examples=["title"])]
    here: object
    source: object
    state: Annotated[str, msgspec.Meta(examples=["open"])]
    import_id: int
    created_at: Moment


class SettledConflict(Model):
    """The conflicts of the program that are left. `waits`: the source's value waits for a reviewer."""

    data: list[ImportConflictOut]
    meta: ListMeta
    waits: bool


class ImportConflictList(Model):
    """A page of conflicts."""

    data: list[ImportConflictOut]
    meta: ListMeta


def outs(session: Session, rows: Sequence[ImportConflict]) -> list[ImportConflictOut]:
    """Return conflicts with what their programs say, by a few queries, however many they are.

    Args:
        session: Reads.
        rows: The conflicts.
    """
    ids = {row.program_id for row in rows}
    programs = {one.id: one for one in session.scalars(select(Program).where(Program.id.in_(ids)))}
    says = snapshot.of_many(session, list(programs.values()))
    found = []
    for row in rows:
        here: dict[str, object] = {**says[row.program_id]}
        found.append(
            ImportConflictOut(
                id=row.id,
                program_id=row.program_id,
                title=programs[row.program_id].title,
                rev=programs[row.program_id].rev,
                field=row.field,
                here=here.get(row.field),
                source=row.source_value,
                state=row.state,
                import_id=row.run_id,
                created_at=row.created_at,
            )
        )
    return found


@get(
    "/import-conflicts",
    operation_id="listImportConflicts",
    summary="Fields that an editor and a source wrote differently",
    opt={"roles": EDITORS},
)
async def list_conflicts(
    request: ApiRequest,
    after: AfterId = 0,
    limit: Limit = DEFAULT_LIMIT,
    program_id: _ProgramId = None,
    only_state: _State = None,
) -> JsonResponse[ImportConflictList]:
    """List conflicts by id."""

    def work(session: Session) -> ImportConflictList:
        rows = session.scalars(queries.conflicts(after, limit + 1, program_id, only_state)).all()
        meta = list_meta(limit, [row.id for row in rows])
        return ImportConflictList(data=outs(session, rows[:limit]), meta=meta)

    return JsonResponse(await transaction.read(request, work))


@post(
    "/programs/{program_id:int}/import-conflicts",
    operation_id="settleImportConflict",
    status_code=200,
    summary="Settle a conflict with the source",
    description="`source` takes the source's value, and the field follows its source again; `mine` keeps the editor's value and stops asking. Of a live program, the source's value waits in the pending revision when the sender may not publish. Answers with the program's conflicts that are left.",
    opt={"roles": EDITORS, "errors": ("not_found", "validation_failed")},
)
async def settle_conflict(
    request: ApiRequest, program_id: Id, data: JSONBody[SettleIn]
) -> JsonResponse[SettledConflict]:
    """Settle the conflict in one field of a program; 412 when it is not the one that was read."""
    actor, rights = actor_of(request), rights_of(request)
    seen = conflicts.Seen(data.id, data.import_id, data.rev)

    def work(session: Session) -> SettledConflict:
        waits = conflicts.settle(session, program_id, data.field, data.keep, actor, rights, seen=seen)
        rows = session.scalars(queries.conflicts(0, DEFAULT_LIMIT, program_id, "open")).all()
        meta = list_meta(DEFAULT_LIMIT, [row.id for row in rows])
        return SettledConflict(data=outs(session, rows), meta=meta, waits=waits)

    return JsonResponse(await transaction.write(request, work))


HANDLERS = [list_conflicts, settle_conflict]
