"""What pending revisions of programs call tags and people, when these get another name or none.

As for the programs themselves this is no change: the number of a pending revision stays, and no conflict comes of it.
"""

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from catalog.review.models import PendingRevision


def naming(field: str, name: str) -> ColumnElement[bool]:
    """Return the condition that a pending revision of a program names it: as it shall be, or as it was.

    Args:
        field: `tags` or `people`.
        name: The tag or the person.
    """
    wanted = func.jsonb_build_array(name if field == "tags" else func.jsonb_build_object("name", name))
    places = (PendingRevision.changes[field], PendingRevision.base[field])
    return (PendingRevision.entity == "program") & or_(*(place.bool_op("@>")(wanted) for place in places))


def rename(session: Session, field: str, before: str, after: str | None) -> None:
    """Call a tag or a person otherwise in every pending revision.

    Args:
        session: The transaction; it has locked the programs.
        field: `tags` or `people`.
        before: The name until now.
        after: The name from now on; where it stands already, it stays alone. None: it is taken out.
    """
    for found in session.scalars(select(PendingRevision).where(naming(field, before))).all():
        found.changes = found.changes | {field: replaced(found.changes[field], before, after)}
        found.base = found.base | {field: replaced(found.base[field], before, after)}
    session.flush()


def replaced(named: object, before: str, after: str | None) -> object:
    """Return a list of names, or of people with their roles, with another name.

    >>> replaced(["a", "b", "c"], "a", "c")
    ['b', 'c']
    >>> replaced([{"role": "host", "name": "a"}, {"role": "guest", "name": "a"}], "a", "b")
    [{'role': 'host', 'name': 'b'}, {'role': 'guest', 'name': 'b'}]

    Args:
        named: The list.
        before: The name until now.
        after: The name from now on; None: it is taken out.
    """
    if not isinstance(named, list):
        return named
    found: list[object] = []
    for one in named:
        if (one["name"] if isinstance(one, dict) else one) != before:
            found.append(one)
            continue
        other = {**one, "name": after} if isinstance(one, dict) else after
        if after is not None and other not in named:
            found.append(other)
    return found
