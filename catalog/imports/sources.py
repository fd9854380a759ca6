"""The only writer of import sources: remembering them, and when each is asked again.

The pause between two refreshes follows what a source does: shorter while it brings something new,
longer while it is quiet, doubling while it fails, and never under a quarter of an hour.
"""

import random
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from catalog import audit
from catalog.actor import Actor
from catalog.db import flush
from catalog.errors import Conflict, FieldError, NotFound, ValidationFailed
from catalog.imports import lifecycle, youtube
from catalog.imports import options as run_options
from catalog.imports.models import ImportRun, ImportSource
from catalog.imports.options import Options
from catalog.text import has_control_characters

# The namespace Podcasting 2.0 derives a feed's guid in, from its address without scheme and slash.
_PODCAST = UUID("ead4c236-bf58-58c6-a2c6-a4f4bb5b8b4d")
HOUR = 3600.0
SHORTEST, LONGEST = HOUR / 4, 7 * 24 * HOUR
MAX_FAILURES = 6
MAX_URL = 2000
# Waiting longer does not help: an editor has to look.
FINAL = {"gone", "blocked", "not_a_feed", "forbidden_address", "forbidden_scheme", "forbidden_port", "bad_url"}  # fmt: skip


def namespace_of(kind: str, url: str | None, options: Options) -> str:
    """What stands before the external ids of a run, so that two feeds' item 1 are two programs."""
    if options.namespace:
        return options.namespace
    if kind in ("feed", "opml") and url:
        return str(uuid5(_PODCAST, re.sub(r"^[a-zA-Z]+://", "", url).rstrip("/")))
    return "youtube" if kind == "youtube" else "file"


def check_url(kind: str, url: str) -> str:
    """The address as it is kept. Raises ValidationFailed unless it may be one for this kind of source.
    Whether it may be asked, fetching says."""
    if not url.strip() or len(url) > MAX_URL or has_control_characters(url) or " " in url.strip():
        raise ValidationFailed([FieldError("url", "invalid", "Must be an address without spaces.")])
    if kind != "youtube":
        return url.strip()
    place = youtube.read(url)
    if place is None:
        message = "Must be a channel, a playlist or a video of YouTube."
        raise ValidationFailed([FieldError("url", "invalid", message)])
    return place.url


def get(session: Session, source_id: int, *, lock: bool = False) -> ImportSource:
    """The source. Raises NotFound."""
    source = session.get(ImportSource, source_id, with_for_update=lock, populate_existing=True)
    if source is None:
        raise NotFound("import source", source_id)
    return source


def find(session: Session, kind: str, url: str) -> ImportSource | None:
    """The source with this address."""
    return session.scalar(
        select(ImportSource).where(ImportSource.kind == kind, ImportSource.url == url)
    )


def create(
    session: Session, kind: str, url: str, options: Options, actor: Actor, *, title: str = ""
) -> ImportSource:
    """Remember it; it is due at once. Raises ValidationFailed, Conflict."""
    url = check_url(kind, url)
    run_options.check(options)
    source = ImportSource(
        kind=kind,
        url=url,
        namespace=namespace_of(kind, url, options),
        title=title[:300],
        options=run_options.plain(options),
        interval_sec=HOUR,
    )
    session.add(source)
    flush(session, "This source is remembered already.", {"url": "url"})
    audit.record(session, actor, "source.create", "import_source", source.id, {"url": [None, url]})
    session.flush()
    session.refresh(source)
    return source


def edit(session: Session, source_id: int, values: Mapping[str, Any], actor: Actor) -> ImportSource:
    """Change `title`, `url`, `options` (Options) or `state`. Making it active asks it at once."""
    source = get(session, source_id, lock=True)
    diff: dict[str, list[Any]] = {}
    if "options" in values:
        run_options.check(values["options"])
    if "url" in values:
        values = {**values, "url": check_url(source.kind, values["url"])}
    for name in ("title", "url", "state", "options"):
        if name not in values:
            continue
        value = run_options.plain(values[name]) if name == "options" else values[name]
        if value != getattr(source, name):
            diff[name] = [getattr(source, name), value]
            setattr(source, name, value)
    if "state" in diff:
        source.failures = 0
        source.reason = (
            None if source.state == "active" else f"Paused by {actor.name or actor.kind}."
        )
        source.next_at = lifecycle.database_now(session)
    if "options" in diff or "url" in diff:
        # What was kept of the last answer belongs to the old way of reading it.
        source.etag = source.last_modified = source.document_hash = None
    if diff:
        flush(session, "Another source has this address.", {"url": "url"})
        audit.record(session, actor, "source.edit", "import_source", source.id, diff)
        session.flush()
    return source


