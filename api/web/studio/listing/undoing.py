"""How a step with many programs is taken back: by other steps of the same kind, where that is exact.

A step is taken back exactly when one step leads each program to what the answer's `changes` say it was before. So a program
that was archived while it was published has no such step: it would be restored, and published.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from api.editorial.schemas import BULK_EDITS, BulkItem
from api.web.studio.listing.address import typed
from api.web.studio.listing.steps import AT, CATEGORY, NO_CATEGORY, TAGS
from catalog.review.states import PROGRAM

# Steps that take a step back. Rejecting and approving say more than that.
_BACK = ("unpublish", "publish", "unschedule", "restore", "archive", "schedule", "undelete")


class Back(NamedTuple):
    """A step that takes a step back: its name, and the field that it needs with its value."""

    step: str
    field: str = ""
    value: str = ""


@dataclass(frozen=True, slots=True)
class Undo:
    """A step back, and the programs for which it is exact, each with its present revision."""

    back: Back
    programs: dict[int, int]


def undoing(
    step: str, items: Iterable[BulkItem], planned: Mapping[int, datetime | None]
) -> tuple[list[Undo], list[int]]:
    """Return the steps that take a step back exactly, and the programs that were changed and have none.

    Args:
        step: The step that was taken.
        items: Its outcomes.
        planned: Program -> when it is published now, if that is planned.
    """
    found: dict[Back, dict[int, int]] = {}
    without = []
    for item in items:
        if not item.ok or item.rev is None or not (item.changes or item.ends):
            continue
        back = None if item.waits or item.ends else _back(step, item.changes, planned.get(item.id))
        if back is None:
            without.append(item.id)
        else:
            found.setdefault(back, {})[item.id] = item.rev
    return [Undo(back, programs) for back, programs in found.items()], without


def _back(step: str, changes: Mapping[str, Sequence[object]], planned: datetime | None) -> Back | None:
    if step in BULK_EDITS:
        ((name, (before, after)), *others) = changes.items()
        # The edit took a submission back, too.
        if others:
            return None
        return _category(before) if name == "categoryId" else _tags(before, after)
    if step == "undelete":
        # The trash would say another state than before.
        return None
    return _state(changes, planned)


def _category(before: object) -> Back:
    return Back("categorise", CATEGORY, NO_CATEGORY if before is None else str(before))


def _tags(before: object, after: object) -> Back | None:
    """Return the step that gives a program its tags again, in the same order."""
    if not isinstance(before, list) or not isinstance(after, list):
        return None
    if after[: len(before)] == before:
        return Back("untag", TAGS, typed(after[len(before) :]))
    if before[: len(after)] == after:
        return Back("tag", TAGS, typed(before[len(after) :]))
    return None


def _state(changes: Mapping[str, Sequence[object]], planned: datetime | None) -> Back | None:
    """Return the step that leads a program to its state before, with the time for which it was planned."""
    now = None if planned is None else planned.isoformat()
    state_before, state = changes.get("status", ("scheduled", "scheduled"))
    planned_before = changes["scheduledPublishAt"][0] if "scheduledPublishAt" in changes else now
    for name in _BACK:
        sources, target, unschedules = PROGRAM[name]
        if state not in sources or target != state_before:
            continue
        if name == "schedule":
            return Back(name, AT, str(planned_before))
        if (None if unschedules else now) == planned_before:
            return Back(name)
    return None
