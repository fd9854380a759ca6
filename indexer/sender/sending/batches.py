"""Batches: claimed marks turned into the documents to store and the documents to delete."""

import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from catalog.core import tracing
from catalog.core.changes import ProgramChange
from catalog.core.db import plain_rows
from catalog.core.tracing import Span
from catalog.indexing.marks import Mark
from catalog.programs import queries
from indexer import metrics
from indexer.engines import document
from indexer.engines.admin import Engine
from indexer.engines.messages import Ticket
from indexer.engines.targets import Target
from indexer.sender.sending import describing
from indexer.stores.following.described import MAX_DESCRIBED, Described

_encode = msgspec.json.Encoder().encode


@dataclass
class Batch:
    """What is known of a batch while it is in flight.

    Attributes:
        marks: The marks that are settled when the engine has confirmed the batch.
        changes: The same programs, which the caches are informed of after that commit.
        described: The same programs, for pages in caches.
        upserts: How many of the programs are stored; the others are deleted.
        tasks: The engine's tasks that are not confirmed yet, in their order.
        sent_at: When the batch was built, by the monotonic clock.
        span: From the claim until the batch is settled or given up.
    """

    marks: list[Mark]
    changes: list[ProgramChange]
    described: list[Described] = field(default_factory=list)
    upserts: int = 0
    tasks: deque[Ticket] = field(default_factory=deque)
    sent_at: float = field(default_factory=time.monotonic)
    span: Span = tracing.NOTHING

    def told(self) -> bytes:
        """Return what caches are told of the batch; nothing if it has too many programs to describe each of them."""
        return describing.told(self.described) if len(self.described) == len(self.marks) else b""

    @contextmanager
    def settling(self) -> Iterator[None]:
        """Settle the batch in the block: its span ends with it."""
        with self.span.within(), tracing.span("settle"):
            yield
        self.span.note({"thmanyah.documents": len(self.marks)})
        self.span.end()

    def given_up(self, reason: str) -> None:
        """End the span of a batch that will not be settled: its marks are claimed again."""
        self.span.failed(reason)
        self.span.end()


class Contents(NamedTuple):
    """What a batch does to the index: encoded documents to store, ids of documents to delete."""

    documents: list[msgspec.Raw]
    removed: list[int]


def build(session: Session, claimed: Sequence[Mark], most_bytes: int) -> tuple[Batch, Contents]:
    """Read the current state of marked programs and make a batch of it.

    Args:
        session: Read from; nothing is changed.
        claimed: The marks, oldest first.
        most_bytes: The batch ends before the document with which its documents would have more bytes than this.
            One document always fits.

    Returns:
        A batch with the first of the marks, perhaps with all of them, and its contents.
    """
    ids = [mark.program_id for mark in claimed]
    found = plain_rows(session, queries.BY_IDS, queries.ProgramRow, ids=ids)
    now = session.scalars(select(func.now())).one()
    rows = {row["id"]: row for row in found}
    batch, contents = Batch([], []), Contents([], [])
    size = 0
    for mark in claimed:
        row = rows.get(mark.program_id)
        indexed = row is not None and document.is_indexed(row, now)
        if indexed and row is not None:
            made = document.build(row)
            built = msgspec.Raw(_encode(made))
            size += len(built)
            if size > most_bytes and contents.documents:
                break
            contents.documents.append(built)
            if len(claimed) <= MAX_DESCRIBED:
                batch.described.append(describing.described(made))
        else:
            contents.removed.append(mark.program_id)
            batch.described.append(Described(mark.program_id))
        batch.marks.append(mark)
        rev = row["rev"] if row is not None else mark.rev + 1
        batch.changes.append(ProgramChange(mark.program_id, rev, indexed))
    batch.upserts = len(contents.documents)
    return batch, contents


def send(engine: Engine, uid: str, contents: Contents) -> Iterable[Ticket]:
    """Hand a batch's contents to the engine and yield the task of each request.

    Args:
        engine: The engine.
        uid: The index.
        contents: Of the batch.

    Raises:
        EngineUnavailableError: The engine does not take a request.
        EngineRejectedError: The engine refuses a request.
    """
    if contents.documents:
        yield engine.send(uid, contents.documents)
    if contents.removed:
        yield engine.delete(uid, contents.removed)


def measure(batch: Batch, target: Target, clock: float) -> None:
    """Count a settled batch in the metrics.

    Args:
        batch: The batch.
        target: Its target; the lag of one that searches do not go to interests nobody.
        clock: The database's clock when the batch was settled, in seconds since 1970.
    """
    metrics.BATCHES.labels("succeeded").inc()
    metrics.DOCUMENTS.labels("upsert").inc(batch.upserts)
    metrics.DOCUMENTS.labels("delete").inc(len(batch.marks) - batch.upserts)
    for mark in batch.marks if target.is_main else ():
        lag = max(0.0, clock - mark.marked_at.timestamp())
        metrics.INDEX_LAG.labels(target.engine).observe(lag, batch.span.exemplar())
