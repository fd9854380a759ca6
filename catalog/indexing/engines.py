"""The list of search engines: which engines have an index, and which of them searches go to.

Called by `indexer/engines/targets.py` (the engines that the settings name), the CLI and `/ops/engines`.
Functions flush; the caller commits.
"""

import logging
import re
from collections.abc import Mapping

from sqlalchemy import delete, select, text, update
from sqlalchemy.orm import Session

from catalog.core import audit
from catalog.core.actor import Actor
from catalog.core.errors import CatalogError, Conflict, FieldError, NotFound, ValidationFailed
from catalog.indexing.models import ENDED, IndexDirty, IndexTarget, ReindexJob, SearchEngine

log = logging.getLogger(__name__)
NAME = re.compile(r"[a-z0-9][a-z0-9._:-]{0,62}")
_URL = re.compile(r"https?://[^\s/?#]+(/[^\s?#]*)?")


class LastEngine(CatalogError):
    """No other engine serves: searches would have no engine to go to."""

    code = "last_engine"


def get(session: Session, name: str, *, lock: bool = False) -> SearchEngine:
    """Return a registered engine.

    Args:
        session: The transaction.
        name: The engine's name.
        lock: Lock the row until the transaction ends.

    Raises:
        NotFound: No such engine, or it was removed.
    """
    engine = session.get(SearchEngine, name, with_for_update=lock, populate_existing=True)
    if engine is None or engine.state == "removed":
        raise NotFound("engine", name)
    return engine


def list_all(session: Session) -> list[SearchEngine]:
    """Return every engine by name, removed engines included."""
    return list(session.scalars(select(SearchEngine).order_by(SearchEngine.name)))


def is_registered(session: Session, name: str) -> bool:
    """Return whether the engine is listed and not removed; the answer holds until the transaction ends."""
    _lock_list(session)
    engine = session.get(SearchEngine, name, populate_existing=True)
    return engine is not None and engine.state != "removed"


def register(session: Session, configured: Mapping[str, str]) -> None:
    """Write down the engines that the settings name.

    An engine whose address is registered under another name, or an engine without an address, keeps its index
    and gets the new name. An engine that was removed stays removed, unless the settings give its name a new
    address.

    Args:
        session: The transaction.
        configured: Name -> address.
    """
    rows = {engine.name: engine for engine in list_all(session)}
    if all(name in rows and rows[name].url == url for name, url in configured.items()):
        return
    _lock_list(session)
    rows = {engine.name: engine for engine in list_all(session)}
    for name, url in configured.items():
        same = next((e for e in rows.values() if e.url == url and e.state != "removed"), None)
        blank = next((e for e in rows.values() if e.url is None and e.name not in configured), None)
        if name not in rows and same is not None and same.name not in configured:
            _rename(session, rows, same, name)
        elif name not in rows and same is None and blank is not None:
            _rename(session, rows, blank, name)
        engine = rows.get(name)
        if engine is None:
            engine = rows[name] = SearchEngine(name=name)
            session.add(engine)
        if engine.url != url:
            engine.url = None
    # Two engines may have exchanged their addresses, and an address is unique: first all are cleared.
    session.flush()
    for name, url in configured.items():
        engine = rows[name]
        if engine.url == url:
            continue
        holder = next((e for e in rows.values() if e.url == url), None)
        if holder is not None and holder.state != "removed":
            # Readers of the list prefer the settings: they use this address for `name` from now on.
            log.warning("engines %s and %s have the same address", holder.name, name)
            continue
        if holder is not None:
            holder.url = None
            session.flush()
        engine.url = url
        if engine.state == "removed":
            engine.state = "serving"
    session.flush()


def _rename(session: Session, rows: dict[str, SearchEngine], engine: SearchEngine, name: str) -> None:
    for owner in (IndexTarget, ReindexJob):
        session.execute(update(owner).where(owner.engine == engine.name).values(engine=name))
    del rows[engine.name]
    engine.name = name
    rows[name] = engine
    session.flush()


