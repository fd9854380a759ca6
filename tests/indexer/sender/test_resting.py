"""A sender with nothing to send sleeps until it is told, looks by itself ever less often, and leads all the while."""

import threading
from dataclasses import replace
from datetime import datetime
from types import SimpleNamespace

import pytest
from redis import Redis

from catalog.core.changes import ProgramChange
from indexer.sender import leadership, resting, sender
from indexer.sender.resting import Rest
from indexer.settings import IndexerSettings
from indexer.stores.invalidation import Invalidator
from tests.support.databases import scalar
from tests.support.pipeline import Pipeline, publish
from tests.support.product import sending
from tests.support.waiting import eventually

SETTINGS = IndexerSettings(sync_poll_seconds=0.05, sync_idle_seconds=1.0)
NEVER = 3600.0


def heartbeat(pipeline: Pipeline) -> datetime:
    return scalar(pipeline.database, "SELECT heartbeat_at FROM index_targets")  # type: ignore[return-value]  # of any type


def asleep(pipeline: Pipeline, **changed: float) -> Pipeline:
    """The same pipeline, whose senders look as seldom as this says."""
    indexer = pipeline.settings.indexer.model_copy(update=changed)
    return Pipeline(replace(pipeline.settings, indexer=indexer), pipeline.database, pipeline.engine)


def beats(pipeline: Pipeline, count: int) -> None:
    """Wait until the sender has sent so many heartbeats."""
    for _ in range(count):
        before = heartbeat(pipeline)
        eventually(lambda seen=before: heartbeat(pipeline) != seen, what="a heartbeat")  # type: ignore[misc]  # a default


@pytest.mark.slow
def test_a_sender_that_would_never_look_sends_when_it_is_told(
    pipeline: Pipeline, cache_redis: "Redis", monkeypatch: pytest.MonkeyPatch
) -> None:
    # It looks with each heartbeat, too.
    monkeypatch.setattr(sender, "HEARTBEAT_SECONDS", NEVER)
    sleepy = asleep(pipeline, sync_poll_seconds=NEVER, sync_idle_seconds=NEVER)
    invalidator = Invalidator(cache_redis, pipeline.settings.indexer.redis_prefix)
    with sending(sleepy.settings, cache_redis):
        eventually(lambda: scalar(pipeline.database, "SELECT state = 'live' FROM index_targets"))
        for rev in range(2, 5):
            (number,) = publish(pipeline, 1)
            invalidator.programs_changed([ProgramChange(number, rev, visible=True)])
            eventually(lambda: pipeline.waiting() == 0, what="the hint is heard")
    pipeline.audit()


@pytest.mark.slow
def test_a_sender_leads_while_it_sleeps_though_another_stands_by(
    pipeline: Pipeline, cache_redis: "Redis", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "HEARTBEAT_SECONDS", 0.2)
    monkeypatch.setattr(leadership, "_STANDBY_SECONDS", 0.1)
    sleepy = asleep(pipeline, sync_poll_seconds=NEVER, sync_idle_seconds=NEVER)
    with sending(sleepy.settings, cache_redis):
        eventually(lambda: scalar(pipeline.database, "SELECT state = 'live' FROM index_targets"))
        epoch = scalar(pipeline.database, "SELECT epoch FROM index_targets")
        with sending(sleepy.settings, cache_redis):
            # For longer than a silent sender keeps its place.
            beats(pipeline, 5 * round(leadership.SILENT_SECONDS))
            assert scalar(pipeline.database, "SELECT epoch FROM index_targets") == epoch


@pytest.mark.slow
def test_what_nobody_tells_of_is_found(pipeline: Pipeline, cache_redis: "Redis") -> None:
    with sending(pipeline.settings, cache_redis):
        eventually(lambda: scalar(pipeline.database, "SELECT state = 'live' FROM index_targets"))
        # Long enough for the pauses to have grown.
        beats(pipeline, 2)
        publish(pipeline, 1)
        eventually(lambda: pipeline.waiting() == 0, what="the sender looks by itself")
    pipeline.audit()


def test_pauses_grow_with_the_quiet_and_end_with_the_next_work(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(resting, "time", SimpleNamespace(monotonic=lambda: now))
    rest = Rest(SETTINGS, threading.Event(), bell=threading.Event(), hearing=lambda: True)
    pauses = []
    for now in (0.0, 0.4, 2.0, 5.0, 60.0):  # noqa: B007 (the clock)
        pauses.append(rest.pause())
    assert pauses == [0.05, 0.05, pytest.approx(0.2), pytest.approx(0.5), 1.0]
    rest.worked()
    assert rest.pause() == 0.05


def test_without_hints_pauses_stay_short(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(resting, "time", SimpleNamespace(monotonic=lambda: now))
    hears = True
    rest = Rest(SETTINGS, threading.Event(), bell=threading.Event(), hearing=lambda: hears)
    now = 60.0
    assert rest.pause() == 1.0
    hears = False
    assert rest.pause() == 0.05


def test_a_request_to_stop_ends_the_rest_and_stays_a_request() -> None:
    stop = threading.Event()
    stop.set()
    assert Rest(SETTINGS, stop).until_due(NEVER)
    assert stop.is_set()
