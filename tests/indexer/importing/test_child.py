"""The child process that reads strangers' documents: it answers, works ahead, and is killed when it takes too long."""

import os
import signal
from collections.abc import Iterator

import pytest

from indexer.importing.child import Child
from indexer.importing.errors import ImportFailed


class Reader:
    """What a test's child does."""

    def __init__(self) -> None:
        self.calls = 0

    def double(self, number: int) -> int:
        self.calls += 1
        return number * 2

    def count(self) -> int:
        return self.calls

    def refuse(self) -> None:
        raise ImportFailed("not_a_feed", "No feed.")

    def fail(self) -> None:
        raise KeyError("x")

    def spin(self) -> None:
        while True:
            pass

    def die(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


@pytest.fixture
def child() -> Iterator[Child]:
    child = Child(Reader, 1)
    yield child
    child.close()


def test_a_call_returns_or_raises_what_the_method_does(child: Child) -> None:
    assert child.call("double", 4) == 8
    with pytest.raises(ImportFailed, match=r"No feed\.") as refused:
        child.call("refuse")
    assert refused.value.code == "not_a_feed"
    with pytest.raises(RuntimeError):
        child.call("fail")
    assert child.call("double", 5) == 10


def test_a_call_that_was_made_ahead_is_made_once(child: Child) -> None:
    child.call_ahead("double", 4)
    assert (child.call("double", 4), child.call("count")) == (8, 1)
    child.call_ahead("double", 4)
    assert (child.call("double", 5), child.call("count")) == (10, 3)
    child.call_ahead("refuse")
    assert child.call("double", 6) == 12


@pytest.mark.slow
def test_a_call_beyond_its_budget_of_processor_time_is_killed(child: Child) -> None:
    with pytest.raises(ImportFailed) as failed:
        child.call("spin")
    assert (failed.value.code, failed.value.retryable) == ("too_slow_to_read", False)
    # It stays dead; a run has one child.
    with pytest.raises(ImportFailed):
        child.call("double", 4)


def test_a_child_that_died_is_no_verdict_about_the_document(child: Child) -> None:
    with pytest.raises(ImportFailed) as failed:
        child.call("die")
    assert (failed.value.code, failed.value.retryable) == ("unreadable", True)
