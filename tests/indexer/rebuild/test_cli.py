"""`thmanyah reindex` and `thmanyah drift`: what they print, and the exit codes that scripts rely on."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
from sqlalchemy import text

from api.settings import Settings
from indexer.engines.errors import EngineUnavailableError
from indexer.rebuild import cli
from indexer.sender import leadership
from tests.support.commands import Terminal
from tests.support.databases import scalar
from tests.support.pipeline import Pipeline, bulk, change
from tests.support.product import sending
from tests.support.rebuilds import agrees, carry_out, job, request
from tests.support.threads import alongside

OPEN = "SELECT min(id) FROM reindex_jobs WHERE state NOT IN ('done', 'failed', 'canceled', 'rolled_back')"


@pytest.fixture
def terminal(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setattr(cli, "_POLL_SECONDS", 0.02)
    monkeypatch.setattr(leadership, "TARGETS_SECONDS", 0.05)
    return Terminal(settings, monkeypatch)


@contextmanager
def working(pipeline: Pipeline) -> Iterator[None]:
    """Carry out what is requested, as a worker does."""

    def work(stop: threading.Event) -> None:
        while not stop.wait(0.05):
            job_id = scalar(pipeline.database, OPEN)
            if job_id is not None:
                # The engine is away or its index is being made: the sweep enqueues such a job again.
                with suppress(EngineUnavailableError):
                    carry_out(pipeline, job_id)

    with alongside(work):
        yield


@pytest.mark.slow
def test_a_rebuild_is_watched_to_its_end_and_taken_back(terminal: Terminal, pipeline: Pipeline) -> None:
    bulk(pipeline, 20)
    # A rebuild of an index that is still being made waits for its next lease, thirty seconds later.
    pipeline.sender().drain()
    with sending(pipeline.settings), working(pipeline):
        done = terminal.type(cli.reindex, "--reason", "a new synonym")
        assert done == (0, "reindex job 1\ndone\n")
        assert job(pipeline, 1).reason == "a new synonym"
        assert terminal.type(cli.reindex, "--follow", "1") == (0, "reindex job 1\ndone\n")
        assert terminal.type(cli.reindex, "--rollback", "1") == (0, "reindex job 1\nrolled_back\n")
        agrees(pipeline)


def test_a_rebuild_that_fails_says_why_and_exits_with_1(terminal: Terminal, pipeline: Pipeline) -> None:
    bulk(pipeline, 3)
    pipeline.sender().drain()
    change(pipeline, "UPDATE index_targets SET settings_revision = 99")
    with working(pipeline):
        done = terminal.type(cli.reindex)
    assert done.code == 1
    assert re.fullmatch(r"reindex job 1\nfailed: .*newer code.*\n", done.said), done.said


def test_a_rebuild_without_a_worker_waits_and_is_canceled(terminal: Terminal, pipeline: Pipeline) -> None:
    assert terminal.type(cli.reindex, "--no-wait") == (0, "reindex job 1\n")
    assert terminal.type(cli.reindex, "--cancel", "1") == (0, "reindex job 1\ncanceled\n")
    assert job(pipeline, 1).state == "canceled"


def test_what_cannot_be_is_refused_in_one_line(terminal: Terminal, pipeline: Pipeline) -> None:
    request(pipeline)
    for words in (
        ("--no-wait",),
        ("--engine", "nobody"),
        ("--follow", "99"),
        ("--cancel", "99"),
        ("--rollback", "1"),
    ):
        done = terminal.type(cli.reindex, *words)
        assert (done.code, done.said.startswith("Error: "), done.said.count("\n")) == (1, True, 1), words
    assert scalar(pipeline.database, "SELECT count(*) FROM reindex_jobs") == 1


def row(said: str) -> list[str]:
    """The figures of target 1: state, checked, missing, stale, ghosts, repaired."""
    (found,) = [line for line in said.splitlines() if re.match(r"│\s+1 │", line)]
    return [cell.strip() for cell in found.strip("│").split("│")][1:]


@pytest.mark.slow
def test_drift_exits_with_1_until_it_is_repaired(terminal: Terminal, pipeline: Pipeline) -> None:
    ids = bulk(pipeline, 5)
    sender = pipeline.sender()
    sender.drain()
    done = terminal.type(cli.drift)
    assert (done.code, row(done.said)) == (0, ["done", "5", "0", "0", "0", "0"])
    index = pipeline.engine.client.index(pipeline.settings.indexer.meili_index)
    pipeline.engine.finished(index.delete_document(ids[0]).task_uid)
    done = terminal.type(cli.drift)
    assert (done.code, row(done.said)) == (1, ["done", "5", "1", "0", "0", "0"])
    assert pipeline.waiting() == 0
    done = terminal.type(cli.drift, "--repair")
    assert (done.code, row(done.said)) == (0, ["done", "5", "1", "0", "0", "1"])
    sender.drain()
    pipeline.audit()


def test_drift_of_an_engine_that_is_away_says_so_and_exits_with_1(
    terminal: Terminal, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline.sender().drain()
    with pipeline.database.begin() as connection:
        connection.execute(text("UPDATE engines SET url = 'http://127.0.0.1:1'"))
    monkeypatch.setenv("MEILI_URL", "http://127.0.0.1:1")
    done = terminal.type(cli.drift)
    assert (done.code, row(done.said)[0]) == (1, "failed")
    assert "\ntarget 1: it cannot be reached" in done.said
