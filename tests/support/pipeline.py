"""A sender that the test steps itself, writes past the application, and the audit that ends every fault."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine as Database
from sqlalchemy import func, select, text

from api.settings import Settings
from catalog.core.db import session_factory
from catalog.indexing import leadership
from catalog.programs import queries
from indexer.engines import document, targets
from indexer.engines.admin import Engine
from indexer.engines.messages import StoredVersion
from indexer.sender.sender import Sender
from tests.support.programs import make


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
            target = targets.find(session, indexer, 1)
            assert target is not None
            epoch = leadership.take(session, 1)
        return Sender(self.database, self.engine, None, indexer, target, epoch, at)

    def waiting(self) -> int:
        """Return how many marks wait, for all targets together."""
        with self.database.connect() as connection:
            return int(connection.scalar(text("SELECT count(*) FROM index_dirty")) or 0)

    def stored(self) -> dict[int, object]:
        """Return the hash of every document that the engine has, by id."""
        uid = self.settings.indexer.meili_index
        found, _ = self.engine.documents(uid, StoredVersion, limit=1_000_000)
        return {row.id: row.hash for row in found}

    def wanted(self) -> dict[int, str]:
        """Return the hash of every document that listeners should find, by id."""
        with session_factory(self.database)() as session:
            ids = session.scalars(text("SELECT id FROM programs")).all()
            now = session.scalars(select(func.now())).one()
            rows = session.execute(queries.BY_IDS, {"ids": list(ids)}).mappings()
            return {row["id"]: document.build(row).hash for row in rows if document.is_indexed(row, now)}

    def audit(self) -> None:
        """Check that the index equals the record (0 missing, 0 stale, 0 ghosts), and that no mark waits."""
        wanted = self.wanted()
        assert self.stored() == wanted
        assert self.waiting() == 0


def publish(pipeline: Pipeline, count: int, **values: Any) -> list[int]:
    """Create and publish so many programs by the catalogue's rules; return their ids.

    Args:
        pipeline: Names the database.
        count: How many programs.
        values: Columns that differ from tests.support.programs.VALUES.
    """
    with session_factory(pipeline.database).begin() as session:
        return [make(session, "published", **values).id for _ in range(count)]


def bulk(pipeline: Pipeline, count: int) -> list[int]:
    """Insert so many published programs by plain SQL, in the first category if there is one; return their ids."""
    with pipeline.database.begin() as connection:
        return list(
            connection.scalars(
                text(
                    "INSERT INTO programs (slug, title, language, media_type, kind, status, published_at, category_id) "
                    "SELECT 'b' || n, 'Bulk ' || n, 'en', 'audio', 'episode', 'published', now(), (SELECT min(id) FROM categories) "
                    "FROM generate_series(1, :count) n RETURNING id"
                ),
                {"count": count},
            )
        )


def change(pipeline: Pipeline, statement: str, **values: Any) -> None:
    """Execute and commit one statement.

    Args:
        pipeline: Names the database.
        statement: SQL with :name placeholders.
        values: The placeholders' values.
    """
    with pipeline.database.begin() as connection:
        connection.execute(text(statement), values)
