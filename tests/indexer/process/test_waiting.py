"""Waiting for servers at the start of a process."""

import logging
import threading

import pytest

from indexer.process import waiting


def test_each_dependency_is_asked_until_it_answers_and_named_meanwhile(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "FIRST_PAUSE", 0.001)
    refusals = [ConnectionError("refused\nby all"), ConnectionError("starting up")]
    asked: list[str] = []

    def database() -> None:
        asked.append("database")
        if refusals:
            raise refusals.pop(0)

    dependencies = {"PostgreSQL": database, "the queue": lambda: asked.append("queue")}
    with caplog.at_level(logging.WARNING):
        assert waiting.wait_for(dependencies, threading.Event(), (ConnectionError,))
    assert asked == ["database", "database", "database", "queue"]
    said = [record.getMessage() for record in caplog.records]
    assert said == [
        "waiting for PostgreSQL, asking again in 0.0 s: refused",
        "waiting for PostgreSQL, asking again in 0.0 s: starting up",
    ]


def test_a_process_that_is_asked_to_end_waits_no_longer() -> None:
    stop = threading.Event()

    def away() -> None:
        stop.set()
        raise ConnectionError

    assert not waiting.wait_for({"PostgreSQL": away}, stop, (ConnectionError,))


def test_what_waiting_cannot_mend_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        waiting.wait_for({"PostgreSQL": lambda: 1 / 0}, threading.Event(), (ConnectionError,))
