"""An engine that is away, full or slow: nothing is settled before it has confirmed."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import pytest

from catalog.core.db import session_factory
from catalog.indexing import marks
from indexer import metrics
from indexer.engines.admin import Engine
from indexer.engines.errors import EngineUnavailableError
from indexer.engines.messages import Task, TaskError, Ticket
from indexer.sender import leadership
from indexer.sender import sender as module
from indexer.sender.sender import Sender
from tests.support.pipeline import Pipeline, publish
from tests.support.waiting import eventually

pytestmark = pytest.mark.slow


def steps(sender: Sender) -> None:
    """More than enough looks to come upon whatever is in the way."""
    for _ in range(2000):
        sender.step()


@contextmanager
def _failing(engine: Engine, times: int, error: Callable[[], Exception]) -> Iterator[list[int]]:
    calls: list[int] = []
    real = engine.send

    def send(uid: str, documents: Any) -> int:
        calls.append(len(documents))
        if len(calls) <= times:
            raise error()
        return real(uid, documents)

    engine.send = send
    try:
        yield calls
    finally:
        engine.send = real


def test_an_engine_that_is_away_is_waited_for(pipeline: Pipeline) -> None:
    publish(pipeline, 5)
    stop = threading.Event()
    with _failing(pipeline.engine, 3, lambda: EngineUnavailableError("away")) as calls:
        sender = pipeline.sender()
        sender.stop = stop
        thread = threading.Thread(target=sender.run)
        thread.start()
        eventually(lambda: pipeline.waiting() == 0)
        stop.set()
        thread.join()
    assert len(calls) == 4
    pipeline.audit()


def test_a_sender_that_ends_says_no_longer_that_its_engine_is_away(pipeline: Pipeline) -> None:
    publish(pipeline, 1)
    sender, stop = pipeline.sender(), threading.Event()
    sender.stop, waits = stop, metrics.BREAKER.labels("sender", sender.target.engine)
    with _failing(pipeline.engine, 1000, lambda: EngineUnavailableError("away")):
        thread = threading.Thread(target=sender.run)
        thread.start()
        eventually(lambda: waits._value.get() == 1)
        stop.set()
        thread.join()
    assert waits._value.get() == 0


@pytest.mark.parametrize("code", ["no_space_left_on_device", "internal"])
def test_a_full_disk_parks_nothing(code: str, pipeline: Pipeline) -> None:
    publish(pipeline, 3)
    real = pipeline.engine.task
    answers = [Task(0, None, "", "failed", TaskError(code))] * 2

    def task(asked_for: Ticket | int) -> Task | None:
        return answers.pop() if answers else real(asked_for)

    sender = pipeline.sender()
    sender.drain()
    publish(pipeline, 3)
    pipeline.engine.task = task
    for _ in range(2):
        with pytest.raises(EngineUnavailableError):
            steps(sender)
    assert pipeline.waiting() == 3
    sender.drain()
    pipeline.audit()


def test_a_task_that_vanished_is_sent_again(pipeline: Pipeline) -> None:
    pipeline.sender().drain()
    publish(pipeline, 3)
    real = pipeline.engine.task
    answers: list[None] = [None]
    pipeline.engine.task = lambda uid: answers.pop() if answers else real(uid)
    pipeline.sender().drain()
    assert answers == []
    pipeline.audit()


def test_a_slow_task_is_not_a_failed_one(pipeline: Pipeline) -> None:
    publish(pipeline, 3)
    pipeline.sender().drain()
    publish(pipeline, 3)
    sender = pipeline.sender(sync_task_timeout=0.001)
    real = pipeline.engine.task
    pipeline.engine.task = lambda uid: Task(0, None, "", "processing")
    with pytest.raises(EngineUnavailableError):
        steps(sender)
    assert pipeline.waiting() == 3
    pipeline.engine.task = real
    pipeline.sender().drain()
    pipeline.audit()


def test_a_sender_that_isolates_a_document_sends_heartbeats(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "HEARTBEAT_SECONDS", 0.05)
    sender = pipeline.sender()
    sender.drain()
    publish(pipeline, 2)
    beats: list[float] = []
    monkeypatch.setattr(sender, "_beat", lambda: beats.append(time.monotonic()))
    real = pipeline.engine.task
    until = time.monotonic() + 1

    def slow(ticket: Any) -> Any:
        task = real(ticket)
        if task is not None and time.monotonic() < until:
            return msgspec.structs.replace(task, status="processing")
        return task

    monkeypatch.setattr(pipeline.engine, "task", slow)
    with session_factory(pipeline.database).begin() as session:
        claimed = marks.claim(session, sender.target.id, sender.epoch, 10) or []
    sender._isolate(claimed)
    assert len([at for at in beats if at < until]) >= 3


def test_a_sender_that_crashes_starts_again_after_growing_pauses(caplog: pytest.LogCaptureFixture) -> None:
    crashes = leadership._Crashes()

    def crash() -> None:
        raise ZeroDivisionError

    pauses = []
    for _ in range(8):
        crashes.count(4711, crash)
        pauses.append(round(crashes._last[4711][1] - time.monotonic()))
        assert crashes.are_recent(4711)
        assert not crashes.are_recent(1)
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]
    counted = [
        s.value for m in metrics.SENDER_CRASHES.collect() for s in m.samples if s.labels["target"] == "4711"
    ]
    assert counted[0] == 8
    assert "the sender of target 4711 crashed" in caplog.text
