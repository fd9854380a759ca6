"""Waiting for something that another thread or process does."""

import time
from collections.abc import Callable

# Seconds between two looks: at first, and at most. Looking costs both sides processor time, so the longer the wait has
# taken the longer is the pause, but it adds a twentieth to the wait at most.
FIRST_PAUSE, LONGEST_PAUSE = 0.02, 0.1


def eventually(check: Callable[[], object], *, within: float = 60, what: str = "") -> object:
    """Call `check` again and again until it returns something true.

    Args:
        check: Returns something true as soon as the wait is over.
        within: Seconds before the test fails: many, because a machine may be as slow as it likes.
        what: Names the awaited event in the failure's message.

    Returns:
        What `check` returned.

    Raises:
        AssertionError: `check` returned nothing true in time.
    """
    began = time.monotonic()
    while True:
        found = check()
        if found:
            return found
        waited = time.monotonic() - began
        if waited > within:
            raise AssertionError(f"not within {within} s: {what or check}")
        time.sleep(min(LONGEST_PAUSE, FIRST_PAUSE + waited / 20))
