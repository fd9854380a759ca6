"""Carries out a run: claim, fetch, then batches, each with its items and the place reached in one
transaction. Killed anywhere, the next process goes on behind the last committed batch."""

import logging
from collections.abc import Callable, Sequence

import psycopg
from sqlalchemy import Engine
from sqlalchemy.exc import DataError, IntegrityError, OperationalError
from sqlalchemy.orm import Session

from catalog import changes
from catalog.actor import Actor
from catalog.db import session_factory
from catalog.errors import CatalogError, Conflict
from catalog.imports import lifecycle, queries, sources
from catalog.imports.lifecycle import CancelRequested, LeaseLost
from catalog.imports.models import ImportItem, ImportRun, ImportSource
from catalog.imports.rows import Row
from catalog.imports.writer import Writer
from catalog.merging import lifecycle as merging
from indexer.importing.errors import ImportFailed, QuotaExhausted
from indexer.importing.fetch import Fetcher
from indexer.importing.settings import ImportSettings
from indexer.importing.sources import SOURCES
from indexer.importing.work import Heartbeat, RunWork
from indexer.invalidation import Invalidator

log = logging.getLogger(__name__)
Progress = Callable[[ImportRun], None]
# What one item may cause and the others need not suffer for.
_ITEM_ERRORS = (DataError, IntegrityError, psycopg.DataError, psycopg.IntegrityError, CatalogError)
_DEADLOCK_TRIES = 3