def delete(session: Session, source_id: int, actor: Actor) -> None:
    """Forget it. Its programs and runs stay."""
    source = get(session, source_id, lock=True)
    session.delete(source)
    audit.record(
        session, actor, "source.delete", "import_source", source_id, {"url": [source.url, None]}
    )
    session.flush()


def start(
    session: Session, source: ImportSource, actor: Actor, *, trigger: str, dry_run: bool = False,
    parent_id: int | None = None,
) -> ImportRun:  # fmt: skip
    """A run of the source. Raises Conflict while another one of it goes on."""
    open_run = session.scalar(
        select(ImportRun.id).where(
            ImportRun.source_id == source.id,
            ImportRun.status.in_(("queued", "running")),
            ~ImportRun.dry_run,
        )
    )
    if open_run is not None and not dry_run:
        raise Conflict(f"Import {open_run} of this source is still going on.")
    run = lifecycle.create(
        session, source.kind, run_options.read(source.options), actor, url=source.url,
        namespace=source.namespace, trigger=trigger, dry_run=dry_run, source=source, parent_id=parent_id,
    )  # fmt: skip
    if not dry_run:
        # Until the run has ended nobody needs to start another.
        source.next_at = lifecycle.database_now(session) + timedelta(seconds=source.interval_sec)
    session.flush()
    return run


def start_due(session: Session, actor: Actor, limit: int = 20) -> list[int]:
    """Runs of the sources that are due; returns the runs' ids. Rows others work on are left alone."""
    due = session.scalars(
        select(ImportSource)
        .where(ImportSource.state == "active", ImportSource.next_at <= func.clock_timestamp())
        .order_by(ImportSource.next_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    started = []
    for source in due:
        try:
            started.append(start(session, source, actor, trigger="schedule").id)
        except Conflict:
            source.next_at = lifecycle.database_now(session) + timedelta(minutes=5)
    session.flush()
    return started


def after_run(
    session: Session,
    source_id: int,
    run: ImportRun,
    facts: Mapping[str, Any],
    retry_after: float | None,
) -> None:
    """Learn from a run that ended: validators, a new address, the next refresh."""
    source = session.get(ImportSource, source_id, with_for_update=True, populate_existing=True)
    if source is None or run.dry_run or run.status == "cancelled":
        return
    now = lifecycle.database_now(session)
    source.last_run_at = now
    if run.status == "failed":
        _failed(source, run, retry_after)
    else:
        source.failures, source.reason, source.last_success_at = 0, None, now
        changed = run.created + run.updated > 0
        if changed:
            source.last_change_at = now
        for name in ("etag", "last_modified", "document_hash"):
            # Only what was read to the end may be asked for as "unchanged" later.
            if name in facts and not run.failed:
                setattr(source, name, facts[name])
        if facts.get("title") and not source.title:
            source.title = str(facts["title"])[:300]
        if facts.get("about"):
            source.about = facts["about"]
        factor = 0.5 if changed else 1.5
        source.interval_sec = min(max(source.interval_sec * factor, SHORTEST), LONGEST)
        moved = facts.get("moved_to")
        if moved and find(session, source.kind, moved) is None:
            source.url = moved
    # A little earlier or later each time: sources of one host drift apart.
    spread = random.uniform(0.95, 1.05)  # noqa: S311
    source.next_at = now + timedelta(seconds=source.interval_sec * spread)
    session.flush()


def _failed(source: ImportSource, run: ImportRun, retry_after: float | None) -> None:
    source.failures += 1
    source.reason = f"{run.code}: {run.detail}"[:500]
    source.interval_sec = min(max(source.interval_sec * 2, HOUR, retry_after or 0), LONGEST)
    if run.code in FINAL or source.failures >= MAX_FAILURES:
        source.state = "paused"
