"""A sender under the test's own hand, and the audit that ends every fault."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import Engine as Database
from sqlalchemy import func, select, text

from api.settings import Settings
from catalog import dirty
from catalog.db import session_factory
from catalog.programs import queries
from indexer import document, targets
from indexer.engine import Engine
from indexer.sync import Sender


@dataclass
class Pipeline:
    """One target, its engine and its database."""

    settings: Settings
    database: Database
    engine: Engine

    def sender(self, at: Callable[[str], None] = lambda point: None, **changed: Any) -> Sender:
        """A sender that takes the place now."""
        indexer = self.settings.indexer.model_copy(update=changed)
        with session_factory(self.database).begin() as session:
            targets.ensure(session, indexer)
            target = targets.one(session, indexer, 1)
            assert target is not None
            epoch = dirty.take_place(session, 1)
        return Sender(self.database, self.engine, None, indexer, target, epoch, at)

    def waiting(self) -> int:
        with self.database.connect() as connection:
            return int(connection.scalar(text("SELECT count(*) FROM index_dirty")) or 0)

    def stored(self) -> dict[int, str]:
        """id -> hash of what the engine has."""
        found, _ = self.engine.documents(
            self.settings.indexer.meili_index, fields=["id", "_hash"], limit=1_000_000
        )
        return {row["id"]: row["_hash"] for row in found}

    def wanted(self) -> dict[int, str]:
        """id -> hash of what listeners should find."""
        with session_factory(self.database)() as session:
            ids = session.scalars(text("SELECT id FROM programs")).all()
            now = session.scalars(select(func.now())).one()
            rows = session.execute(queries.BY_IDS, {"ids": list(ids)}).mappings()
            return {
                row["id"]: document.build(row)["_hash"]
                for row in rows
                if document.is_indexed(row, now)
            }

    def audit(self) -> None:
        """0 missing, 0 stale, 0 ghosts, and nothing waits."""
        wanted = self.wanted()
        assert self.stored() == wanted
        assert self.waiting() == 0


@pytest.fixture
def pipeline(settings: Settings, database: Database) -> Pipeline:
    """The test's own."""
    return Pipeline(settings, database, Engine(settings.indexer))
