"""What is done twice, late, by two, or by a clock that is wrong: the same as once, in time, by one."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from catalog.core.db import database_now, session_factory
from catalog.programs import lifecycle
from indexer.engines import index_settings
from indexer.engines.admin import Engine
from indexer.engines.errors import EngineUnavailableError
from indexer.sender import leadership
from tests.support.databases import scalar
from tests.support.editors import editors, settled
from tests.support.pipeline import Pipeline, bulk, change
from tests.support.processes import environment, running
from tests.support.product import sending
from tests.support.programs import EDITOR, make
from tests.support.rebuilds import agrees, carry_out, job, request, unlease
from tests.support.waiting import eventually

pytestmark = pytest.mark.slow

# A whole process of the product whose idea of the time is off by so many seconds.
SHIFTED = """
import sys, time
from datetime import datetime
import catalog.programs.lifecycle, indexer.jobs.clock, indexer.jobs.schedule, indexer.sender.sender
from deploy.cli import main
shift, real = int(sys.argv.pop(1)), time.time
class Any(type):
    def __instancecheck__(cls, value):
        return isinstance(value, datetime)
class Shifted(datetime, metaclass=Any):
    @classmethod
    def now(cls, tz=None):
        return datetime.fromtimestamp(time.time(), tz)
time.time = lambda: real() + shift
for module in list(sys.modules.values()):
    ours = module.__name__.partition(".")[0] in ("catalog", "indexer", "rq_scheduler")
    if ours and getattr(module, "datetime", None) is datetime:
        module.datetime = Shifted
main()
"""


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leadership, "TARGETS_SECONDS", 0.05)


@pytest.mark.parametrize("hours", [1, -1])
def test_application_clocks_that_are_wrong(hours: int, pipeline: Pipeline, tmp_path: Path) -> None:
    """The sender and the scheduler believe it is an hour later or earlier."""
    with session_factory(pipeline.database).begin() as session:
        now = database_now(session)
        due, later, gone, kept = (
            make(session),
            make(session),
            make(session, "published"),
            make(session, "published"),
        )
        numbers = {name: p.id for name, p in (("due", due), ("later", later), ("gone", gone), ("kept", kept))}
        lifecycle.transition(session, due.id, "schedule", EDITOR, at=now + timedelta(seconds=2))
        lifecycle.transition(session, later.id, "schedule", EDITOR, at=now + timedelta(minutes=30))
        for name, seconds in (("gone", 2), ("kept", 1800)):
            session.execute(
                text("UPDATE programs SET expire_at = now() + make_interval(secs => :s) WHERE id = :id"),
                {"s": seconds, "id": numbers[name]},
            )
    with processes(pipeline, tmp_path, hours, "sync", "scheduler"):
        wanted = {numbers["due"], numbers["kept"]}
        eventually(lambda: pipeline.waiting() == 0 and set(pipeline.stored()) == wanted, within=60)
        settled(pipeline)
        assert scalar(pipeline.database, "SELECT count(*) FROM programs WHERE status = 'scheduled'") == 1


@contextmanager
def processes(pipeline: Pipeline, folder: Path, hours: int, *names: str) -> Iterator[None]:
    env = environment(pipeline.settings)
    started = [
        running([sys.executable, "-c", SHIFTED, str(hours * 3600), name], env, folder / f"{name}.log")
        for name in names
    ]
    # The index is made by the sender; until then there is nothing to look at.
    try:
        index = pipeline.settings.indexer.meili_index
        eventually(lambda: pipeline.engine.created_at(index), within=60, what="the sender")
        yield
    finally:
        for child in started:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()


def test_one_rebuild_asked_of_many_workers_at_once(pipeline: Pipeline) -> None:
    bulk(pipeline, 30)
    uid = pipeline.settings.indexer.meili_index
    with sending(pipeline.settings):
        eventually(lambda: pipeline.waiting() == 0, within=60)
        before = pipeline.engine.created_at(uid)
        swaps = _swaps(pipeline.engine)
        job_id, states = request(pipeline), []
        workers = [
            threading.Thread(target=lambda: states.append(carry_out(pipeline, job_id))) for _ in range(4)
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(120)
        assert sorted(states) == ["busy", "busy", "busy", "done"]
        # And once more, after it is done.
        assert carry_out(pipeline, job_id) in ("busy", "done")
        assert _swaps(pipeline.engine) - swaps == 1
        assert pipeline.engine.created_at(uid) != before
        agrees(pipeline)


def test_a_swap_whose_answer_was_lost_is_not_asked_for_again(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The exchange is still waiting behind a slow batch when the next worker comes."""
    bulk(pipeline, 30)
    uid = pipeline.settings.indexer.meili_index
    real = Engine.swap
    asked: list[int] = []
    slow = [{"id": n, "title": f"word{n} " * 40} for n in range(3000)]

    def swap(engine: Engine, one: str, other: str) -> int:
        engine.send(f"{uid}_slow", slow)
        asked.append(real(engine, one, other))
        raise EngineUnavailableError("the answer was lost")

    with sending(pipeline.settings):
        eventually(lambda: pipeline.waiting() == 0, within=60)
        job_id = request(pipeline)
        with monkeypatch.context() as patched:
            patched.setattr(Engine, "swap", swap)
            with pytest.raises(EngineUnavailableError):
                carry_out(pipeline, job_id)
            assert pipeline.engine.swapping(), "the batch before it has to be slower"
        unlease(pipeline)
        assert carry_out(pipeline, job_id) == "done", job(pipeline, job_id).detail
        assert len(asked) == 1
        assert pipeline.engine.created_at(uid) == job(pipeline, job_id).new_marker
        agrees(pipeline)
    pipeline.engine.drop_index(f"{uid}_slow")


