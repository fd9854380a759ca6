"""Waiting for something that another thread or process does."""

import time
from collections.abc import Callable


def eventually(check: Callable[[], object], *, within: float = 60, what: str = "") -> object:
    """Call `check` every 20 ms until it returns something true.

    Args:
        check: Returns something true as soon as the wait is over.
        within: Seconds before the test fails: many, because a machine may be as slow as it likes.
        what: Names the awaited event in the failure's message.

    Returns:
        What `check` returned.

    Raises:
        AssertionError: `check` returned nothing true in time.
    """
    deadline = time.monotonic() + within
    while True:
        found = check()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within} s: {what or check}")
        time.sleep(0.02)
