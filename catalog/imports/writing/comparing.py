"""What an import changes of a program that exists, without undoing what an editor changed.

A field is taken over from the source only while the program still says what the source said last time, and
while no editor has locked the field. The rule is the same for every field, and for a value that the source takes
away.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from catalog.core.fields import camel
from catalog.imports.writing.rows import as_json
from catalog.taxonomy.names import key

# What a program has where nobody says anything. Every other field is then None.
_EMPTY: dict[str, object] = {
    "description": "",
    "is_featured": False,
    "is_explicit": False,
    "tags": [],
    "people": [],
}
# A source that stops to name an address does not take it away: a program always has one.
_NEVER_EMPTY = {"slug"}


class Changes(NamedTuple):
    """What the comparison of a program with its source found.

    Attributes:
        values: What to take over, by column name.
        edited: What the source says of the fields whose value an editor wrote and that differ, by JSON name.
        conflicts: Those of `edited` of which the source says something else than last time: [here, source].
    """

    values: dict[str, object]
    edited: dict[str, object]
    conflicts: dict[str, list[object]]


def changes(
    values: Mapping[str, object],
    last: Mapping[str, object],
    current: Mapping[str, object],
    locked: Sequence[str],
    unspoken: Collection[str] = (),
) -> Changes:
    """Return what to take over. A field that nobody names is empty, for the source as for the program.

    Args:
        values: What the source says now, by column name.
        last: What it said last time, by column name, as `rows.as_json` stores it.
        current: The program's snapshot, by JSON name.
        locked: JSON names of the fields that an editor has locked.
        unspoken: Columns of which this source cannot say anything; they stay as they are.
    """
    taken: dict[str, object] = {}
    edited: dict[str, object] = {}
    conflicts: dict[str, list[object]] = {}
    stored = as_json(values)
    for name in dict.fromkeys((*values, *last)):
        if name in unspoken or (name in _NEVER_EMPTY and name not in values):
            continue
        field, empty = camel(name), _EMPTY.get(name)
        now = _comparable(name, _or(current.get(field), empty))
        new = _comparable(name, _or(stored.get(name), empty))
        before = _comparable(name, _or(last.get(name), empty))
        if new == now:
            continue
        if field not in locked and now == before:
            taken[name] = _or(values.get(name), empty)
            continue
        edited[field] = _or(stored.get(name), empty)
        if new != before:
            conflicts[field] = [current.get(field), edited[field]]
    return Changes(taken, edited, conflicts)


def said(
    values: Mapping[str, object], last: Mapping[str, object], unspoken: Collection[str]
) -> dict[str, object]:
    """Return the values that the source has given until now, by column name.

    Args:
        values: The values of the item that is read now.
        last: The values that the source gave before, as `rows.as_json` stores them.
        unspoken: The fields that the source cannot give now; their values in `last` stay.
    """
    return {name: value for name, value in last.items() if name in unspoken} | as_json(values)


def _or(value: object, empty: object) -> object:
    return empty if value is None else value


def difference(
    values: Mapping[str, object], current: Mapping[str, object] | None = None
) -> dict[str, object]:
    """Return [before, after] of each value, by JSON name.

    Args:
        values: The new values, by column name.
        current: The program's snapshot; None for a program that does not exist yet.
    """
    before = current or {}
    return {camel(name): [before.get(camel(name)), value] for name, value in as_json(values).items()}


def _comparable(name: str, value: object) -> object:
    """Return a value of which two are equal if they mean the same: spellings of a name, ways to write a moment."""
    if name == "people" and isinstance(value, Iterable):
        return list(dict.fromkeys(_credit(person) for person in value))
    if name == "tags" and isinstance(value, Iterable):
        return list(dict.fromkeys(key(str(tag)) for tag in value))
    if name in ("tags", "people"):
        return []
    if name in ("release_date", "expire_at") and isinstance(value, str):
        return datetime.fromisoformat(value)
    return value


def _credit(person: object) -> tuple[object, str]:
    """A person of a snapshot ({role, name}) or of stored values ([role, name])."""
    role, who = (person["role"], person["name"]) if isinstance(person, dict) else _pair(person)
    return role, key(str(who))


def _pair(person: object) -> Sequence[object]:
    return person if isinstance(person, list | tuple) else ("", "")
