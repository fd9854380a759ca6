"""Carries out a run: claims it, lets the adapter fetch, writes its rows in batches, and ends it.

`job.run_import` (the worker) and `thmanyah import` call it. Wherever a process dies, the next one goes on at
the run's checkpoint.
"""

import logging
from collections.abc import Callable

from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from catalog.core.actor import Actor
from catalog.core.db import database_now, session_factory
from catalog.core.errors import LeaseLost
from catalog.imports import leases, queries, refreshing, runs
from catalog.imports.leases import CancelRequested
from catalog.imports.models import ImportRun, ImportSource
from catalog.imports.writing.identity import Renamed
from catalog.imports.writing.rows import Row, read_all
from catalog.imports.writing.writer import Writer
from catalog.merging import lifecycle as merging
from indexer.importing.errors import ImportFailed, QuotaExhausted
from indexer.importing.fetching.fetcher import Fetcher
from indexer.importing.running import chapters
from indexer.importing.running.batches import BatchWriter
from indexer.importing.running.context import RunContext
from indexer.importing.running.heartbeat import Heartbeat
from indexer.importing.settings import ImportSettings
from indexer.importing.sources import SOURCES
from indexer.stores.invalidation import Invalidator

log = logging.getLogger(__name__)
Progress = Callable[[ImportRun], None]


