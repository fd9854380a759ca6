"""Addresses of programs: unique for ever, Arabic letters kept, old ones lead on."""

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from catalog.errors import Conflict, FieldError, ValidationFailed
from catalog.programs.models import Program, ProgramSlug
from catalog.text import MAX_SLUG, slugify


def free(
    session: Session, wanted: str, *, program_id: int | None = None, exact: bool = False
) -> str:
    """An address made of `wanted` that no other program has or had.

    `exact`: the editor chose it, so a taken one is a Conflict; else a number is added.
    """
    base = slugify(wanted)
    # An address of digits only would be read as an id.
    if base.isdecimal():
        base = f"program-{base}"
    if not base:
        if exact:
            raise ValidationFailed([FieldError("slug", "invalid", "Needs a letter or a digit.")])
        base = "program"
    prefix = base[: MAX_SLUG - 12]
    # Slugs never contain LIKE's wildcards: letters, digits and hyphens only.
    rows = session.execute(
        select(ProgramSlug.slug, ProgramSlug.program_id).where(
            ProgramSlug.slug.in_([base]) | ProgramSlug.slug.like(f"{prefix}-%")
        )
    )
    taken = {slug for slug, owner in rows if owner != program_id}
    if base not in taken:
        return base
    if exact:
        raise Conflict(f"The address {base!r} belongs to another program.", field="slug")
    number = 2
    while f"{prefix}-{number}" in taken:
        number += 1
    return f"{prefix}-{number}"


def take_back(session: Session, program: Program) -> None:
    """The current address is this program's again: a merge had given it to another."""
    session.execute(
        update(ProgramSlug).where(ProgramSlug.slug == program.slug).values(program_id=program.id)
    )


def remember(session: Session, program: Program) -> None:
    """Keep the current address as this program's. Raises Conflict when it was just taken."""
    session.execute(
        insert(ProgramSlug)
        .values(slug=program.slug, program_id=program.id)
        .on_conflict_do_nothing(index_elements=["slug"])
    )
    owner = session.scalar(select(ProgramSlug.program_id).where(ProgramSlug.slug == program.slug))
    if owner != program.id:
        raise Conflict(f"The address {program.slug!r} belongs to another program.", field="slug")
