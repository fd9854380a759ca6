"""The process that prepares the local stack, and the wait of its supervisor."""

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from deploy.local.errors import LocalStackError
from deploy.local.preparing import Facts, Preparer
from deploy.local.process import Child, wait_for_an_end
from tests.support.waiting import eventually

pytestmark = pytest.mark.slow
NOWHERE = Facts(
    "none", "postgresql+psycopg://postgres@127.0.0.1:1/none", None, None, "m" * 32, "a@b.test", "password"
)


def test_it_reads_the_settings_and_says_what_the_stack_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_PREFIX", "other:")
    with closing(Preparer()) as preparer:
        assert preparer.ask("settings") == {"REDIS_PREFIX": "other:"}


def test_a_wrong_variable_and_a_server_that_is_away_are_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNC_IN_FLIGHT", "many")
    with closing(Preparer()) as preparer:
        with pytest.raises(LocalStackError, match="SYNC_IN_FLIGHT"):
            preparer.ask("settings")
        # It goes on.
        with pytest.raises(LocalStackError, match="PostgreSQL cannot be reached"):
            preparer.ask("count_unsent", NOWHERE)
        assert preparer.ask("engine_keys", NOWHERE) == {}


def test_an_end_is_an_error_and_no_wait() -> None:
    with closing(Preparer()) as preparer:
        preparer.abandon()
        for _ in range(2):
            with pytest.raises(LocalStackError, match="ended"):
                preparer.ask("settings")


def test_an_end_in_the_middle_of_a_step_writes_nothing(database: Engine) -> None:
    url = database.url.render_as_string(hide_password=False)
    facts = replace(NOWHERE, database_url=url, admin_password="a password of tests")
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with closing(Preparer()) as preparer, ThreadPoolExecutor(1) as other:
        with database.connect() as holder:
            holder.execute(text("LOCK TABLE programs IN ACCESS EXCLUSIVE MODE"))
            step = other.submit(preparer.ask, "contents", facts)
            # Each statement by itself: within a transaction the view stays as it was.
            with database.connect().execution_options(isolation_level="AUTOCOMMIT") as looking:
                eventually(lambda: looking.scalar(text(waiting)) == 1)
                preparer.abandon()
            with pytest.raises(LocalStackError, match="ended"):
                step.result(60)
        with database.connect() as connection:
            assert connection.scalar(text("SELECT count(*) FROM accounts")) == 0
            assert connection.scalar(text("SELECT count(*) FROM programs")) == 0


def child(script: str) -> Child:
    return Child("child", [sys.executable, "-c", script], lambda: True, "")


def test_the_supervisor_is_told_of_an_end_and_of_a_request(tmp_path: Path) -> None:
    woken, wakes = os.pipe()
    brief, lasting = child("input()"), child("import time; time.sleep(3600)")
    brief.start(tmp_path)
    lasting.start(tmp_path)
    try:
        while brief.running:
            wait_for_an_end([brief, lasting], woken, 3600)
        assert lasting.running
        brief.ended(60)
        # What does not run is passed over.
        os.close(wakes)
        wait_for_an_end([brief, lasting], woken, 3600)
        assert lasting.running
    finally:
        lasting.stop()
        os.close(woken)
