"""The steps of a program and of its pending revision: which ones somebody may take now, and taking them.

The tables of `catalog.review.states` say what the state allows, the routes of the API whom they let, so that a page offers
nothing that is refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from litestar.handlers import HTTPRouteHandler

from api.editorial import programs
from api.editorial.review import programs as pending
from api.editorial.review import transitions
from api.editorial.schemas import ActionIn, EditorAnswer, ScheduleIn
from api.http.request import Principal
from catalog.review.states import LIVE, PENDING, PROGRAM

# Routes that are made in a loop have no names in their modules.
ROUTES: Mapping[str, HTTPRouteHandler] = {
    str(route.name): route for route in (*transitions.HANDLERS, *pending.HANDLERS) if route.name
}


@dataclass(frozen=True, slots=True)
class Step:
    """A step that somebody may take.

    Attributes:
        name: Of its texts; that of a pending revision begins with `pending_`.
        action: A key of the table of states.
        route: What takes it.
        is_pending: It is one of the pending revision.
        asks: It has an effect for listeners, or needs to be told something, so a page asks first.
        speaks: The person may say something about it.
        is_strong: It is what usually comes next.
    """

    name: str
    action: str
    route: HTTPRouteHandler
    is_pending: bool = False
    asks: bool = True
    speaks: bool = True
    is_strong: bool = False

    def sources(self) -> tuple[str, ...]:
        """Return the states from which it may be taken."""
        return (PENDING if self.is_pending else PROGRAM)[self.action].sources


def _own(action: str, *, asks: bool = True, speaks: bool = True, is_strong: bool = False) -> Step:
    return Step(action, action, ROUTES[f"program.{action}"], False, asks, speaks, is_strong)


def _waiting(action: str, *, asks: bool = True, speaks: bool = True, is_strong: bool = False) -> Step:
    route = ROUTES[f"program.pending.{action}"]
    return Step(f"pending_{action}", action, route, True, asks, speaks, is_strong)


# In the order in which a page offers them.
STEPS: Mapping[str, Step] = {
    step.name: step
    for step in (
        _own("submit", asks=False, is_strong=True),
        _own("approve", is_strong=True),
        _own("reject"),
        _own("publish", is_strong=True),
        Step("schedule", "schedule", transitions.schedule_program, speaks=False),
        _own("unschedule"),
        _own("unpublish"),
        _own("archive"),
        _own("restore", asks=False, is_strong=True),
        Step("delete", "delete", programs.delete_program, speaks=False),
        _waiting("submit", asks=False, speaks=False, is_strong=True),
        _waiting("approve", is_strong=True),
        _waiting("reject"),
        _waiting("publish"),
        _waiting("discard", speaks=False),
    )
}


def offered(answer: EditorAnswer, person: Principal) -> list[Step]:
    """Return the steps that somebody may take with a program as it is now.

    Args:
        answer: The program, with its pending revision.
        person: Who looks at it.
    """
    waiting = answer.pending.state if answer.pending is not None and answer.data.status in LIVE else None
    return [
        step
        for step in STEPS.values()
        if (waiting if step.is_pending else answer.data.status) in step.sources()
        and person.roles & set(step.route.opt["roles"])
    ]


def seen_of(answer: EditorAnswer, step: Step) -> str:
    """Return the number of the revision that a step is about; nothing when there is none.

    Args:
        answer: The program, with its pending revision.
        step: The step.
    """
    if not step.is_pending:
        return str(answer.data.rev)
    return str(answer.pending.rev) if answer.pending is not None else ""


def given(step: Step, program_id: int, seen: str, comment: str, at: ScheduleIn | None) -> dict[str, object]:
    """Return the parameters and the body of the route of a step.

    Args:
        step: The step.
        program_id: The program.
        seen: The number of the revision that the person has read.
        comment: What the person says about it.
        at: When to publish, for `schedule`.
    """
    found: dict[str, object] = {
        "row_id" if step.is_pending else "program_id": program_id,
        "if_match": f'"{seen}"',
    }
    if step.action == "schedule":
        found["data"] = at
    elif step.speaks:
        found["data"] = ActionIn(comment=comment)
    return found
