"""Which tags and people a program has, in the editor's order.

Writes both link tables for one program; `catalog/programs/bulk.py` copies the links of many new programs at once.
"""

from collections.abc import Sequence

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from catalog.taxonomy import names
from catalog.taxonomy.models import Credit, Person, ProgramPerson, ProgramTag, Tag


def set_tags(session: Session, program_id: int, tag_names: Sequence[str], *, new: bool = False) -> None:
    """Replace the program's tags.

    Args:
        session: The transaction.
        program_id: The program.
        tag_names: Validated names.
        new: The program has just been created, so that it has none yet.
    """
    # Two names may have become one tag.
    tags = dict.fromkeys(tag.id for tag in names.get_or_create(session, Tag, tag_names).values())
    if not new:
        session.execute(delete(ProgramTag).where(ProgramTag.program_id == program_id))
    session.add_all(
        ProgramTag(program_id=program_id, tag_id=tag_id, position=n) for n, tag_id in enumerate(tags)
    )


def set_people(
    session: Session, program_id: int, people: Sequence[tuple[str, str]], *, new: bool = False
) -> None:
    """Replace the program's people; a person has a role once.

    Args:
        session: The transaction.
        program_id: The program.
        people: Validated (role, name) pairs.
        new: The program has just been created, so that it has none yet.
    """
    found = names.get_or_create(session, Person, [name for _, name in people])
    if not new:
        session.execute(delete(ProgramPerson).where(ProgramPerson.program_id == program_id))
    credits = dict.fromkeys((role, found[names.key(name)].id) for role, name in people)
    session.add_all(
        ProgramPerson(program_id=program_id, person_id=person_id, role=role, position=n)
        for n, (role, person_id) in enumerate(credits)
    )


def tags_of(session: Session, program_id: int) -> list[str]:
    """Return the names of the program's tags."""
    return tags_of_all(session, [program_id]).get(program_id, [])


def tags_of_all(session: Session, program_ids: Sequence[int]) -> dict[int, list[str]]:
    """Return the names of the tags of each program that has any, by its id."""
    rows = session.execute(
        select(ProgramTag.program_id, Tag.name)
        .join(Tag, Tag.id == ProgramTag.tag_id)
        .where(ProgramTag.program_id == func.any(list(program_ids)))
        .order_by(ProgramTag.position, Tag.id)
    )
    found: dict[int, list[str]] = {}
    for program_id, name in rows:
        found.setdefault(program_id, []).append(name)
    return found


def people_of(session: Session, program_id: int) -> list[Credit]:
    """Return the program's people."""
    return people_of_all(session, [program_id]).get(program_id, [])


def people_of_all(session: Session, program_ids: Sequence[int]) -> dict[int, list[Credit]]:
    """Return the people of each program that has any, by its id."""
    rows = session.execute(
        select(ProgramPerson.program_id, ProgramPerson.role, Person.name)
        .join(Person, Person.id == ProgramPerson.person_id)
        .where(ProgramPerson.program_id == func.any(list(program_ids)))
        .order_by(ProgramPerson.position, Person.id)
    )
    found: dict[int, list[Credit]] = {}
    for program_id, role, name in rows:
        found.setdefault(program_id, []).append({"role": role, "name": name})
    return found
