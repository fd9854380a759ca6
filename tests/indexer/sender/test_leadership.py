"""One sender leads a target; a standby takes over from a sender that is silent or dead."""

import os
import signal
import sys
from pathlib import Path

import pytest

from catalog.indexing.leadership import LeadershipLost
from tests.support.pipeline import Pipeline, change, publish
from tests.support.processes import environment, running
from tests.support.waiting import eventually

pytestmark = pytest.mark.slow


def test_a_sender_that_lost_leadership_settles_nothing(pipeline: Pipeline) -> None:
    publish(pipeline, 4)
    second = []

    def at(point: str) -> None:
        # The last moment: everything was sent and confirmed, nothing is settled yet.
        if point == "before_settle":
            second.append(pipeline.sender())

    with pytest.raises(LeadershipLost):
        pipeline.sender(at).run()
    assert pipeline.waiting() == 4
    second[0].drain()
    pipeline.audit()


def test_a_stopped_sender_is_replaced_and_does_no_harm_when_it_wakes(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    ids = publish(pipeline, 5)
    env = environment(pipeline.settings)
    command = [sys.executable, "-m", "deploy", "sync"]
    first = running(command, env, tmp_path / "first.log")
    second = None
    try:
        eventually(lambda: pipeline.waiting() == 0, within=60)
        second = running(command, env, tmp_path / "second.log")
        os.kill(first.pid, signal.SIGSTOP)
        change(pipeline, "UPDATE programs SET title = 'While it slept' WHERE id = :id", id=ids[0])
        eventually(lambda: pipeline.waiting() == 0, within=60, what="a standby takes over")
        os.kill(first.pid, signal.SIGCONT)
        for n in range(10):
            change(pipeline, "UPDATE programs SET title = :title", title=f"Change {n}")
        publish(pipeline, 3)
        eventually(lambda: pipeline.waiting() == 0, within=60)
        pipeline.audit()
        # A sender that was killed is replaced as well, by the one that woke up.
        second.kill()
        second.wait()
        publish(pipeline, 2)
        eventually(lambda: pipeline.waiting() == 0, within=60)
        pipeline.audit()
    finally:
        for child in (first, second):
            if child is not None:
                child.kill()
                child.wait()