def _swaps(engine: Engine) -> int:
    found = engine.client.http.get("tasks?types=indexSwap&limit=1")
    return int(found["total"])


def test_settings_change_while_editors_write(pipeline: Pipeline) -> None:
    """Somebody changes what needs a rebuild; the sender asks for it, and nothing is lost on the way."""
    ids = bulk(pipeline, 60)
    uid = pipeline.settings.indexer.meili_index
    pipeline.sender().drain()
    with editors(pipeline, ids):
        task = pipeline.engine.client.index(uid).update_settings(
            {"searchableAttributes": ["title", "people"], "rankingRules": ["words"]}
        )
        pipeline.engine.finished(task.task_uid)
        automatic = pipeline.settings.indexer.model_copy(update={"reindex_automatic": True})
        pipeline.settings = type(pipeline.settings)(
            pipeline.settings.catalog, automatic, pipeline.settings.api
        )
        with sending(pipeline.settings):
            asked = "SELECT id FROM reindex_jobs"
            job_id = int(eventually(lambda: scalar(pipeline.database, asked), within=60))
            assert carry_out(pipeline, job_id) == "done", job(pipeline, job_id).detail
    with sending(pipeline.settings):
        agrees(pipeline)
    live = pipeline.engine.settings_of(uid)
    wanted = index_settings.SETTINGS
    assert all(live[n] == wanted[n] for n in ("searchableAttributes", "rankingRules"))


def test_bulk_loads_and_deletes_past_the_application(pipeline: Pipeline) -> None:
    """COPY, UPDATE and DELETE as psql sends them."""
    pipeline.sender().drain()
    with pipeline.database.begin() as connection, connection.connection.cursor() as cursor:
        columns = "slug, title, language, media_type, kind, status, published_at"
        with cursor.copy(f"COPY programs ({columns}) FROM STDIN") as copy:
            for n in range(300):
                status = "published" if n % 3 else "draft"
                copy.write_row((f"c{n}", f"Copied {n}", "en", "audio", "episode", status, "2026-01-01"))
    pipeline.sender().drain()
    assert len(pipeline.stored()) == 200
    pipeline.audit()
    change(pipeline, "UPDATE programs SET title = title || '!' WHERE id % 2 = 0")
    change(pipeline, "DELETE FROM programs WHERE id % 5 = 0")
    pipeline.sender().drain()
    pipeline.audit()
