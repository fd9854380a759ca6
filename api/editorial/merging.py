"""Editors' addresses for pairs of programs that may be one."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, post
from litestar.params import FromPath, JSONBody
from sqlalchemy import select
from sqlalchemy.orm import Session

from api import database
from api.auth import EDITORS, REVIEWERS
from api.discovery.params import MAX_ID, Query
from api.editorial.programs import actor_of, number, reply
from api.editorial.schemas import ListMeta
from api.schemas import Body, Model
from catalog.merging import lifecycle, queries
from catalog.merging.models import STATES, MergeProposal
from catalog.programs.models import Program

Asked = Request[Any, Any, Any]
_encode = msgspec.json.encode


class MergeIn(Body):
    """Which of the two is kept; without it the published one, else the older."""

    keep_id: int | None = None


class MergeSide(Model):
    """One of the two, as far as one needs to tell them apart."""

    id: int
    title: str
    status: Annotated[str, msgspec.Meta(examples=["published"])]
    media_type: Annotated[str, msgspec.Meta(examples=["audio"])]
    duration_sec: int | None
    release_date: datetime | None
    media_url: str | None
    source_type: str | None
    external_id: str | None


class MergeProposalOut(Model):
    """A pair, the older program first. `reasons`: seconds between their dates and durations."""

    id: int
    state: Annotated[str, msgspec.Meta(examples=["open"])]
    programs: list[MergeSide]
    reasons: dict[str, Any]
    kept_id: int | None
    decided_by: str | None
    decided_at: datetime | None
    created_at: datetime


class MergeProposalAnswer(Model):
    """A proposal under `data`."""

    data: MergeProposalOut


class MergeProposalList(Model):
    """A page of proposals."""

    data: list[MergeProposalOut]
    meta: ListMeta


def _side(program: Program) -> MergeSide:
    return MergeSide(**{name: getattr(program, name) for name in MergeSide.__struct_fields__})


def _shown(session: Session, rows: Sequence[MergeProposal]) -> list[MergeProposalOut]:
    ids = {i for row in rows for i in (row.program_id, row.other_id)}
    held = {p.id: p for p in session.scalars(select(Program).where(Program.id.in_(ids)))}
    return [
        MergeProposalOut(
            id=row.id, state=row.state, reasons=row.reasons, kept_id=row.kept_id, decided_by=row.decided_by,
            decided_at=row.decided_at, created_at=row.created_at,
            programs=[_side(held[i]) for i in (row.program_id, row.other_id)],
        )
        for row in rows
    ]  # fmt: skip


@get("/merge-proposals", summary="Programs that may be one", opt={"roles": EDITORS})
async def list_proposals(request: Asked) -> Response[bytes]:
    """Proposals by id (after=id, limit ≤ 100), optionally of one state."""
    query = Query(request.query_params, {"after", "limit", "state"})
    limit = query.limit()
    after = query.integer("after", 0, MAX_ID, 0) or 0
    statement = queries.proposals(after, limit + 1, query.one_of("state", STATES))

    def work(session: Session) -> tuple[list[MergeProposalOut], bool]:
        rows = session.scalars(statement).all()
        return _shown(session, rows[:limit]), len(rows) > limit

    found, more = await database.read(request, work)
    meta = ListMeta(limit=limit, next_cursor=str(found[-1].id) if more else None)
    return reply(_encode(MergeProposalList(data=found, meta=meta)))


@post("/merge-proposals/{proposal_id:int}/merge", status_code=200, summary="Make two programs one", description="The kept one takes over what it does not say, and the views; the id and the addresses of the other lead to it (301). Bringing the other back (/undelete) undoes that.", opt={"roles": REVIEWERS})  # fmt: skip
async def merge(
    request: Asked, proposal_id: FromPath[int], data: JSONBody[MergeIn]
) -> Response[bytes]:
    """409 when it is decided."""
    number(proposal_id)
    actor = actor_of(request)

    def work(session: Session) -> MergeProposalOut:
        row = lifecycle.accept(session, proposal_id, actor, keep_id=data.keep_id)
        return _shown(session, [row])[0]

    found = await database.write(request, work)
    return reply(_encode(MergeProposalAnswer(data=found)))


@post("/merge-proposals/{proposal_id:int}/dismiss", status_code=200, summary="They are two programs", description="The pair is not proposed again.", opt={"roles": EDITORS})  # fmt: skip
async def dismiss(request: Asked, proposal_id: FromPath[int]) -> Response[bytes]:
    """409 when it is decided."""
    number(proposal_id)
    actor = actor_of(request)
    found = await database.write(
        request, lambda s: _shown(s, [lifecycle.dismiss(s, proposal_id, actor)])[0]
    )
    return reply(_encode(MergeProposalAnswer(data=found)))


HANDLERS = [list_proposals, merge, dismiss]
