"""Which action leads from which state to which: one table for programs, one for pending revisions.

    draft ──> in_review ──> published ──> archived ──> draft
      │           │             ^  │
      └─────> scheduled ────────┘  └── unpublish ──> draft

`catalog.programs.lifecycle` and `catalog.review.pending` look every step up here; there is no other way from a state
to another one.
"""

from collections.abc import Mapping
from typing import NamedTuple

from catalog.core.errors import IllegalTransition

PROGRAM_STATES = ("draft", "in_review", "scheduled", "published", "archived")
PENDING_STATES = ("draft", "in_review")
# What a deleted program is called besides its status; `deleted_at` says that it is deleted.
DELETED = "deleted"
# States of a program whose text listeners see, or will see without another decision.
LIVE = ("scheduled", "published")
# A pending revision ends in one of these; its row is gone then.
APPLIED, DISCARDED = "applied", "discarded"


class Transition(NamedTuple):
    """The states an action may start from, the state it leads to, and whether it forgets the publishing time."""

    sources: tuple[str, ...]
    target: str
    unschedules: bool = False


PROGRAM: Mapping[str, Transition] = {
    "submit": Transition(("draft",), "in_review"),
    # Taken by the product when the text of a submitted program changes.
    "withdraw": Transition(("in_review",), "draft"),
    # Leads to scheduled instead while the publishing time is in the future.
    "approve": Transition(("in_review",), "published", unschedules=True),
    "reject": Transition(("in_review",), "draft"),
    "schedule": Transition(("draft", "in_review", "scheduled"), "scheduled"),
    "unschedule": Transition(("scheduled",), "draft", unschedules=True),
    "publish": Transition(("draft", "in_review", "scheduled"), "published", unschedules=True),
    "unpublish": Transition(("published",), "draft"),
    "archive": Transition(("draft", "in_review", "scheduled", "published"), "archived", unschedules=True),
    "restore": Transition(("archived",), "draft"),
    "delete": Transition(PROGRAM_STATES, DELETED),
    "undelete": Transition((DELETED,), "draft", unschedules=True),
}
PENDING: Mapping[str, Transition] = {
    # A change after the submission takes the submission back.
    "edit": Transition(("draft", "in_review"), "draft"),
    "submit": Transition(("draft",), "in_review"),
    "approve": Transition(("in_review",), APPLIED),
    "publish": Transition(("draft", "in_review"), APPLIED),
    "reject": Transition(("in_review",), "draft"),
    "discard": Transition(("draft", "in_review"), DISCARDED),
}


def step(table: Mapping[str, Transition], action: str, state: str, what: str = "program") -> Transition:
    """Return the transition that an action is.

    Args:
        table: `PROGRAM` or `PENDING`.
        action: A key of the table.
        state: The state now.
        what: What has the state, for the message.

    Raises:
        IllegalTransition: The action does not start from this state.
    """
    found = table[action]
    if state not in found.sources:
        raise IllegalTransition(action, state, what)
    return found


def require_live(state: str) -> None:
    """Check that a program may have a pending revision: any other program is changed itself.

    Raises:
        IllegalTransition: Nobody sees the program, nor will without another decision.
    """
    if state not in LIVE:
        raise IllegalTransition("keep changes beside", state)
