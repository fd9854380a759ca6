"""Which engines there are, and which indexes on them are targets of the pipeline.

PostgreSQL has the list; it begins with the engines that the settings name. Used by the sender, rebuilds and audits,
the API and the command line.
"""

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import Engine as Database
from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.core.db import session_factory
from catalog.core.errors import FieldError, NotFound, ValidationFailed
from catalog.core.glances import Glance, OwnLine
from catalog.indexing import engines as registry
from catalog.indexing import queries
from catalog.indexing import targets as index_targets
from catalog.indexing.models import IndexTarget, SearchEngine
from catalog.indexing.queries import EngineRow
from catalog.indexing.states import MAIN
from indexer.settings import IndexerSettings

# Between two reads of the list of engines in an API process (`indexer.engines.watch`).
WATCH_SECONDS = 1.0
# After this time every API process follows a change of the list: which engines serve, which indexes are filled.
FOLLOWED_AFTER_SECONDS = 1.5


class Target(NamedTuple):
    """One index that is kept equal to the published programs.

    Attributes:
        id: The target's id.
        engine: The engine's name.
        url: The engine's address.
        uid: The index's name in the engine.
        state: An element of `catalog.indexing.states.TARGET_STATES`, when the target was read.
        settings_revision: The revision of the code whose settings the index has.
    """

    id: int
    engine: str
    url: str
    uid: str
    state: str
    settings_revision: int

    @property
    def is_main(self) -> bool:
        """Whether searches go to the index, or will when it is filled."""
        return self.state in MAIN


def resolve_urls(settings: IndexerSettings, registered: Iterable[SearchEngine | EngineRow]) -> dict[str, str]:
    """Return name -> address of every engine, registered in PostgreSQL or named by the settings.

    A process believes its own settings about the engines that they name. An engine that was removed stays
    removed, unless the settings give it another address.

    Args:
        settings: The settings of this process.
        registered: The engines in PostgreSQL, removed ones included.
    """
    configured = settings.configured_engines
    urls = dict(configured)
    for engine in registered:
        if engine.state == "removed":
            if configured.get(engine.name) == engine.url:
                urls.pop(engine.name, None)
        elif engine.name not in urls and engine.url and engine.url not in configured.values():
            urls[engine.name] = engine.url
    return urls


def engine_urls(session: Session, settings: IndexerSettings) -> dict[str, str]:
    """Return name -> address of every engine."""
    return resolve_urls(settings, registry.list_all(session))


def resolve_engine(session: Session, settings: IndexerSettings, name: str | None) -> str:
    """Return the name of the engine that is meant.

    Args:
        session: Read from.
        settings: The settings of this process.
        name: The name that was given; None means the only engine.

    Raises:
        NotFound: No engine has this name.
        ValidationFailed: No name was given, and there are several engines.
    """
    names = sorted(engine_urls(session, settings))
    if name is None:
        if len(names) != 1:
            error = FieldError("engine", "required", f"one of {', '.join(names)}")
            raise ValidationFailed([error])
        return names[0]
    if name not in names:
        raise NotFound("engine", name)
    return name


def ensure(session: Session, settings: IndexerSettings) -> bool:
    """Register the engines that the settings name, and give every engine a live target.

    The live target's index has the name that searches go to.

    Returns:
        False when a new target could not be added, because transactions that mark kept the table locked: try
        again in a new transaction.
    """
    registry.register(session, settings.configured_engines)
    complete = True
    for name in engine_urls(session, settings):
        complete = index_targets.ensure_live(session, name, settings.meili_index) and complete
    return complete


def list_active(session: Session, settings: IndexerSettings) -> list[Target]:
    """Return the targets of engines that are not removed, those first that searches go to."""
    urls = engine_urls(session, settings)
    rows = session.scalars(
        select(IndexTarget)
        .where(IndexTarget.engine.in_(urls))
        .order_by(IndexTarget.state.not_in(MAIN), IndexTarget.id)
    )
    return [_target(row, urls) for row in rows]


class Listed:
    """Registers engines and targets again and again, and knows which targets are to be sent for."""

    def __init__(self, database: Database, settings: IndexerSettings, timeout_ms: int) -> None:
        """Read nothing yet.

        Args:
            database: PostgreSQL, the primary.
            settings: The settings of this process.
            timeout_ms: Milliseconds that a look may take.
        """
        self._sessions, self._settings = session_factory(database), settings
        self._glance = Glance(OwnLine(database), queries.targets_version(), timeout_ms)
        # What the list was made of; None while something is left to be registered.
        self._version: object = None
        self._wanted: set[int] = set()

    def current(self) -> set[int]:
        """Return the ids of the targets. They are registered and read anew only when something has changed.

        Raises:
            DBAPIError: PostgreSQL is away.
        """
        version = self._glance.look()
        if self._version is None or version != self._version:
            with self._sessions.begin() as session:
                complete = ensure(session, self._settings)
                self._wanted = {target.id for target in list_active(session, self._settings)}
            self._version = version if complete else None
        return self._wanted


def find(session: Session, settings: IndexerSettings, target_id: int) -> Target | None:
    """Return a target, or None when it or its engine was removed.

    Args:
        session: Read from.
        settings: The settings of this process.
        target_id: The target's id.
    """
    row = session.get(IndexTarget, target_id, populate_existing=True)
    urls = engine_urls(session, settings)
    return _target(row, urls) if row is not None and row.engine in urls else None


def _target(row: IndexTarget, urls: dict[str, str]) -> Target:
    return Target(row.id, row.engine, urls[row.engine], row.index_uid, row.state, row.settings_revision)