class Runner:
    """Runs imports on this database. One instance serves one process."""

    def __init__(
        self,
        database: Engine,
        settings: ImportSettings,
        *,
        invalidator: Invalidator | None = None,
        fetcher: Fetcher | None = None,
        progress: Progress | None = None,
    ) -> None:
        self.sessions, self.settings = session_factory(database), settings
        self.invalidator, self.fetcher = invalidator, fetcher or Fetcher(settings)
        self.progress = progress or (lambda run: None)

    def run(self, run_id: int) -> str:
        """Work on it if nobody else does; returns its status then: `queued` means later again,
        `busy` that it is not ours to work on."""
        with self.sessions.begin() as session:
            token = lifecycle.claim(session, run_id, self.settings.lease_seconds)
            if token is None:
                return self._not_ours(session, run_id)
            run = lifecycle.get(session, run_id)
            source = session.get(ImportSource, run.source_id) if run.source_id else None
        work = RunWork(self.sessions, run, token, self.settings, self.fetcher)
        if source is not None:
            work.know(source)
        with Heartbeat(self.sessions, run_id, token, self.settings.lease_seconds):
            try:
                self._carry_out(work)
                return self._end(work, "succeeded", work.facts.get("outcome"))
            except LeaseLost:
                log.warning("import %s was taken over by another process", run_id)
                return "busy"
            except CancelRequested:
                return self._cancelled(work)
            except ImportFailed as error:
                return self._failed(work, error)
            except OperationalError:
                # Without the database nothing can be noted: the lease runs out and the sweep
                # starts it again.
                raise
            except Exception:
                log.exception("import %s failed unexpectedly", run_id)
                return self._failed(work, ImportFailed("internal", "Something went wrong on our side.", retryable=True))  # fmt: skip

    def _not_ours(self, session: Session, run_id: int) -> str:
        run = session.get(ImportRun, run_id)
        if run is not None and run.status == "failed" and run.source_id is not None:
            # `claim` has just ended a run whose process died each time.
            sources.after_run(session, run.source_id, run, {}, None)
        return "busy" if run is None or run.status in ("queued", "running") else run.status

    def _carry_out(self, work: RunWork) -> None:
        adapter = SOURCES[work.run.kind]
        if not work.run.fetched:
            adapter.fetch(work)
            with self.sessions.begin() as session:
                lifecycle.hold(session, work.run.id, work.token).fetched = True
            if work.facts.get("not_modified"):
                work.facts["outcome"] = "not_modified"
                return
        wanted = self._wanted(work)
        if work.run.total is None:
            total = len(wanted) if wanted is not None else adapter.count(work)
            with self.sessions.begin() as session:
                lifecycle.hold(session, work.run.id, work.token).total = total
        actor = Actor("import", work.run.id, f"import-{work.run.id}")
        writer = Writer(
            adapter.source_type, work.options, actor, work.run.id, dry_run=work.run.dry_run
        )
        batch: list[Row] = []
        seen: set[str] = set()
        reached = work.run.position
        for row in adapter.rows(work):
            if row.position > self.settings.max_items:
                raise ImportFailed("too_many_items", f"More than {self.settings.max_items} items.")
            _mark_repeated(row, seen)
            if row.position <= reached or (wanted is not None and row.position not in wanted):
                continue
            batch.append(row)
            if len(batch) >= self.settings.batch:
                self._write(work, writer, batch)
                batch = []
        if batch:
            self._write(work, writer, batch)

    def _wanted(self, work: RunWork) -> set[int] | None:
        if work.run.retry_of is None:
            return None
        with self.sessions() as session:
            return set(session.scalars(queries.failed_positions(work.run.retry_of)))

    def _write(self, work: RunWork, writer: Writer, rows: Sequence[Row]) -> None:
        for attempt in range(1, _DEADLOCK_TRIES + 1):
            try:
                run = self._batch(work, writer, rows, lambda s: self._outcomes(s, work, writer, rows))  # fmt: skip
                break
            except _ITEM_ERRORS:
                writer.forget()
                log.warning("a batch of import %s is written item by item", work.run.id, exc_info=True)  # fmt: skip
                run = self._batch(work, writer, rows, lambda s: self._singly(s, work, writer, rows))
                break
            except OperationalError as error:
                # 40: serialization failure or deadlock, which a second try gets around.
                state = getattr(error.orig, "sqlstate", None) or ""
                writer.forget()
                if attempt == _DEADLOCK_TRIES or not state.startswith("40"):
                    raise
        self.progress(run)

    def _batch(
        self,
        work: RunWork,
        writer: Writer,
        rows: Sequence[Row],
        outcomes: Callable[[Session], list[ImportItem]],
    ) -> ImportRun:
        with self.sessions() as session:
            run = lifecycle.hold(session, work.run.id, work.token)
            items = outcomes(session)
            # A refresh every hour would otherwise note every hour that nothing changed.
            kept = [i for i in items if i.outcome != "unchanged" or run.trigger != "schedule"]
            lifecycle.note(session, kept)
            lifecycle.progress(run, items, rows[-1].position)
            lifecycle.beat(session, run.id, work.token, self.settings.lease_seconds)
            session.commit()
            if self.invalidator is not None:
                self.invalidator.programs_changed(changes.take(session))
            return run

    def _outcomes(
        self, session: Session, work: RunWork, writer: Writer, rows: Sequence[Row]
    ) -> list[ImportItem]:
        if work.run.kind == "opml":
            return [self._remember_feed(session, work, row) for row in rows]
        return writer.write(session, rows)

    def _singly(
        self, session: Session, work: RunWork, writer: Writer, rows: Sequence[Row]
    ) -> list[ImportItem]:
        items = []
        for row in rows:
            noted = changes.noted(session)
            try:
                with session.begin_nested():
                    items += self._outcomes(session, work, writer, [row])
            except _ITEM_ERRORS as error:
                changes.put_back(session, noted)
                writer.forget()
                log.warning("item %s of import %s: %s", row.position, work.run.id, error)
                items.append(
                    ImportItem(
                        run_id=work.run.id, position=row.position, title=row.title.replace("\0", "")[:300],
                        outcome="failed", code="unwritable", detail="The catalogue cannot hold it.",
                    )
                )  # fmt: skip
        return items

    def _remember_feed(self, session: Session, work: RunWork, row: Row) -> ImportItem:
        item = ImportItem(
            run_id=work.run.id, position=row.position, external_id=row.external_id, title=row.title
        )
        if row.skip is not None or row.feed_url is None:
            item.outcome, (item.code, item.detail) = "skipped", row.skip or ("no_address", "")
            return item
        actor = Actor(work.run.actor_kind, work.run.actor_id, work.run.actor_name)
        source = sources.find(session, "feed", row.feed_url)
        item.outcome = "unchanged" if source is not None else "created"
        if work.run.dry_run:
            return item
        if source is None:
            options = work.options
            options.namespace = None
            source = sources.create(session, "feed", row.feed_url, options, actor, title=row.title)
        try:
            run = sources.start(session, source, actor, trigger="opml", parent_id=work.run.id)
            item.detail = f"Import {run.id}."
        except Conflict as error:
            item.code, item.detail = "going_on", error.detail
        return item

    def _end(self, work: RunWork, status: str, code: str | None = None) -> str:
        try:
            with self.sessions.begin() as session:
                run = lifecycle.hold(session, work.run.id, work.token)
                lifecycle.finish(session, run, status, code)
                _look_for_the_same(session, run)
                if run.source_id is not None:
                    sources.after_run(session, run.source_id, run, work.facts, None)
        except LeaseLost:
            return "busy"
        except CancelRequested:
            return self._cancelled(work)
        self.progress(run)
        return status

    def _cancelled(self, work: RunWork) -> str:
        with self.sessions.begin() as session:
            run = lifecycle.get(session, work.run.id, lock=True)
            if run.lease_token != work.token:
                return "busy"
            lifecycle.finish(session, run, "cancelled", "cancelled", "Cancelled on request.")
            _look_for_the_same(session, run)
        self.progress(run)
        return "cancelled"

    def _failed(self, work: RunWork, error: ImportFailed) -> str:
        try:
            with self.sessions.begin() as session:
                run = lifecycle.hold(session, work.run.id, work.token)
                now = lifecycle.database_now(session)
                status = "queued"
                if isinstance(error, QuotaExhausted):
                    lifecycle.wait(run, now, error.code, error.detail, error.after or 0)
                elif not error.retryable or not lifecycle.put_off(
                    run, now, error.code, error.detail, error.after
                ):
                    status = "failed"
                    lifecycle.finish(session, run, status, error.code, error.detail)
                    _look_for_the_same(session, run)
                    if run.source_id is not None:
                        sources.after_run(session, run.source_id, run, work.facts, error.after)
        except LeaseLost:
            return "busy"
        except CancelRequested:
            return self._cancelled(work)
        log.info("import %s: %s (%s)", run.id, status, error.code)
        self.progress(run)
        return status


def _look_for_the_same(session: Session, run: ImportRun) -> None:
    """However a run ended, what it wrote may be what another source has."""
    if not run.dry_run and run.created + run.updated:
        merging.propose(session, run.id, run.namespace)


def _mark_repeated(row: Row, seen: set[str]) -> None:
    """The first of two items with one id counts: the other would undo it at every import."""
    if row.external_id is None or row.skip is not None or row.errors:
        return
    if row.external_id in seen:
        row.skip = ("repeated", "Another item of this source has the same id.")
    seen.add(row.external_id)
