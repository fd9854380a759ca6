"""Which programs, categories and series a transaction changed, and whether it changed what editors curate.

Writers note each change in the session. After the commit, the caller that committed (a request, a job) takes the
lists and hands them to `indexer/stores/invalidation.py`, which drops the changed rows from the caches.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy.orm import Session

_KEY, _TAXONOMY_KEY, _CURATION_KEY = "changed_programs", "changed_taxonomy", "changed_curation"


@dataclass(frozen=True, slots=True)
class ProgramChange:
    """A program at its new revision; `visible` says whether a listener may see it now."""

    id: int
    rev: int
    visible: bool


@dataclass(frozen=True, slots=True)
class TaxonomyChange:
    """A category or a series at its new revision; `entity` says which of the two."""

    entity: str
    id: int
    rev: int


def note(session: Session, changes: Iterable[ProgramChange]) -> None:
    """Add the changes to the session's list; a later change of a program replaces the earlier one."""
    session.info.setdefault(_KEY, {}).update({change.id: change for change in changes})


def take(session: Session) -> list[ProgramChange]:
    """Return the session's list and empty it; call it after the commit."""
    return list(session.info.pop(_KEY, {}).values())


class Checkpoint(NamedTuple):
    """Both lists at one moment."""

    programs: dict[int, ProgramChange]
    taxonomy: list[TaxonomyChange]


def checkpoint(session: Session) -> Checkpoint:
    """Return the lists as they are now, for `restore` when a savepoint is rolled back."""
    return Checkpoint(dict(session.info.get(_KEY, {})), list(session.info.get(_TAXONOMY_KEY, [])))


def restore(session: Session, checkpoint: Checkpoint) -> None:
    """Set the lists to what `checkpoint` returned: the changes since then were rolled back."""
    session.info[_KEY], session.info[_TAXONOMY_KEY] = checkpoint


def note_taxonomy(session: Session, change: TaxonomyChange) -> None:
    """Add the change to the session's list of changed categories and series."""
    session.info.setdefault(_TAXONOMY_KEY, []).append(change)


def take_taxonomy(session: Session) -> list[TaxonomyChange]:
    """Return the session's list of changed categories and series and empty it; call it after the commit."""
    changes: list[TaxonomyChange] = session.info.pop(_TAXONOMY_KEY, [])
    return changes


def note_curation(session: Session) -> None:
    """Note that collections changed: pages that show them may be others."""
    session.info[_CURATION_KEY] = True


def take_curation(session: Session) -> bool:
    """Return whether collections changed, and forget it; call it after the commit."""
    return bool(session.info.pop(_CURATION_KEY, False))
