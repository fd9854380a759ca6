"""Waiting for something that another thread or process does."""

import time
from collections.abc import Callable

from sqlalchemy import Engine as Database
from sqlalchemy import text

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


def waiting_for_a_lock(database: Database) -> bool:
    """Whether somebody waits for a lock in the test's database."""
    with database.connect() as connection:
        statement = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        return bool(connection.scalar(text(statement)))
