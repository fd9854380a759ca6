"""Servers that are killed and come back, with and without what they had, while editors go on."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError

from indexer.engines.admin import Engine
from tests.support.editors import sending, settled
from tests.support.nodes import nodes
from tests.support.pipeline import Pipeline, bulk, change
from tests.support.servers import MASTER_KEY, Servers
from tests.support.threads import alongside
from tests.support.waiting import eventually

pytestmark = pytest.mark.slow


class TestRecord:
    """PostgreSQL, on its own files, which survive."""

    @pytest.fixture
    def servers(self, killable: Servers) -> Mapping[str, str]:
        return killable.addresses

    def test_killed_under_writes(self, pipeline: Pipeline, killable: Servers) -> None:
        ids = bulk(pipeline, 40)
        written: list[int] = []
        with sending(pipeline.settings), stubborn(pipeline, ids, written):
            for _ in range(2):
                before = len(written)
                eventually(lambda n=before: len(written) > n + 20, within=60, what="editors write")
                killable.kill("postgres")
                killable.restart("postgres")
            after = len(written)
            eventually(lambda: len(written) > after + 5, within=60, what="editors write again")
        with sending(pipeline.settings):
            settled(pipeline)


@contextmanager
def stubborn(pipeline: Pipeline, ids: list[int], written: list[int]) -> Iterator[None]:
    """An editor who tries again until it is saved."""

    def write(stop: threading.Event) -> None:
        n = 0
        while not stop.is_set():
            try:
                change(
                    pipeline,
                    "UPDATE programs SET title = :t, status = CASE WHEN :n % 7 = 0 THEN 'draft' ELSE 'published' END "
                    "WHERE id = :id",
                    t=f"Edit {n}",
                    n=n,
                    id=ids[n % len(ids)],
                )
            except DBAPIError:
                stop.wait(0.05)
                continue
            written.append(n)
            n += 1
            stop.wait(0.005)

    with alongside(write):
        yield


@pytest.mark.parametrize("wiped", [False, True], ids=["with its data", "without"])
def test_an_engine_killed_with_batches_on_their_way(wiped: bool, pipeline: Pipeline, tmp_path: Path) -> None:
    with nodes(tmp_path, "east") as (node,):
        indexer = pipeline.settings.indexer.model_copy(
            update={"meili_url": node.url, "meili_key": MASTER_KEY}
        )
        pipeline.settings = replace(pipeline.settings, indexer=indexer)
        pipeline.engine = Engine(indexer)
        ids = bulk(pipeline, 900)
        sent: list[str] = []
        on_their_way, back = threading.Event(), threading.Event()

        def at(point: str) -> None:
            # With three batches on their way, the first of which may be half done.
            if point == "after_send":
                sent.append(point)
                if len(sent) == 3:
                    on_their_way.set()
                    back.wait(60)

        sender = pipeline.sender(at, sync_max_documents=200)
        thread = threading.Thread(target=sender.run)
        thread.start()
        try:
            assert on_their_way.wait(60)
            node.kill()
            if wiped:
                node.wipe()
            node.start()
            change(pipeline, "DELETE FROM programs WHERE id = :id", id=ids[0])
            change(pipeline, "UPDATE programs SET title = 'Since' WHERE id = :id", id=ids[1])
            back.set()
            settled(pipeline)
        finally:
            sender.stop.set()
            thread.join(60)
        assert len(pipeline.stored()) == 899