class Runner:
    """Carries out runs on one database. It keeps nothing between two runs."""

    def __init__(
        self,
        database: Engine,
        settings: ImportSettings,
        *,
        invalidator: Invalidator | None = None,
        fetcher: Fetcher | None = None,
        progress: Progress | None = None,
    ) -> None:
        """Use these collaborators.

        Args:
            database: The catalogue's database.
            settings: The limits of imports.
            invalidator: Informs the caches after each commit; None where nobody caches.
            fetcher: Fetches documents; by default one with these settings.
            progress: Called with the run after each batch and at its end.
        """
        self.sessions, self.settings = session_factory(database), settings
        self.invalidator, self.fetcher = invalidator, fetcher or Fetcher(settings)
        self.progress = progress or (lambda run: None)

    def run(self, run_id: int) -> str:
        """Carry the run out unless another process does.

        Returns:
            The run's status afterwards; `queued` means that it has to be tried again later. `busy`: another
            process works on the run, or it is not due yet.

        Raises:
            OperationalError: The database is away. The lease runs out, and the sweep enqueues the run again.
        """
        with self.sessions.begin() as session:
            token = leases.claim(session, run_id, self.settings.lease_seconds)
            if token is None:
                return self._not_claimed(session, run_id)
            run = runs.get(session, run_id)
            source = session.get(ImportSource, run.source_id) if run.source_id else None
        context = RunContext(self.sessions, run, token, self.settings, self.fetcher)
        if source is not None:
            context.remember(source)
        with Heartbeat(self.sessions, run_id, token, self.settings.lease_seconds):
            try:
                self._carry_out(context)
                if context.run.kind == "feed" and not context.run.dry_run:
                    chapters.fetch(context, SOURCES["feed"].source_type, self.invalidator)
                return self._succeeded(context)
            except LeaseLost:
                log.warning("import %s was taken over by another process", run_id)
                return "busy"
            except CancelRequested:
                return self._cancelled(context)
            except ImportFailed as error:
                return self._failed(context, error)
            except OperationalError:
                raise
            except Exception:
                log.exception("import %s failed unexpectedly", run_id)
                detail = "An error on our side; the log has the details."
                return self._failed(context, ImportFailed("internal", detail, retryable=True))
            finally:
                context.close()

    def _not_claimed(self, session: Session, run_id: int) -> str:
        run = session.get(ImportRun, run_id)
        if run is not None and run.status == "failed" and run.source_id is not None:
            # `claim` has just ended a run whose process died each time.
            refreshing.after_run(session, run.source_id, run, {}, None)
        return "busy" if run is None or run.status in ("queued", "running") else run.status

    def _carry_out(self, context: RunContext) -> None:
        run, adapter = context.run, SOURCES[context.run.kind]
        if not run.fetched:
            adapter.fetch(context)
            with self.sessions.begin() as session:
                leases.require(session, run.id, context.token).fetched = True
            if context.remark == "not_modified":
                return
        wanted = self._wanted_positions(context)
        if run.total is None:
            total = len(wanted) if wanted is not None else adapter.count(context)
            with self.sessions.begin() as session:
                leases.require(session, run.id, context.token).total = total
        actor = Actor("import", run.id, f"import-{run.id}")
        writer = Writer(adapter.source_type, context.options, actor, run.id, dry_run=run.dry_run)
        batches = BatchWriter(context, writer, self.invalidator)
        batch: list[Row] = []
        seen: dict[str, Row | None] = {}
        checkpoint = run.position
        for row in adapter.rows(context):
            if row.position > self.settings.max_items:
                raise ImportFailed(
                    "too_many_items", f"The source has more than {self.settings.max_items} items."
                )
            if writer.renamed is None and context.present is not None:
                writer.renamed = Renamed(adapter.source_type, run.namespace, context.present)
            _skip_repeated(row, seen)
            if row.position <= checkpoint or (wanted is not None and row.position not in wanted):
                continue
            batch.append(row)
            if len(batch) >= self.settings.batch:
                self.progress(batches.write(batch))
                batch = []
        if batch:
            self.progress(batches.write(batch))

    def _wanted_positions(self, context: RunContext) -> set[int] | None:
        """The positions that a retry repeats, or that an editor chose; None for all."""
        chosen, retry_of = context.options.positions, context.run.retry_of
        if retry_of is None:
            return None if chosen is None else set(chosen)
        with self.sessions() as session:
            failed = set(session.scalars(queries.failed_positions(retry_of)))
        return failed if chosen is None else failed & set(chosen)

    def _succeeded(self, context: RunContext) -> str:
        try:
            with self.sessions.begin() as session:
                run = leases.require(session, context.run.id, context.token)
                leases.finish(session, run, "succeeded", context.remark, context.remark_detail)
                _propose_merges(session, run)
                if run.source_id is not None:
                    refreshing.after_run(session, run.source_id, run, context.facts, None)
        except LeaseLost:
            return "busy"
        except CancelRequested:
            return self._cancelled(context)
        self.progress(run)
        return "succeeded"

    def _cancelled(self, context: RunContext) -> str:
        with self.sessions.begin() as session:
            run = runs.get(session, context.run.id, lock=True)
            if run.lease_token != context.token:
                return "busy"
            leases.finish(session, run, "cancelled", "cancelled", "Cancelled on request.")
            _propose_merges(session, run)
            if run.source_id is not None:
                refreshing.after_run(session, run.source_id, run, context.facts, None)
        self.progress(run)
        return "cancelled"

    def _failed(self, context: RunContext, error: ImportFailed) -> str:
        """Queue the run for another attempt, or end it as failed."""
        try:
            with self.sessions.begin() as session:
                run = leases.require(session, context.run.id, context.token)
                now = database_now(session)
                status = "queued"
                if isinstance(error, QuotaExhausted):
                    leases.defer(run, now, error.code, error.detail, error.retry_after or 0)
                elif not error.retryable or not leases.try_again(
                    run, now, error.code, error.detail, error.retry_after
                ):
                    status = "failed"
                    leases.finish(session, run, status, error.code, error.detail)
                    _propose_merges(session, run)
                    if run.source_id is not None:
                        refreshing.after_run(session, run.source_id, run, context.facts, error.retry_after)
        except LeaseLost:
            return "busy"
        except CancelRequested:
            return self._cancelled(context)
        log.info("import %s: %s (%s)", run.id, status, error.code)
        self.progress(run)
        return status


def _propose_merges(session: Session, run: ImportRun) -> None:
    # However the run ended: programs that it wrote may be the same as those of another source.
    if not run.dry_run and run.created + run.updated:
        merging.propose(session, run.id, run.namespace)


def _skip_repeated(row: Row, seen: dict[str, Row | None]) -> None:
    # The first of two items with one id counts. Otherwise each import would write both, in turn.
    if row.external_id is None or row.skip is not None or row.errors:
        return
    if row.external_id in seen and not _is_left_out(seen[row.external_id]):
        row.skip = ("repeated", "Another item of this source has the same id.")
        return
    # A row that was read already is not kept: a file has hundreds of thousands.
    seen[row.external_id] = row if row.reader is not None else None


def _is_left_out(row: Row | None) -> bool:
    whole = next(read_all([row])) if row is not None else None
    return whole is not None and (whole.skip is not None or bool(whole.errors))
