"""Refreshes of remembered sources: started when they are due, and what an ended run tells about its source.

The pause between two refreshes of a source adapts: a refresh that brings something new halves it, a refresh
without news makes it half as long again, a failure doubles it. It is never shorter than a quarter of an hour.
"""

import random
from datetime import timedelta
from typing import TypedDict

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from catalog.core.actor import Actor
from catalog.core.db import database_now
from catalog.core.errors import Conflict
from catalog.imports import options as run_options
from catalog.imports import runs, sources
from catalog.imports.models import ImportRun, ImportSource

# Pauses between two refreshes, in seconds.
HOUR = 3600.0
SHORTEST, LONGEST = HOUR / 4, 7 * 24 * HOUR
# A source is paused after so many failures in a row.
MAX_FAILURES = 6
# Codes of failures after which a source is paused at once: an editor has to look.
FINAL = {"gone", "blocked", "forbidden_address", "forbidden_scheme", "forbidden_port", "bad_url"}
# A document that could not be read once may be a page of a server in maintenance: so many in a row pause a source.
UNREADABLE = {"not_a_feed", "empty_document"}
MAX_UNREADABLE = 3
_DUE = ImportSource.state == "active", ImportSource.next_at <= func.clock_timestamp()


class SourceFacts(TypedDict, total=False):
    """What a source said about itself in a run; adapters fill it."""

    etag: str | None
    last_modified: str | None
    document_hash: str | None
    moved_to: str | None
    title: str
    about: dict[str, object]


def start(
    session: Session,
    source: ImportSource,
    actor: Actor,
    *,
    trigger: str,
    dry_run: bool = False,
    parent_id: int | None = None,
) -> ImportRun:
    """Create a run that refreshes a source.

    Args:
        session: The transaction.
        source: The source, locked.
        actor: Who asks; the run acts in this name.
        trigger: `editor`, `schedule` or `opml` (a list of feeds).
        dry_run: Compare only, write no programs.
        parent_id: The run of a list of feeds that this run belongs to.

    Raises:
        Conflict: Another run of the source has not ended.
    """
    open_run = session.scalar(
        select(ImportRun.id).where(
            ImportRun.source_id == source.id, ImportRun.status.in_(("queued", "running")), ~ImportRun.dry_run
        )
    )
    if open_run is not None and not dry_run:
        raise Conflict(f"Import {open_run} of this source is still going on.")
    run = runs.create(
        session,
        runs.Origin(source.kind, source.namespace, source.url),
        run_options.read(source.options),
        actor,
        trigger=trigger,
        dry_run=dry_run,
        source=source,
        parent_id=parent_id,
    )
    if not dry_run:
        # The end of the run sets the next refresh. This is for a run that never ends.
        source.next_at = database_now(session) + timedelta(seconds=source.interval_sec)
    session.flush()
    return run


def is_any_due() -> ColumnElement[bool]:
    """Return the condition that there is something for `start_due`."""
    return select(ImportSource.id).where(*_DUE).exists()


def start_due(session: Session, actor: Actor, limit: int = 20) -> list[int]:
    """Create runs of the active sources that are due; sources locked by another transaction are left to it.

    Args:
        session: The transaction.
        actor: Who the runs act for.
        limit: How many sources at most.

    Returns:
        The ids of the new runs.
    """
    due = session.scalars(
        select(ImportSource)
        .where(*_DUE)
        .order_by(ImportSource.next_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    started = []
    for source in due:
        try:
            started.append(start(session, source, actor, trigger="schedule").id)
        except Conflict:
            source.next_at = database_now(session) + timedelta(minutes=5)
    session.flush()
    return started


def after_run(
    session: Session, source_id: int, run: ImportRun, facts: SourceFacts, retry_after: float | None
) -> None:
    """Store what an ended run has found out about its source, and when the next refresh is due.

    A dry or cancelled run changes nothing. A run that has read the documents of an earlier run has not asked the source:
    the next refresh reads all of it.

    Args:
        session: The transaction.
        source_id: The source; it may have been deleted.
        run: The ended run.
        facts: What the source said about itself.
        retry_after: The pause in seconds that a failing source asked for.
    """
    source = session.get(ImportSource, source_id, with_for_update=True, populate_existing=True)
    if source is None or run.dry_run:
        return
    now = database_now(session)
    if run.documents_of is not None:
        sources.forget_validators(source)
        if run.created + run.updated:
            source.last_change_at = now
        session.flush()
        return
    if run.status == "cancelled":
        return
    source.last_run_at = now
    if run.status == "failed":
        _failed(source, run, retry_after)
    else:
        _recovered(source)
        if run.code != "partial":
            # After a broken list, the next refresh reads on behind what is new since the last whole one.
            source.last_success_at = now
        changed = run.created + run.updated > 0
        if changed:
            source.last_change_at = now
        if not run.failed:
            # Only then: after a failed item, the next refresh must read the source again although it is unchanged.
            source.etag = facts.get("etag", source.etag)
            source.last_modified = facts.get("last_modified", source.last_modified)
            source.document_hash = facts.get("document_hash", source.document_hash)
        if not source.title:
            source.title = facts.get("title", "")[:300]
        if about := facts.get("about"):
            source.about = about
        factor = 0.5 if changed else 1.5
        source.interval_sec = min(max(source.interval_sec * factor, SHORTEST), LONGEST)
        moved = facts.get("moved_to")
        if moved and sources.find(session, source.kind, moved) is None:
            source.url = moved
    # Up to 5 % earlier or later: sources of one host do not stay due at the same moment.
    spread = random.uniform(0.95, 1.05)  # noqa: S311  (no secret)
    source.next_at = now + timedelta(seconds=source.interval_sec * spread)
    session.flush()


def _recovered(source: ImportSource) -> None:
    """A source that its failures have paused goes on; one that an editor has paused stays paused."""
    if source.state == "paused" and not source.failures:
        return
    source.state, source.failures, source.reason = "active", 0, None


def _failed(source: ImportSource, run: ImportRun, retry_after: float | None) -> None:
    source.failures += 1
    paused_by_an_editor = source.state == "paused" and source.failures == 1
    if not paused_by_an_editor:
        source.reason = f"{run.code or 'failed'}: {run.detail or 'No reason was given.'}"[:500]
    else:
        source.failures = 0
    source.interval_sec = min(max(source.interval_sec * 2, HOUR, retry_after or 0), LONGEST)
    limit = MAX_UNREADABLE if run.code in UNREADABLE else MAX_FAILURES
    if run.code in FINAL or source.failures >= limit:
        source.state = "paused"
