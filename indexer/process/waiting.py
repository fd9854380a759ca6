"""Waiting for the servers without which a process cannot begin. Called at the start of the sender, worker and scheduler."""

import logging
import threading
from collections.abc import Callable, Mapping

log = logging.getLogger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0


def wait_for(
    dependencies: Mapping[str, Callable[[], object]], stop: threading.Event, away: tuple[type[Exception], ...]
) -> bool:
    """Ask each dependency, again and again with growing pauses, until it answers. Each refusal is a line in the log.

    Args:
        dependencies: What a dependency is called -> asks it.
        stop: Ends the waiting.
        away: What asking raises while the dependency cannot be used.

    Returns:
        False when the process was asked to end.
    """
    for name, ask in dependencies.items():
        pause = FIRST_PAUSE
        while not stop.is_set():
            try:
                ask()
                break
            except away as error:
                reason = str(error).partition("\n")[0]
                log.warning("waiting for %s, asking again in %.1f s: %s", name, pause, reason)
            stop.wait(pause)
            pause = min(LONGEST_PAUSE, 2 * pause)
    return not stop.is_set()
