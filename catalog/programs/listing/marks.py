"""What a row of a list says beside its program."""

from sqlalchemy import ARRAY, BigInteger, Select, bindparam, exists, func, select

from catalog.indexing.models import IndexDirty
from catalog.programs.listing.filters import UNCONFIRMED
from catalog.programs.listing.models import ChangedProgram
from catalog.programs.models import Program, ProgramRevision
from catalog.review import comments
from catalog.review.models import PendingRevision


def _last(action: str) -> Select[str]:
    of_program = ProgramRevision.program_id == Program.id
    return (
        select(ProgramRevision.actor)
        .where(of_program, ProgramRevision.action == action)
        .order_by(ProgramRevision.rev.desc())
        .limit(1)
        .correlate(Program)
    )


_FIRST = select(ProgramRevision.actor).where(
    ProgramRevision.program_id == Program.id, ProgramRevision.rev == 1
)
_PENDING = select(PendingRevision.state).where(
    PendingRevision.entity == "program", PendingRevision.entity_id == Program.id
)
# Of the programs `:ids`: who created it, whether it was published and was changed while it is not, the state of its pending
# revision, whether an index has not confirmed it, its open threads of comments, and who deleted it.
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
    _last("delete").scalar_subquery().label("deleted_by"),
).where(Program.id == func.any(bindparam("ids", type_=ARRAY(BigInteger))))