def add(session: Session, name: str, url: str, actor: Actor) -> SearchEngine:
    """Add an engine. Its index is filled by a sender; then searches go to it.

    Args:
        session: The transaction.
        name: Matches `NAME`.
        url: Its http:// or https:// address.
        actor: Who adds it.

    Raises:
        ValidationFailed: The name or the address is malformed.
        Conflict: Another engine has the name or the address.
    """
    errors = []
    if not NAME.fullmatch(name):
        message = "1 to 63 characters: a-z, 0-9, '.', '_', ':' or '-'; the first is a letter or digit."
        errors.append(FieldError("name", "invalid", message))
    if not _URL.fullmatch(url):
        errors.append(FieldError("url", "invalid", "Must be an http:// or https:// address."))
    if errors:
        raise ValidationFailed(errors)
    _lock_list(session)
    rows = {engine.name: engine for engine in list_all(session)}
    engine = rows.get(name)
    if engine is not None and engine.state != "removed":
        raise Conflict(f"There is an engine called {name}.", field="name")
    holder = next((e for e in rows.values() if e.url == url and e.name != name), None)
    if holder is not None and holder.state != "removed":
        raise Conflict(f"Engine {holder.name} has this address.", field="url")
    if holder is not None:
        holder.url = None
        session.flush()
    if engine is None:
        engine = SearchEngine(name=name)
        session.add(engine)
    engine.url, engine.state = url, "serving"
    session.flush()
    audit.record(session, actor, "add", "engine", None, {"name": [None, name], "url": [None, url]})
    return engine


def drain(session: Session, name: str, actor: Actor, *, force: bool = False) -> SearchEngine:
    """Send no more searches to an engine; its index is still kept up to date.

    Args:
        session: The transaction.
        name: The engine's name.
        actor: Who drains it.
        force: Drain even the last engine that serves.

    Raises:
        NotFound: No such engine.
        LastEngine: No other engine serves.
    """
    _lock_list(session)
    engine = get(session, name, lock=True)
    if engine.state == "serving":
        _require_another_serving(session, engine, force)
        engine.state = "draining"
        _record(session, actor, "drain", name)
    session.flush()
    return engine


def resume(session: Session, name: str, actor: Actor) -> SearchEngine:
    """Send searches to a drained engine again, as soon as its index is up to date.

    Args:
        session: The transaction.
        name: The engine's name.
        actor: Who resumes it.

    Raises:
        NotFound: No such engine.
    """
    _lock_list(session)
    engine = get(session, name, lock=True)
    if engine.state != "serving":
        engine.state = "serving"
        _record(session, actor, "resume", name)
    session.flush()
    return engine


def remove(session: Session, name: str, actor: Actor, *, force: bool = False) -> None:
    """Remove an engine from the list, with its targets and marks. Its indexes stay in the engine.

    Args:
        session: The transaction.
        name: The engine's name.
        actor: Who removes it.
        force: Remove even the last engine that serves.

    Raises:
        NotFound: No such engine.
        LastEngine: No other engine serves.
        Conflict: A rebuild on the engine has not ended.
    """
    _lock_list(session)
    engine = get(session, name, lock=True)
    if engine.state == "serving":
        _require_another_serving(session, engine, force)
    job = session.scalars(
        select(ReindexJob.id).where(ReindexJob.engine == name, ReindexJob.state.not_in(ENDED))
    ).first()
    if job is not None:
        raise Conflict(f"Reindex job {job} of this engine has not ended yet.")
    engine.state = "removed"
    target_ids = session.scalars(
        delete(IndexTarget).where(IndexTarget.engine == name).returning(IndexTarget.id)
    ).all()
    session.execute(delete(IndexDirty).where(IndexDirty.target_id.in_(target_ids)))
    _record(session, actor, "remove", name)
    session.flush()


def _require_another_serving(session: Session, engine: SearchEngine, force: bool) -> None:
    others = session.scalars(
        select(SearchEngine.name).where(SearchEngine.state == "serving", SearchEngine.name != engine.name)
    ).first()
    if others is None and not force:
        raise LastEngine(f"{engine.name} is the only engine that serves.")


def _record(session: Session, actor: Actor, action: str, name: str) -> None:
    audit.record(session, actor, action, "engine", None, {"name": [None, name]})


def _lock_list(session: Session) -> None:
    """Let one transaction at a time change the list of engines."""
    session.execute(text("SELECT pg_advisory_xact_lock(hashtext('engines'))"))
