"""How the load changes with time: the mission's three phases, and its ramp.

Locust tells its worker processes how many users there are. Of the phases, a user is a source of `PER_SOURCE` arrivals
a second (`perf.load.users.Source`), so that the number of users sets the rate, however slow the answers are. Of the
ramp, a user is one client that waits a second between an answer and its next request, as in the mission's script.
"""

from argparse import Namespace
from pathlib import Path
from typing import NamedTuple

from locust import LoadTestShape, User

from perf.load.users import PER_SOURCE, Editor, Source, Visitor


class Stage(NamedTuple):
    """A stretch of the load.

    Attributes:
        seconds: How long it lasts.
        target: Arrivals a second, or clients.
        is_ramp: Whether the target is reached at the end only, and not at once.
    """

    seconds: float
    target: float
    is_ramp: bool = False


# docs: Artillery's configuration and k6's script in the mission.
PHASES = (Stage(60, 100), Stage(300, 1000), Stage(60, 2000))
RAMP = (Stage(120, 100, True), Stage(300, 1000, True), Stage(120, 2000, True), Stage(120, 0, True))


def target_at(stages: tuple[Stage, ...], seconds: float, pace: float = 1.0) -> float | None:
    """Return the target so many seconds after the start; None after the end.

    Args:
        stages: The stages, in order.
        seconds: Since the start.
        pace: How many times faster the stages pass than they say.
    """
    began, before = 0.0, 0.0
    passed = seconds * pace
    for stage in stages:
        if passed < began + stage.seconds:
            share = (passed - began) / stage.seconds if stage.is_ramp else 1.0
            return before + (stage.target - before) * share
        began, before = began + stage.seconds, stage.target
    return None


class _Staged(LoadTestShape):
    """Follows its stages, scaled by the options --scale and --pace."""

    abstract = True
    stages: tuple[Stage, ...]
    users: type[User]
    per_user: float

    def tick(self) -> tuple[int, float, list[type[User]]] | None:
        """Return how many users there are now, how fast they come, and of which kinds."""
        assert self.runner is not None
        options = self.runner.environment.parsed_options or Namespace()
        if options.until and Path(options.until).exists():
            return None
        target = target_at(self.stages, self.get_run_time(), options.pace)
        if target is None:
            return None
        editors = [Editor] if options.editor_password else []
        count = max(1, round(target * options.scale / self.per_user))
        return count + len(editors), 100.0, [self.users, *editors]


class Phases(_Staged):
    """The mission's Artillery phases: 60 s at 100 arrivals a second, 300 s at 1,000, 60 s at 2,000."""

    stages, users, per_user = PHASES, Source, PER_SOURCE


class Ramp(_Staged):
    """The mission's k6 script: up to 100, 1,000 and 2,000 clients, and down again."""

    stages, users, per_user = RAMP, Visitor, 1.0


class Constant(_Staged):
    """As many arrivals a second for as long as it takes; the file of --until ends it. For faults."""

    stages, users, per_user = (Stage(86_400, 100),), Source, PER_SOURCE


SHAPES: dict[str, type[LoadTestShape]] = {"phases": Phases, "ramp": Ramp, "constant": Constant}
