"""Editors' routes for merge proposals: pairs of programs that may be the same program."""

from collections.abc import Sequence
from typing import Annotated

import msgspec
from litestar import get, post
from litestar.openapi.spec import Example
from litestar.params import JSONBody, QueryParameter
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.http import transaction
from api.http.auth import EDITORS, REVIEWERS
from api.http.parameters import AfterId, Id, Limit
from api.http.query import DEFAULT_LIMIT
from api.http.reply import JsonResponse
from api.http.request import ApiRequest, actor_of
from api.http.schemas import Body, BodyId, ListMeta, MediaType, Model, Moment, ProgramStatus, list_meta
from catalog.merging import lifecycle, queries
from catalog.merging.models import STATES, MergeProposal
from catalog.programs.models import Program

_State = Annotated[
    str | None,
    QueryParameter(
        name="state", enum=STATES, description="Only this state.", examples=[Example(value="open")]
    ),
]


class MergeIn(Body):
    """`keepId` is the program that stays; by default the published program, else the older program.

    `revs` of the two programs, in the order of `programs`, as they were read: 412 when one has changed.
    """

    keep_id: int | None = None
    revs: Annotated[list[BodyId], msgspec.Meta(min_length=2, max_length=2, examples=[[4, 7]])] | None = None


class MergeSide(Model):
    """One program of a pair, as far as an editor needs it to tell the two apart."""

    id: int
    rev: int
    title: str
    status: ProgramStatus
    media_type: MediaType
    duration_sec: int | None
    release_date: Moment | None
    media_url: str | None
    source_type: str | None
    external_id: str | None


class MergeProposalOut(Model):
    """A pair of programs, the older first. `reasons`: by how many seconds their dates and durations differ."""

    id: int
    state: Annotated[str, msgspec.Meta(examples=["open"])]
    programs: list[MergeSide]
    reasons: dict[str, object]
    kept_id: int | None
    decided_by: str | None
    decided_at: Moment | None
    created_at: Moment


class MergeProposalAnswer(Model):
    """A proposal under `data`."""

    data: MergeProposalOut


class MergeProposalList(Model):
    """A page of proposals."""

    data: list[MergeProposalOut]
    meta: ListMeta


def _side(program: Program) -> MergeSide:
    return MergeSide(
        id=program.id,
        rev=program.rev,
        title=program.title,
        status=program.status,
        media_type=program.media_type,
        duration_sec=program.duration_sec,
        release_date=program.release_date,
        media_url=program.media_url,
        source_type=program.source_type,
        external_id=program.external_id,
    )


def _proposals(session: Session, rows: Sequence[MergeProposal]) -> list[MergeProposalOut]:
    ids = {i for row in rows for i in (row.program_id, row.other_id)}
    programs = {p.id: p for p in session.scalars(select(Program).where(Program.id.in_(ids)))}
    return [
        MergeProposalOut(
            id=row.id,
            state=row.state,
            reasons=row.reasons,
            kept_id=row.kept_id,
            decided_by=row.decided_by,
            decided_at=row.decided_at,
            created_at=row.created_at,
            programs=[_side(programs[row.program_id]), _side(programs[row.other_id])],
        )
        for row in rows
    ]


@get(
    "/merge-proposals",
    operation_id="listMergeProposals",
    summary="Programs that may be one",
    opt={"roles": EDITORS},
)
async def list_proposals(
    request: ApiRequest, after: AfterId = 0, limit: Limit = DEFAULT_LIMIT, only_state: _State = None
) -> JsonResponse[MergeProposalList]:
    """List proposals by id."""

    def work(session: Session) -> MergeProposalList:
        rows = session.scalars(queries.proposals(after, limit + 1, only_state)).all()
        meta = list_meta(limit, [row.id for row in rows])
        return MergeProposalList(data=_proposals(session, rows[:limit]), meta=meta)

    return JsonResponse(await transaction.read(request, work))


@post(
    "/merge-proposals/{proposal_id:int}/merge",
    operation_id="mergePrograms",
    status_code=200,
    summary="Merge two programs",
    description="The kept program takes over the fields that it lacks, and the views. The id and the addresses of the other program redirect to it (301). /undelete of the other program undoes the merge.",
    opt={"roles": REVIEWERS, "errors": ("not_found", "conflict")},
)
async def merge(
    request: ApiRequest, proposal_id: Id, data: JSONBody[MergeIn]
) -> JsonResponse[MergeProposalAnswer]:
    """Merge the two programs of a proposal; 409 when it is decided already."""
    actor = actor_of(request)

    def work(session: Session) -> MergeProposalOut:
        row = lifecycle.accept(session, proposal_id, actor, keep_id=data.keep_id, revs=data.revs)
        return _proposals(session, [row])[0]

    return JsonResponse(MergeProposalAnswer(data=await transaction.write(request, work)))


@post(
    "/merge-proposals/{proposal_id:int}/dismiss",
    operation_id="dismissMergeProposal",
    status_code=200,
    summary="Keep two programs apart",
    description="The pair is not proposed again.",
    opt={"roles": EDITORS, "errors": ("not_found", "conflict")},
)
async def dismiss(request: ApiRequest, proposal_id: Id) -> JsonResponse[MergeProposalAnswer]:
    """Keep the two programs of a proposal apart; 409 when it is decided already."""
    actor = actor_of(request)

    def work(session: Session) -> MergeProposalOut:
        return _proposals(session, [lifecycle.dismiss(session, proposal_id, actor)])[0]

    return JsonResponse(MergeProposalAnswer(data=await transaction.write(request, work)))


HANDLERS = [list_proposals, merge, dismiss]
