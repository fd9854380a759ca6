"""Writes the rows of a run in batches. The programs, the items and the checkpoint of a batch commit together.

A process that is killed anywhere loses at most its current batch; the next one goes on at the checkpoint.
"""

import logging
from collections.abc import Callable, Sequence

import psycopg
from sqlalchemy.exc import DataError, IntegrityError, OperationalError
from sqlalchemy.orm import Session

from catalog.core import changes, tracing
from catalog.core.errors import CatalogError
from catalog.imports import items as run_items
from catalog.imports import leases
from catalog.imports.items import NewItem
from catalog.imports.models import ImportRun
from catalog.imports.writing.rows import Row
from catalog.imports.writing.writer import Writer
from catalog.merging import lifecycle as merging
from indexer.importing.running.context import RunContext
from indexer.importing.running.feeds import remember_feed
from indexer.importing.running.probing import MediaProbe
from indexer.stores.invalidation import Invalidator

log = logging.getLogger(__name__)
# What one row of a batch may cause. The other rows are then written one by one.
_ROW_ERRORS = (DataError, IntegrityError, psycopg.DataError, psycopg.IntegrityError, CatalogError)
_ATTEMPTS = 3


class BatchWriter:
    """Writes the batches of one run, and informs the caches after each commit."""

    def __init__(self, context: RunContext, writer: Writer, invalidator: Invalidator | None) -> None:
        """Write the rows of a run.

        Args:
            context: The run.
            writer: Compares rows with the catalogue and writes programs.
            invalidator: Informs the caches; None where nobody caches.
        """
        self._context, self._writer, self._invalidator = context, writer, invalidator
        self._probe = MediaProbe(context)

    def write(self, rows: Sequence[Row]) -> ImportRun:
        """Write and commit one batch; return the run with its new counts and checkpoint.

        Raises:
            LeaseLost: Another process works on the run now; nothing was written.
            CancelRequested: Somebody asked the run to stop; nothing was written.
            OperationalError: The database is away, or a deadlock came back three times.
        """
        with tracing.span("write", {"thmanyah.rows": len(rows)}):
            return self._write(rows)

    def _write(self, rows: Sequence[Row]) -> ImportRun:
        with self._context.sessions() as session:
            rows = self._writer.read(session, rows)
        self._probe.look(rows)
        attempt = 1
        while True:
            try:
                return self._commit(rows, lambda session: self._items(session, rows))
            except _ROW_ERRORS:
                self._writer.forget()
                log.warning("a batch of import %s is written row by row", self._context.run.id, exc_info=True)
                return self._commit(rows, lambda session: self._items_one_by_one(session, rows))
            except OperationalError as error:
                # SQLSTATE class 40: a serialization failure or deadlock, which a second attempt avoids.
                state = getattr(error.orig, "sqlstate", None) or ""
                self._writer.forget()
                if attempt == _ATTEMPTS or not state.startswith("40"):
                    raise
                attempt += 1

    def _commit(self, rows: Sequence[Row], write: Callable[[Session], list[NewItem]]) -> ImportRun:
        context = self._context
        with context.sessions() as session:
            run = leases.require(session, context.run.id, context.token)
            items = write(session)
            for new, old in self._writer.take_likely():
                merging.propose_pair(session, new, old, {"renamed": True})
            # A scheduled refresh would otherwise store hundreds of unchanged items every hour.
            stored = [i for i in items if i.outcome != "unchanged" or run.trigger != "schedule"]
            run_items.store(session, run.id, stored)
            run_items.count(run, items, rows[-1].position)
            run_items.count_files(session, run, "probe", self._probe.take_counts())
            leases.renew(session, run.id, context.token, context.settings.lease_seconds)
            session.commit()
            if self._invalidator is not None:
                self._invalidator.programs_changed(changes.take(session))
            return run

    def _items(self, session: Session, rows: Sequence[Row]) -> list[NewItem]:
        if self._context.run.kind == "opml":
            return [remember_feed(session, self._context, row) for row in rows]
        return self._writer.write(session, rows)

    def _items_one_by_one(self, session: Session, rows: Sequence[Row]) -> list[NewItem]:
        """The items of rows that are each written in a savepoint: what cannot be written, fails alone."""
        items = []
        for row in rows:
            checkpoint = changes.checkpoint(session)
            try:
                with session.begin_nested():
                    items += self._items(session, [row])
            except _ROW_ERRORS as error:
                changes.restore(session, checkpoint)
                self._writer.forget()
                log.warning("item %s of import %s: %s", row.position, self._context.run.id, error)
                items.append(
                    NewItem(
                        row.position,
                        None,
                        row.title.replace("\0", "")[:300],
                        "failed",
                        "unwritable",
                        "The catalogue cannot store this item.",
                    )
                )
        return items
