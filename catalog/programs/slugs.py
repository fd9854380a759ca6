"""Addresses of programs. Every address a program ever had leads to it and is never given to another program."""

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from catalog.core.errors import Conflict, FieldError, ValidationFailed
from catalog.core.text import MAX_SLUG, slugify
from catalog.programs.models import Program, ProgramSlug

# Letters that an address leaves free for a number or a hash after it.
SUFFIX_LETTERS = 12


def base_of(wanted: str) -> str:
    """Return the address that text gives, not yet compared with others; "" without a letter or digit.

    An address of digits only would be read as an id, so it gets a word before them.
    """
    base = slugify(wanted)
    return f"program-{base}" if base.isdecimal() else base


def free(session: Session, wanted: str, *, program_id: int | None = None, exact: bool = False) -> str:
    """Return an address that no other program has or had.

    Args:
        session: The transaction.
        wanted: Text that the address is made of.
        program_id: The program that the address is for, if it exists.
        exact: An editor chose the address: a taken address is refused. Otherwise it gets a number.

    Raises:
        ValidationFailed: `exact`, and the text has no letter or digit.
        Conflict: `exact`, and the address belongs to another program.
    """
    base = base_of(wanted)
    if not base:
        if exact:
            raise ValidationFailed([FieldError("slug", "invalid", "Needs a letter or a digit.")])
        base = "program"
    prefix = base[: MAX_SLUG - SUFFIX_LETTERS]
    # A slug consists of letters, digits and hyphens, so it has none of LIKE's wildcards.
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
    """Make the program's address lead to it again, after a merge had made it lead to another program."""
    session.execute(update(ProgramSlug).where(ProgramSlug.slug == program.slug).values(program_id=program.id))


def remember(session: Session, program: Program) -> None:
    """Store the program's current address among its addresses.

    Raises:
        Conflict: Another program has got the address in the meantime.
    """
    stored = session.scalar(
        insert(ProgramSlug)
        .values(slug=program.slug, program_id=program.id)
        .on_conflict_do_nothing(index_elements=["slug"])
        .returning(ProgramSlug.program_id)
    )
    if stored is not None:
        return
    owner = session.scalar(select(ProgramSlug.program_id).where(ProgramSlug.slug == program.slug))
    if owner != program.id:
        raise Conflict(f"The address {program.slug!r} belongs to another program.", field="slug")
