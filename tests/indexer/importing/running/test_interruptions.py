"""Runs that die, are taken over, are cancelled or fail: they go on or end, and write nothing twice."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from catalog.core.db import database_now, session_factory
from catalog.core.errors import Conflict
from catalog.imports import leases, runs
from catalog.imports.items import NewItem
from catalog.imports.models import ImportRun
from catalog.imports.writing.rows import Row
from indexer.importing.running.batches import BatchWriter
from indexer.importing.running.runner import Runner
from indexer.importing.sources import SOURCES
from tests.support.importing import Importer, counts, episode, rss
from tests.support.programs import EDITOR
from tests.support.sites import site


class Dies(BaseException):
    """The process is gone: nothing is cleaned up."""


def crash_after(monkeypatch: pytest.MonkeyPatch, batches: int, before_commit: bool) -> None:
    """Let the process die while it commits the batch after so many: before the commit, or after it."""
    real, done = BatchWriter._commit, [0]

    def commit(
        self: BatchWriter, rows: Sequence[Row], write: Callable[[Session], list[NewItem]]
    ) -> ImportRun:
        done[0] += 1
        if done[0] > batches and before_commit:
            with self._context.sessions() as session:
                write(session)
                session.flush()
                raise Dies
        run = real(self, rows, write)
        if done[0] > batches:
            raise Dies
        return run

    monkeypatch.setattr(BatchWriter, "_commit", commit)


@pytest.mark.slow
@pytest.mark.parametrize("before_commit", [True, False])
def test_a_run_that_dies_goes_on_behind_its_last_batch(
    before_commit: bool, importer: Importer, monkeypatch: pytest.MonkeyPatch, session: Session
) -> None:
    body = rss(*(episode(n) for n in range(1, 26)))
    run_id = importer.start("feed", body, policy="publish")
    with monkeypatch.context() as patch:
        crash_after(patch, 2, before_commit)
        with pytest.raises(Dies):
            importer.run(run_id, batch=5, lease_seconds=0.2)
    dead = importer.look(run_id)
    assert (dead.status, dead.position) == ("running", 10 if before_commit else 15)
    # Its lease has to run out before anybody else may go on.
    session.execute(text("UPDATE import_runs SET lease_until = clock_timestamp() + interval '1 h'"))
    session.commit()
    assert importer.run(run_id).status == "running"
    session.execute(text("UPDATE import_runs SET lease_until = clock_timestamp() - interval '1 s'"))
    session.commit()
    run = importer.run(run_id, batch=5)
    assert (run.status, counts(run), run.attempt) == ("succeeded", {"created": 25}, 1)
    assert [i.position for i in importer.items(run_id)] == list(range(1, 26))
    assert len({p.external_id for p in importer.programs()}) == 25


def test_a_process_that_was_taken_over_writes_nothing(
    importer: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = importer.start("feed", rss(*(episode(n) for n in range(1, 11))))
    adapter = SOURCES["feed"]
    real = type(adapter).rows

    def stalled(self: Any, work: Any) -> Any:
        for row in real(self, work):
            if row.position == 6:
                with session_factory(importer.database).begin() as session:
                    session.execute(
                        text("UPDATE import_runs SET lease_until = clock_timestamp() - interval '1 s'")
                    )
                monkeypatch.setattr(type(adapter), "rows", real)
                assert importer.run(run_id, batch=5).status == "succeeded"
            yield row

    monkeypatch.setattr(type(adapter), "rows", stalled)
    assert Runner(importer.database, importer.settings.model_copy(update={"batch": 5})).run(run_id) == "busy"
    assert counts(importer.look(run_id)) == {"created": 10}
    assert len(importer.programs()) == 10


def test_a_run_that_never_gets_anywhere_ends(importer: Importer, session: Session) -> None:
    run_id = importer.start("feed", rss(episode(1)))
    for _ in range(leases.MAX_ATTEMPTS):
        assert leases.claim(session, run_id, -1)
        session.commit()
    assert leases.claim(session, run_id, -1) is None
    session.commit()
    run = importer.look(run_id)
    assert (run.status, run.code) == ("failed", "crashed")


@pytest.mark.slow
def test_cancelling(importer: Importer, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = importer.start("feed", rss(episode(1)))
    runs.cancel(session, waiting, EDITOR)
    session.commit()
    assert importer.run(waiting).status == "cancelled"
    with pytest.raises(Conflict):
        runs.cancel(session, waiting, EDITOR)
    session.rollback()

    run_id = importer.start("feed", rss(*(episode(n) for n in range(1, 11))))
    runner = Runner(importer.database, importer.settings.model_copy(update={"batch": 4}))
    runner.progress = lambda run: (
        session.execute(text("UPDATE import_runs SET cancel_requested = true")) and session.commit()
    )
    assert runner.run(run_id) == "cancelled"
    assert counts(importer.look(run_id)) == {"created": 4}
    again = runs.retry(session, run_id, EDITOR)
    session.commit()
    assert counts(importer.run(again.id)) == {"unchanged": 4, "created": 6}


def test_attempts_and_pauses_follow_the_policy(importer: Importer, session: Session) -> None:
    with site() as stranger:
        stranger.pages["/"] = (503, {}, b"")
        importer.settings = importer.settings.model_copy(update={"trusted": stranger.trusted})
        run_id = importer.start("feed", url=stranger.url())
        pauses = []
        for _ in range(3):
            before = database_now(session)
            run = importer.run(run_id)
            pauses.append(round((run.next_at - before).total_seconds()))
            session.execute(text("UPDATE import_runs SET next_at = clock_timestamp()"))
            session.commit()
        assert len(stranger.asked) == 3
    assert pauses[:2] == [2, 4]
    assert (run.status, run.code, run.attempt) == ("failed", "server_error", 3)
    assert importer.programs() == []
