"""The sender loses no change, whenever it is killed and whoever writes; every test ends with the audit."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from catalog.core.db import session_factory
from catalog.programs import lifecycle
from indexer.sender.sender import CRASH_POINTS
from tests.support.dying import killed_sending
from tests.support.pipeline import Pipeline, bulk, change, publish
from tests.support.processes import environment
from tests.support.programs import EDITOR, make
from tests.support.waiting import eventually

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("point", CRASH_POINTS)
def test_killed_at_any_moment_nothing_is_lost(point: str, pipeline: Pipeline) -> None:
    ids = publish(pipeline, 20)
    change(pipeline, "UPDATE programs SET status = 'draft' WHERE id = :id", id=ids[3])
    assert killed_sending(environment(pipeline.settings), point)
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
            change(pipeline, "UPDATE programs SET title = :t WHERE id = :id", t=f"{offset}.{n}", id=number)
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
    bulk(pipeline, 1100)
    # More batches than may be in flight.
    pipeline.sender(sync_max_documents=200).drain()
    pipeline.audit()
    change(pipeline, "UPDATE categories SET name_en = 'Renamed'")
    assert pipeline.waiting() == 1100
    pipeline.sender(sync_max_documents=200).drain()
    pipeline.audit()


def test_what_has_expired_has_no_document(pipeline: Pipeline) -> None:
    with session_factory(pipeline.database).begin() as session:
        gone = make(session, "published")
        kept = make(session, "published", expire_at=datetime.now(UTC) + timedelta(days=1))
        session.execute(
            text("UPDATE programs SET expire_at = now() - interval '1 s' WHERE id = :id"), {"id": gone.id}
        )
    pipeline.sender().drain()
    assert set(pipeline.stored()) == {kept.id}
    pipeline.audit()


def test_no_draft_is_ever_sent(pipeline: Pipeline) -> None:
    with session_factory(pipeline.database).begin() as session:
        for status in ("draft", "in_review", "scheduled", "archived"):
            make(session, status)
        deleted = make(session, "published")
        lifecycle.transition(session, deleted.id, "delete", EDITOR)
    pipeline.sender().drain()
    assert pipeline.stored() == {}
    pipeline.audit()
