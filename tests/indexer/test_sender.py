"""The sender against everything that goes wrong; every test ends with the audit."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import text

from catalog.db import session_factory
from catalog.dirty import LostPlaceError
from catalog.programs import lifecycle
from indexer import document
from indexer.engine import Engine, EngineRejectedError, EngineUnavailableError
from indexer.sync import CRASH_POINTS, Sender
from tests.catalog.support import EDITOR, make
from tests.indexer.conftest import Pipeline
from tests.journeys.conftest import environment
from tests.support.servers import eventually, running

# A whole process of the product that ends itself, by the hardest signal, at a named moment.
DIES = """
import os, signal, sys, threading
from catalog.settings import CatalogSettings
from indexer import place
from indexer.settings import IndexerSettings

def at(point):
    if point == sys.argv[1]:
        os.kill(os.getpid(), signal.SIGKILL)

place.run(CatalogSettings(), IndexerSettings(), None, threading.Event(), at=at)
"""


def publish(pipeline: Pipeline, count: int, **values: Any) -> list[int]:
    with session_factory(pipeline.database).begin() as session:
        return [make(session, "published", **values).id for _ in range(count)]


def bulk(pipeline: Pipeline, count: int) -> list[int]:
    """By plain SQL, in the first category where there is one."""
    with pipeline.database.begin() as connection:
        return list(
            connection.scalars(
                text(
                    "INSERT INTO programs (slug, title, language, media_type, kind, status, published_at, category_id) "
                    "SELECT 'b' || n, 'Bulk ' || n, 'en', 'audio', 'episode', 'published', now(), (SELECT min(id) FROM categories) "
                    "FROM generate_series(1, :count) n RETURNING id"
                ),
                {"count": count},
            )
        )


def change(pipeline: Pipeline, statement: str, **values: Any) -> None:
    with pipeline.database.begin() as connection:
        connection.execute(text(statement), values)


def steps(sender: Sender) -> None:
    """More than enough looks to come upon whatever is in the way."""
    for _ in range(2000):
        sender.step()


@pytest.mark.parametrize("point", CRASH_POINTS)
def test_killed_at_any_moment_nothing_is_lost(
    point: str, pipeline: Pipeline, tmp_path: Path
) -> None:
    ids = publish(pipeline, 20)
    change(pipeline, "UPDATE programs SET status = 'draft' WHERE id = :id", id=ids[3])
    dying = subprocess.run(
        [sys.executable, "-c", DIES, point],
        env=os.environ | environment(pipeline.settings),
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert dying.returncode == -signal.SIGKILL, dying.stderr
    # What happened since the crash is found as well.
    change(pipeline, "UPDATE programs SET title = 'Later' WHERE id = :id", id=ids[0])
    change(pipeline, "DELETE FROM programs WHERE id = :id", id=ids[1])
    pipeline.sender().drain()
    pipeline.audit()
    assert len(pipeline.stored()) == 18


def test_an_edit_during_the_send_keeps_its_mark(pipeline: Pipeline) -> None:
    ids = publish(pipeline, 2)
    seen: list[str] = []

    def at(point: str) -> None:
        if point == "after_send" and not seen:
            seen.append(point)
            change(pipeline, "UPDATE programs SET title = 'Newer' WHERE id = :id", id=ids[0])

    pipeline.sender(at).drain()
    assert seen
    pipeline.audit()


def test_one_bad_document_in_a_thousand_is_put_aside_and_freed_by_a_change(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = bulk(pipeline, 1000)
    bad = ids[617]
    real = document.build

    def build(row: Any) -> dict[str, Any]:
        built = real(row)
        # An id that the engine refuses, and with it every document of the batch.
        return (
            built | {"id": "not an id!"} if row["id"] == bad and row["title"] != "Good" else built
        )

    monkeypatch.setattr(document, "build", build)
    sender = pipeline.sender()
    sender.drain()
    with pipeline.database.connect() as connection:
        rows = connection.execute(text("SELECT program_id, parked, error FROM index_dirty")).all()
    assert [(row.program_id, row.parked) for row in rows] == [(bad, True)]
    assert "invalid_document_id" in rows[0].error
    assert set(pipeline.stored()) == set(ids) - {bad}
    # It is not tried again and again, and does not stand in anybody's way.
    publish(pipeline, 1)
    sender.drain()
    assert len(pipeline.stored()) == 1000
    change(pipeline, "UPDATE programs SET title = 'Good' WHERE id = :id", id=bad)
    sender.drain()
    pipeline.audit()


def test_an_engine_that_lost_its_data_is_filled_again(pipeline: Pipeline) -> None:
    publish(pipeline, 30)
    sender = pipeline.sender()
    sender.drain()
    pipeline.audit()
    client, uid = pipeline.engine.client, pipeline.settings.indexer.meili_index
    pipeline.engine.finished(client.delete_index(uid).task_uid)
    # The next beat sees that the index is another one.
    sender._beat_at = 0
    sender.drain()
    pipeline.audit()


def test_settings_that_somebody_changed_are_put_back_at_the_start(pipeline: Pipeline) -> None:
    publish(pipeline, 1)
    pipeline.sender().drain()
    client, uid = pipeline.engine.client, pipeline.settings.indexer.meili_index
    pipeline.engine.finished(
        client.index(uid).update_settings({"rankingRules": ["words"]}).task_uid
    )
    pipeline.sender().drain()
    assert client.index(uid).get_settings()["rankingRules"][-1] == "viewCount:desc"


@contextmanager
def _failing(engine: Engine, times: int, error: Callable[[], Exception]) -> Iterator[list[int]]:
    calls: list[int] = []
    real = engine.send

    def send(uid: str, documents: Any) -> int:
        calls.append(len(documents))
        if len(calls) <= times:
            raise error()
        return real(uid, documents)

    engine.send = send  # type: ignore[method-assign]
    try:
        yield calls
    finally:
        engine.send = real  # type: ignore[method-assign]


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


@pytest.mark.parametrize("code", ["no_space_left_on_device", "internal"])
def test_a_full_disk_parks_nothing(code: str, pipeline: Pipeline) -> None:
    publish(pipeline, 3)
    real = pipeline.engine.task
    answers = [{"status": "failed", "error": {"code": code, "message": ""}}] * 2

    def task(uid: int) -> dict[str, Any] | None:
        return answers.pop() if answers else real(uid)

    sender = pipeline.sender()
    sender.drain()
    publish(pipeline, 3)
    pipeline.engine.task = task  # type: ignore[method-assign,assignment]
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
    pipeline.engine.task = lambda uid: answers.pop() if answers else real(uid)  # type: ignore[method-assign]
    pipeline.sender().drain()
    assert answers == []
    pipeline.audit()


def test_a_slow_task_is_not_a_failed_one(pipeline: Pipeline) -> None:
    publish(pipeline, 3)
    pipeline.sender().drain()
    publish(pipeline, 3)
    sender = pipeline.sender(sync_task_timeout=0.001)
    real = pipeline.engine.task
    pipeline.engine.task = lambda uid: {"status": "processing"}  # type: ignore[method-assign]
    with pytest.raises(EngineUnavailableError):
        steps(sender)
    assert pipeline.waiting() == 3
    pipeline.engine.task = real  # type: ignore[method-assign]
    pipeline.sender().drain()
    pipeline.audit()


def test_a_sender_that_lost_its_place_settles_nothing(pipeline: Pipeline) -> None:
    publish(pipeline, 4)
    second = []

    def at(point: str) -> None:
        # The last moment: everything was sent and confirmed, nothing is settled yet.
        if point == "before_settle":
            second.append(pipeline.sender())

    with pytest.raises(LostPlaceError):
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
        # A killed one is replaced as well: by the one that woke up.
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


def test_commits_in_the_other_order_are_both_found(pipeline: Pipeline) -> None:
    first, second = publish(pipeline, 2)
    sender = pipeline.sender()
    sender.drain()
    with pipeline.database.connect() as late, pipeline.database.connect() as early:
        late.execute(text("UPDATE programs SET title = 'Late' WHERE id = :id"), {"id": first})
        early.execute(text("UPDATE programs SET title = 'Early' WHERE id = :id"), {"id": second})
        early.commit()
        sender.drain()
        assert pipeline.waiting() == 0
        late.commit()
        rolled_back = late.begin()
        late.execute(text("UPDATE programs SET title = 'Never'"))
        rolled_back.rollback()
    sender.drain()
    pipeline.audit()


def test_writers_and_the_sender_at_once(pipeline: Pipeline) -> None:
    ids = publish(pipeline, 50)
    stop = threading.Event()
    sender = pipeline.sender()
    sender.stop = stop
    sending = threading.Thread(target=sender.run)
    sending.start()

    def write(offset: int) -> None:
        for n in range(40):
            number = ids[(n * 7 + offset) % len(ids)]
            change(
                pipeline,
                "UPDATE programs SET title = :t WHERE id = :id",
                t=f"{offset}.{n}",
                id=number,
            )
            if n % 10 == offset:
                flip = "UPDATE programs SET status = CASE status WHEN 'draft' THEN 'published' ELSE 'draft' END WHERE id = :id"
                change(pipeline, flip, id=number)

    writers = [threading.Thread(target=write, args=(n,)) for n in range(6)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    eventually(lambda: pipeline.waiting() == 0, within=60)
    stop.set()
    sending.join()
    pipeline.audit()


def test_a_renamed_category_changes_all_its_programs(pipeline: Pipeline) -> None:
    change(pipeline, "INSERT INTO categories (slug, name_ar, name_en) VALUES ('a', 'أ', 'A')")
    bulk(pipeline, 10_000)
    pipeline.sender().drain()
    pipeline.audit()
    change(pipeline, "UPDATE categories SET name_en = 'Renamed'")
    assert pipeline.waiting() == 10_000
    pipeline.sender().drain()
    pipeline.audit()


def test_what_has_expired_has_no_document(pipeline: Pipeline) -> None:
    with session_factory(pipeline.database).begin() as session:
        gone = make(session, "published")
        kept = make(session, "published", expire_at=datetime.now(UTC) + timedelta(days=1))
        session.execute(
            text("UPDATE programs SET expire_at = now() - interval '1 s' WHERE id = :id"),
            {"id": gone.id},
        )
    pipeline.sender().drain()
    assert set(pipeline.stored()) == {kept.id}
    pipeline.audit()


def test_no_draft_is_ever_sent(pipeline: Pipeline) -> None:
    with session_factory(pipeline.database).begin() as session:
        for status in ("draft", "in_review", "scheduled", "archived"):
            make(session, status)
        deleted = make(session, "published")
        lifecycle.delete(session, deleted.id, EDITOR)
    pipeline.sender().drain()
    assert pipeline.stored() == {}
    pipeline.audit()


def test_a_refusal_of_the_whole_request_is_isolated_too(pipeline: Pipeline) -> None:
    ids = publish(pipeline, 8)
    real = pipeline.engine.send

    def send(uid: str, documents: Any) -> int:
        if any(msgspec.json.decode(row)["id"] == ids[5] for row in documents):
            raise EngineRejectedError("payload_too_large", "too much", 413)
        return real(uid, documents)

    pipeline.engine.send = send  # type: ignore[method-assign]
    pipeline.sender().drain()
    assert set(pipeline.stored()) == set(ids) - {ids[5]}
    pipeline.engine.send = real  # type: ignore[method-assign]
