"""The process that prepares the local stack, and the wait of its supervisor."""

import os
import sys
from contextlib import closing
from pathlib import Path

import pytest

from deploy.local.errors import LocalStackError
from deploy.local.preparing import Facts, Preparer
from deploy.local.process import Child, wait_for_an_end

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
        preparer._process.kill()
        for _ in range(2):
            with pytest.raises(LocalStackError, match="ended"):
                preparer.ask("settings")


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
