"""Updates beside the flush of views: both lock programs in ascending order, each once, so neither waits for ever."""

import threading
from collections.abc import Callable

import pytest
from redis import Redis
from sqlalchemy import Engine, event, text
from sqlalchemy.orm import Session

from indexer.jobs.views import apply_pending, pending_key
from tests.support.importing import Importer, counts, episode, rss
from tests.support.waiting import eventually, waiting_for_a_lock

PROGRAMS = 40


def feed(title: str, *, backwards: bool = False) -> bytes:
    numbers = range(1, PROGRAMS + 1)
    return rss(*(episode(n, f"{title} {n}") for n in (reversed(numbers) if backwards else numbers)))


def in_thread(work: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=work)
    thread.start()
    return thread


@pytest.mark.slow
def test_an_update_that_waits_for_a_program_holds_none_with_a_higher_id(
    importer: Importer, session: Session, database: Engine
) -> None:
    importer.go("feed", feed("one"), namespace="n")
    first, *_, last = session.scalars(text("SELECT id FROM programs ORDER BY id")).all()
    session.execute(text("SELECT 1 FROM programs WHERE id = :id FOR UPDATE"), {"id": first})
    thread = in_thread(lambda: importer.go("feed", feed("two", backwards=True), namespace="n"))
    try:
        eventually(lambda: waiting_for_a_lock(database))
        with database.connect() as other:
            # It fails at once if the import holds it.
            other.execute(text("SELECT 1 FROM programs WHERE id = :id FOR UPDATE NOWAIT"), {"id": last})
    finally:
        session.rollback()
        thread.join()
    titles = session.scalars(text("SELECT title FROM programs ORDER BY id")).all()
    assert titles == [f"two {n}" for n in range(1, PROGRAMS + 1)]


def deadlocks(session: Session) -> int:
    session.rollback()
    query = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    return int(session.scalar(text(query)) or 0)


@pytest.mark.slow
def test_an_import_and_a_flush_of_views_at_once_do_not_deadlock(
    importer: Importer, session: Session, database: Engine, cache_redis: "Redis"
) -> None:
    importer.go("feed", feed("0"), namespace="n")
    ids = session.scalars(text("SELECT id FROM programs")).all()
    session.rollback()
    done = threading.Event()

    def flush() -> None:
        while not done.is_set():
            cache_redis.hset(pending_key("locks:", 0), mapping={str(program_id): 1 for program_id in ids})
            apply_pending(cache_redis, "locks:", database)

    thread = in_thread(flush)
    try:
        for round_ in range(1, 4):
            run = importer.go("feed", feed(str(round_), backwards=True), namespace="n")
            assert counts(run) == {"updated": PROGRAMS}
    finally:
        done.set()
        thread.join()
    assert deadlocks(session) == 0


@pytest.mark.slow
@pytest.mark.parametrize("changed", [1, PROGRAMS])
def test_the_programs_of_a_batch_are_locked_by_one_statement(
    changed: int, importer: Importer, database: Engine
) -> None:
    importer.go("feed", feed("one"), namespace="n")
    locks: list[str] = []

    def note(*details: object) -> None:
        statement = str(details[2])
        if "FROM programs" in statement and "FOR UPDATE" in statement:
            locks.append(statement)

    event.listen(database, "before_cursor_execute", note)
    body = feed("one")
    for n in range(1, changed + 1):
        body = body.replace(f"<title>one {n}</title>".encode(), f"<title>two {n}</title>".encode())
    assert counts(importer.go("feed", body, namespace="n"))["updated"] == changed
    event.remove(database, "before_cursor_execute", note)
    assert len(locks) == 1
