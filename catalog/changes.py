"""What a transaction changed, so that its edge can drop caches after the commit."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy.orm import Session

_KEY = "changed_programs"


@dataclass(frozen=True, slots=True)
class ProgramChange:
    """A program at its new `rev`; `visible` says whether a listener may still see it."""

    id: int
    rev: int
    visible: bool


def note(session: Session, changes: Iterable[ProgramChange]) -> None:
    """Remember the changes; a later one of the same program replaces the earlier."""
    session.info.setdefault(_KEY, {}).update({change.id: change for change in changes})


def take(session: Session) -> list[ProgramChange]:
    """The remembered changes, once: call it after the commit."""
    return list(session.info.pop(_KEY, {}).values())


def noted(session: Session) -> dict[int, ProgramChange]:
    """What is remembered so far, to come back to when a savepoint is rolled back."""
    return dict(session.info.get(_KEY, {}))


def put_back(session: Session, earlier: dict[int, ProgramChange]) -> None:
    """Remember only what `noted` returned."""
    session.info[_KEY] = earlier
