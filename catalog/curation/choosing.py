"""Which programs editors may choose for a collection or a pin."""

from collections.abc import Collection, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from catalog.core.errors import FieldError, ValidationFailed
from catalog.programs.models import Program


def require_programs(
    session: Session, field: str, program_ids: Sequence[int], most: int, chosen: Collection[int] = ()
) -> None:
    """Check that programs may be chosen, in whatever state they are.

    Args:
        session: The transaction.
        field: What an error names.
        program_ids: The programs.
        most: How many there may be.
        chosen: Programs that were chosen before: they may have been deleted since.

    Raises:
        ValidationFailed: There are too many programs, one is repeated, or one does not exist.
    """
    if len(program_ids) > most:
        raise ValidationFailed([FieldError(field, "too_long", f"At most {most} programs.")])
    if len(set(program_ids)) < len(program_ids):
        raise ValidationFailed([FieldError(field, "duplicate", "A program is named twice.")])
    there = select(Program.id).where(Program.id == func.any(list(program_ids)), Program.deleted_at.is_(None))
    absent = set(program_ids) - set(session.scalars(there)) - set(chosen)
    if absent:
        named = ", ".join(map(str, sorted(absent)))
        raise ValidationFailed([FieldError(field, "not_found", f"No such program: {named}.")])
