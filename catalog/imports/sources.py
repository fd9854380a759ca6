"""Remembered sources: created, edited and deleted. `refreshing` has the rest of the writes of their table."""

import re
from collections.abc import Mapping
from urllib.parse import urlsplit
from uuid import UUID, uuid5

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.core import audit
from catalog.core.actor import Actor
from catalog.core.db import database_now, flush
from catalog.core.errors import Conflict, FieldError, NotFound, ValidationFailed
from catalog.core.text import has_control_characters
from catalog.imports import options as run_options
from catalog.imports import youtube
from catalog.imports.models import ImportSource
from catalog.imports.options import Options

# The UUID namespace in which a feed's guid is made of its address without scheme and last slash:
# https://github.com/Podcastindex-org/podcast-namespace/blob/main/docs/tags/guid.md
_PODCAST = UUID("ead4c236-bf58-58c6-a2c6-a4f4bb5b8b4d")
MAX_URL = 2000
# Until the second refresh of a new source, in seconds.
FIRST_PAUSE = 3600.0


def namespace_of(kind: str, url: str | None, options: Options) -> str:
    """Return what stands before the external ids of a run, so that item 1 of two feeds are two programs.

    Args:
        kind: One of `models.KINDS`.
        url: The address, or None for an uploaded file.
        options: An editor may have chosen the namespace.
    """
    if options.namespace:
        return options.namespace
    if kind in ("feed", "opml") and url:
        return str(uuid5(_PODCAST, re.sub(r"^[a-zA-Z]+://", "", url).rstrip("/")))
    return "youtube" if kind == "youtube" else "file"


def check_url(kind: str, url: str) -> str:
    """Return the address as it is stored. Whether it may be fetched is decided when it is.

    Raises:
        ValidationFailed: It is not an address for this kind of source.
    """
    if not url.strip() or len(url) > MAX_URL or has_control_characters(url) or " " in url.strip():
        raise ValidationFailed([FieldError("url", "invalid", "Must be an address without spaces.")])
    if kind != "youtube":
        _check_form(url.strip())
        return url.strip()
    subject = youtube.read(url)
    if subject is None:
        message = "Must be a channel, a playlist or a video of YouTube."
        raise ValidationFailed([FieldError("url", "invalid", message)])
    return subject.url


def _check_form(url: str) -> None:
    """Refuse at once what the fetcher refuses by its form alone.

    Raises:
        ValidationFailed: The address cannot be read, has another scheme, names no server or carries a password.
    """
    try:
        parts = urlsplit(url)
        is_readable = parts.port is None or parts.port > 0
    except ValueError:
        is_readable = False
    if not is_readable or not url.isprintable() or "\\" in url:
        message = "The address cannot be read."
    elif parts.scheme not in ("http", "https") or not parts.hostname:
        message = "Must be an http(s) address."
    elif "@" in parts.netloc:
        message = "Must not carry a user name or password."
    else:
        return
    raise ValidationFailed([FieldError("url", "invalid", message)])


def _check_options(options: Options) -> None:
    """Check the options of a source.

    Raises:
        ValidationFailed: An option is wrong, or chooses items: their positions change with each refresh.
    """
    run_options.check(options)
    if options.positions is not None:
        message = "A remembered source is imported whole."
        raise ValidationFailed([FieldError("options.positions", "invalid", message)])


def get(session: Session, source_id: int, *, lock: bool = False) -> ImportSource:
    """Return the source.

    Args:
        session: The transaction.
        source_id: The source.
        lock: Lock the row until the transaction ends.

    Raises:
        NotFound: No such source.
    """
    source = session.get(ImportSource, source_id, with_for_update=lock, populate_existing=True)
    if source is None:
        raise NotFound("import source", source_id)
    return source


def find(session: Session, kind: str, url: str) -> ImportSource | None:
    """Return the source of this kind with this address, or None.

    Args:
        session: The transaction.
        kind: `feed` or `youtube`.
        url: As `check_url` returns it.
    """
    return session.scalar(select(ImportSource).where(ImportSource.kind == kind, ImportSource.url == url))


def create(
    session: Session, kind: str, url: str, options: Options, actor: Actor, *, title: str = ""
) -> ImportSource:
    """Create a source; its first refresh is due at once.

    Args:
        session: The transaction.
        kind: `feed` or `youtube`.
        url: The address.
        options: How its items become programs.
        actor: Who creates it.
        title: For people; empty: the first refresh sets it.

    Raises:
        ValidationFailed: The address or an option is wrong.
        Conflict: A source has this address.
    """
    url = check_url(kind, url)
    _check_options(options)
    source = ImportSource(
        kind=kind,
        url=url,
        namespace=namespace_of(kind, url, options),
        title=title[:300],
        options=run_options.plain(options),
        interval_sec=FIRST_PAUSE,
    )
    session.add(source)
    flush(session, "This source is remembered already.", {"url": "url"})
    audit.record(session, actor, "source.create", "import_source", source.id, {"url": [None, url]})
    session.flush()
    session.refresh(source)
    return source


def edit(session: Session, source_id: int, values: Mapping[str, object], actor: Actor) -> ImportSource:
    """Change a source. A source that is made active is due at once.

    Args:
        session: The transaction.
        source_id: The source.
        values: What to change: `title`, `url`, `state`, `options` (Options).
        actor: Who changes it.

    Raises:
        NotFound: No such source.
        ValidationFailed: The address or an option is wrong.
        Conflict: Another source has the address.
    """
    source = get(session, source_id, lock=True)
    columns = dict(values)
    options, url = values.get("options"), values.get("url")
    if isinstance(options, Options):
        _check_options(options)
        columns["options"] = run_options.plain(options)
    if isinstance(url, str):
        columns["url"] = check_url(source.kind, url)
    diff: dict[str, list[object]] = {}
    for name, value in columns.items():
        if value != getattr(source, name):
            diff[name] = [getattr(source, name), value]
            setattr(source, name, value)
    if "state" in diff:
        source.failures = 0
        source.reason = None if source.state == "active" else f"Paused by {actor.name or actor.kind}."
        source.next_at = database_now(session)
    if "options" in diff or "url" in diff:
        # The next refresh must read the whole source: these say what of it was read the old way.
        source.etag = source.last_modified = source.document_hash = None
    if diff:
        flush(session, "Another source has this address.", {"url": "url"})
        audit.record(session, actor, "source.edit", "import_source", source.id, diff)
        session.flush()
    return source


def make_due(session: Session, source_id: int, actor: Actor) -> ImportSource:
    """Make an active source due now, so that the scheduler imports it next.

    Args:
        session: The transaction.
        source_id: The source.
        actor: Who asks.

    Raises:
        NotFound: No such source.
        Conflict: It is paused.
    """
    source = get(session, source_id, lock=True)
    if source.state != "active":
        raise Conflict("This source is paused: resume it.")
    source.next_at = database_now(session)
    audit.record(session, actor, "source.due", "import_source", source.id)
    session.flush()
    return source


def delete(session: Session, source_id: int, actor: Actor) -> None:
    """Delete a source; its programs and runs stay.

    Args:
        session: The transaction.
        source_id: The source.
        actor: Who deletes it.

    Raises:
        NotFound: No such source.
    """
    source = get(session, source_id, lock=True)
    session.delete(source)
    audit.record(session, actor, "source.delete", "import_source", source_id, {"url": [source.url, None]})
    session.flush()


def forget_validators(source: ImportSource) -> ImportSource:
    """Let the next refresh of a source read all of it, because an older document of it is written."""
    source.etag = source.last_modified = source.document_hash = None
    return source
