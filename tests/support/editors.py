"""Editors who write without a pause, beside a sender that soon gives up on a silent line."""

import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from api.settings import Settings
from indexer.sender import leadership
from tests.support.pipeline import Pipeline, change
from tests.support.threads import alongside
from tests.support.waiting import eventually


@contextmanager
def sending(settings: Settings) -> Iterator[None]:
    """Run the sender of one target until the block ends; it waits one second for a silent engine."""
    indexer = settings.indexer.model_copy(update={"write_timeout": 1.0})
    with alongside(lambda stop: leadership.run(settings.catalog, indexer, None, stop)):
        yield


@contextmanager
def editors(pipeline: Pipeline, ids: list[int]) -> Iterator[None]:
    """Edit, withdraw, publish and delete these programs by plain SQL until the block ends."""

    def write(stop: threading.Event) -> None:
        for n in itertools.count():
            if stop.wait(0.02):
                return
            one, other = ids[n % len(ids)], ids[(n * 7 + 3) % len(ids)]
            change(pipeline, "UPDATE programs SET title = :t WHERE id = :id", t=f"Edit {n}", id=one)
            if n % 5 == 0:
                flip = "UPDATE programs SET status = CASE status WHEN 'draft' THEN 'published' ELSE 'draft' END WHERE id = :id"
                change(pipeline, flip, id=other)
            if n % 40 == 39:
                change(pipeline, "DELETE FROM programs WHERE id = :id", id=other)

    with alongside(write):
        yield


def settled(pipeline: Pipeline) -> None:
    """Wait until no mark is left, then audit."""
    eventually(lambda: pipeline.waiting() == 0, within=60, what="nothing waits")
    pipeline.audit()
