"""What a row of a list says beside its program."""

from typing import TypeVar

from sqlalchemy import ARRAY, BigInteger, Case, Select, bindparam, case, exists, func, select
from sqlalchemy.orm import InstrumentedAttribute

from catalog.indexing.models import IndexDirty
from catalog.programs.listing.filters import UNCONFIRMED
from catalog.programs.listing.models import ChangedProgram
from catalog.programs.models import Program, ProgramRevision
from catalog.review import comments
from catalog.review.models import PendingRevision

Said = TypeVar("Said")


def _last(action: str, what: InstrumentedAttribute[Said]) -> Select[Said]:
    of_program = ProgramRevision.program_id == Program.id
    return (
        select(what)
        .where(of_program, ProgramRevision.action == action)
        .order_by(ProgramRevision.rev.desc())
        .limit(1)
        .correlate(Program)
    )


def _submitted(what: InstrumentedAttribute[Said]) -> Case[Said | None]:
    """What the last submission of a program in review says; nothing of any other one."""
    return case((Program.status == "in_review", _last("submit", what).scalar_subquery()))


_FIRST = select(ProgramRevision.actor).where(
    ProgramRevision.program_id == Program.id, ProgramRevision.rev == 1
)
_PENDING = select(PendingRevision.state).where(
    PendingRevision.entity == "program", PendingRevision.entity_id == Program.id
)
# Who submitted a program in review, and when.
SUBMITTED_BY, SUBMITTED_AT = _submitted(ProgramRevision.actor), _submitted(ProgramRevision.at)
# Of the programs `:ids`: who created it, whether it was published and was changed while it is not, the state of its pending
# revision, whether an index has not confirmed it, its open threads of comments, who deleted it, and of a program in review
# who submitted it and when.
MARKS = select(
    Program.id,
    _FIRST.correlate(Program).scalar_subquery().label("created_by"),
    exists().where(ChangedProgram.program_id == Program.id).correlate(Program).label("is_changed"),
    _PENDING.correlate(Program).scalar_subquery().label("pending_state"),
    UNCONFIRMED.where(IndexDirty.program_id == Program.id)
    .correlate(Program)
    .exists()
    .label("is_unconfirmed"),
    comments.open_threads(Program.id.expression).label("open_threads"),
    _last("delete", ProgramRevision.actor).scalar_subquery().label("deleted_by"),
    SUBMITTED_BY.label("submitted_by"),
    SUBMITTED_AT.label("submitted_at"),
).where(Program.id == func.any(bindparam("ids", type_=ARRAY(BigInteger))))
