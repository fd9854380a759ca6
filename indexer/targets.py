"""Which indexes on which engines are kept. The list is PostgreSQL's, begun by the settings."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from catalog.dirty import IndexTarget
from catalog.errors import FieldError, NotFound, ValidationFailed
from catalog.indexing import engines as registry
from catalog.indexing import lifecycle
from catalog.indexing.models import SearchEngine
from indexer.settings import IndexerSettings

# API processes read this often who serves and who is filled, and have heard of it after so long.
LOOK_SECONDS = 1.0
HEARD_SECONDS = 1.5


@dataclass(frozen=True, slots=True)
class Target:
    """One index that is kept equal to the published set."""

    id: int
    engine: str
    url: str
    uid: str
    state: str
    settings_revision: int
    # Has it had everything once, and if not, is everything marked for it?
    filled: bool
    fill_marked: bool


def addresses(
    settings: IndexerSettings, listed: Iterable[SearchEngine | Row[Any]]
) -> dict[str, str]:
    """name -> address of every engine that is kept: those of the list (with name, url and state) and
    those of the settings.

    A process believes its own settings about the engines they name. An engine that was removed stays
    so, unless the settings say that it has moved.
    """
    configured = settings.configured_engines
    found = dict(configured)
    for engine in listed:
        if engine.state == "removed":
            if configured.get(engine.name) == engine.url:
                found.pop(engine.name, None)
        elif engine.name not in found and engine.url and engine.url not in configured.values():
            found[engine.name] = engine.url
    return found


def engines(session: Session, settings: IndexerSettings) -> dict[str, str]:
    """name -> address of every engine that is kept."""
    return addresses(settings, registry.known(session))


def chosen(session: Session, settings: IndexerSettings, name: str | None) -> str:
    """The engine of this name, or the only one when none is named.

    Raises NotFound, ValidationFailed.
    """
    names = sorted(engines(session, settings))
    if name is None:
        if len(names) != 1:
            error = FieldError("engine", "required", f"one of {', '.join(names)}")
            raise ValidationFailed([error])
        return names[0]
    if name not in names:
        raise NotFound("engine", name)
    return name


def ensure(session: Session, settings: IndexerSettings) -> bool:
    """Write down the configured engines and give every engine a live target, under the name that
    searches go to. False when writers did not let a new one in just now: try again."""
    registry.register(session, settings.configured_engines)
    complete = True
    for name in engines(session, settings):
        live = session.scalars(
            select(IndexTarget).where(IndexTarget.engine == name, IndexTarget.state == "live")
        ).one_or_none()
        # It may have been removed since the list was read.
        if live is None and registry.is_kept(session, name):
            added = lifecycle.add_target(session, name, settings.meili_index, state="live")
            complete = complete and added is not None
        elif live is not None and live.index_uid != settings.meili_index:
            live.index_uid, live.filled = settings.meili_index, False
    session.flush()
    return complete


def kept(session: Session, settings: IndexerSettings) -> list[Target]:
    """The targets that have a sender, live ones first."""
    urls = engines(session, settings)
    rows = session.scalars(
        select(IndexTarget)
        .where(IndexTarget.state != "retired", IndexTarget.engine.in_(urls))
        .order_by(IndexTarget.state != "live", IndexTarget.id)
    )
    return [_target(row, urls) for row in rows]


def one(session: Session, settings: IndexerSettings, target_id: int) -> Target | None:
    """The target, or None when it is gone or its engine is not kept any more."""
    row = session.get(IndexTarget, target_id, populate_existing=True)
    urls = engines(session, settings)
    return _target(row, urls) if row is not None and row.engine in urls else None


def _target(row: IndexTarget, urls: dict[str, str]) -> Target:
    return Target(
        row.id, row.engine, urls[row.engine], row.index_uid, row.state, row.settings_revision, row.filled,
        row.fill_marked_at is not None,
    )  # fmt: skip
