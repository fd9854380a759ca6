"""The only writer of the engines' list: who is kept in step, and who listeners are sent to.

Functions take a synchronous Session and flush; committing is the caller's business.
"""

import logging
import re
from collections.abc import Mapping

from sqlalchemy import delete, select, text, update
from sqlalchemy.orm import Session

from catalog import audit
from catalog.actor import Actor
from catalog.dirty import IndexDirty, IndexTarget
from catalog.errors import CatalogError, Conflict, FieldError, NotFound, ValidationFailed
from catalog.indexing.models import ENDED, ReindexJob, SearchEngine

log = logging.getLogger(__name__)
NAME = re.compile(r"[a-z0-9][a-z0-9._:-]{0,62}")
_URL = re.compile(r"https?://[^\s/?#]+(/[^\s?#]*)?")


class LastEngine(CatalogError):
    """Searches would have nobody left to ask."""

    code = "last_engine"


def get(session: Session, name: str, *, lock: bool = False) -> SearchEngine:
    """An engine that was not removed. Raises NotFound."""
    found = session.get(SearchEngine, name, with_for_update=lock, populate_existing=True)
    if found is None or found.state == "removed":
        raise NotFound("engine", name)
    return found


def known(session: Session) -> list[SearchEngine]:
    """All of them, removed ones too."""
    return list(session.scalars(select(SearchEngine).order_by(SearchEngine.name)))


def is_kept(session: Session, name: str) -> bool:
    """Is it in the list and not removed, for as long as this transaction lasts?"""
    _alone(session)
    found = session.get(SearchEngine, name, populate_existing=True)
    return found is not None and found.state != "removed"


def register(session: Session, configured: Mapping[str, str]) -> None:
    """Write down the engines that the settings name (name -> address).

    One whose address is known under another name, or whose row has none yet, keeps its index and goes
    by the new name. One that was removed stays so unless it is named anew or moved to another address.
    """
    rows = {engine.name: engine for engine in known(session)}
    if all(name in rows and rows[name].url == url for name, url in configured.items()):
        return
    _alone(session)
    rows = {engine.name: engine for engine in known(session)}
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
    # Addresses may have been exchanged, and each may stand only once.
    session.flush()
    for name, url in configured.items():
        engine = rows[name]
        if engine.url == url:
            continue
        holder = next((e for e in rows.values() if e.url == url), None)
        if holder is not None and holder.state != "removed":
            # Whoever reads the list believes the settings: it is this engine's until one is removed.
            log.warning("engine %s has the address of %s", holder.name, name)
            continue
        if holder is not None:
            holder.url = None
            session.flush()
        engine.url = url
        if engine.state == "removed":
            engine.state = "serving"
    session.flush()


def _rename(
    session: Session, rows: dict[str, SearchEngine], engine: SearchEngine, name: str
) -> None:
    for owner in (IndexTarget, ReindexJob):
        session.execute(update(owner).where(owner.engine == engine.name).values(engine=name))
    del rows[engine.name]
    engine.name = name
    rows[name] = engine
    session.flush()


def add(session: Session, name: str, url: str, actor: Actor) -> SearchEngine:
    """An engine that is to be filled and then to serve. Raises ValidationFailed, Conflict."""
    errors = []
    if not NAME.fullmatch(name):
        errors.append(FieldError("name", "invalid", "1-63 of a-z, 0-9 and . _ : -, no mark first"))
    if not _URL.fullmatch(url):
        errors.append(FieldError("url", "invalid", "an http:// or https:// address"))
    if errors:
        raise ValidationFailed(errors)
    _alone(session)
    rows = {engine.name: engine for engine in known(session)}
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
    """Send no more listeners to it; it is kept in step. Raises NotFound, LastEngine."""
    _alone(session)
    engine = get(session, name, lock=True)
    if engine.state == "serving":
        _leave_somebody(session, engine, force)
        engine.state = "draining"
        _record(session, actor, "drain", name)
    session.flush()
    return engine


def resume(session: Session, name: str, actor: Actor) -> SearchEngine:
    """Send listeners to it again, as soon as it is in step. Raises NotFound."""
    _alone(session)
    engine = get(session, name, lock=True)
    if engine.state != "serving":
        engine.state = "serving"
        _record(session, actor, "resume", name)
    session.flush()
    return engine


def remove(session: Session, name: str, actor: Actor, *, force: bool = False) -> None:
    """Forget an engine, its indexes' targets and marks; what it holds stays where it is.

    Raises NotFound, LastEngine, Conflict while a rebuild on it has not ended.
    """
    _alone(session)
    engine = get(session, name, lock=True)
    if engine.state == "serving":
        _leave_somebody(session, engine, force)
    job = session.scalars(
        select(ReindexJob.id).where(ReindexJob.engine == name, ReindexJob.state.not_in(ENDED))
    ).first()
    if job is not None:
        raise Conflict(f"Reindex job {job} of this engine has not ended yet.")
    engine.state = "removed"
    gone = session.scalars(
        delete(IndexTarget).where(IndexTarget.engine == name).returning(IndexTarget.id)
    ).all()
    session.execute(delete(IndexDirty).where(IndexDirty.target_id.in_(gone)))
    _record(session, actor, "remove", name)
    session.flush()


def _leave_somebody(session: Session, engine: SearchEngine, force: bool) -> None:
    others = session.scalars(
        select(SearchEngine.name).where(
            SearchEngine.state == "serving", SearchEngine.name != engine.name
        )
    ).first()
    if others is None and not force:
        raise LastEngine(f"{engine.name} is the only engine that serves.")


def _record(session: Session, actor: Actor, action: str, name: str) -> None:
    audit.record(session, actor, action, "engine", None, {"name": [None, name]})


def _alone(session: Session) -> None:
    """One change of the list at a time."""
    session.execute(text("SELECT pg_advisory_xact_lock(hashtext('engines'))"))
