"""The product through PgBouncer in transaction mode: nothing of a session is used, and timeouts hold."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from api.settings import Settings
from catalog.core.db import make_engine
from catalog.core.settings import CatalogSettings
from tests.support import pooler
from tests.support.accounts import add_accounts, signed_in
from tests.support.databases import plain
from tests.support.product import sending, serve
from tests.support.waiting import eventually

pytestmark = pytest.mark.skipif(pooler.program() is None, reason="pgbouncer is not installed")
DRAFT = {
    "title": "قهوة المساء",
    "description": "حديث",
    "language": "ar",
    "mediaType": "audio",
    "kind": "episode",
}


@pytest.fixture
def pooled(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CatalogSettings]:
    """The catalogue's settings through PgBouncer, which has two connections to PostgreSQL."""
    folder: Path = tmp_path_factory.mktemp("pgbouncer")
    with pooler.pooled(settings.catalog.database_url, folder, size=2) as address:
        yield settings.catalog.model_copy(
            update={"database_url": address, "database_direct_url": settings.catalog.database_url}
        )


@pytest.mark.slow
def test_an_editor_publishes_and_a_listener_finds_it(settings: Settings, pooled: CatalogSettings) -> None:
    through = dataclasses.replace(settings, catalog=pooled)
    database = make_engine(pooled)
    tokens = add_accounts(through, database)
    with serve(through) as (listener, _), sending(through):
        admin = signed_in(listener, tokens["admin"])
        program = admin.post("/catalog/programs", DRAFT).json()["data"]
        published = admin.post(f"/catalog/programs/{program['id']}/publish")
        assert published.status_code == 200, published.text

        def found() -> bool:
            page = listener.get("/discovery/search", q="قهوة").json()
            return not page["meta"]["degraded"] and [row["id"] for row in page["data"]] == [program["id"]]

        eventually(found, what="searchable")
        assert listener.get(f"/discovery/programs/{program['id']}").json()["data"]["title"] == DRAFT["title"]
        assert listener.get("/health/ready").status_code == 200
    database.dispose()


def test_each_transaction_has_its_own_timeout(pooled: CatalogSettings) -> None:
    show = text("SELECT current_setting('statement_timeout'), current_setting('TimeZone'), pg_backend_pid()")
    hasty = make_engine(pooled.model_copy(update={"statement_timeout_ms": 200}))
    patient = make_engine(pooled.model_copy(update={"statement_timeout_ms": 60_000}))
    seen = []
    for _ in range(6):
        for engine in (hasty, patient):
            with engine.connect() as connection:
                seen.append(tuple(connection.execute(show).one()))
    assert {(timeout, zone) for timeout, zone, _ in seen} == {("200ms", "UTC"), ("1min", "UTC")}
    # The two had the same connections to PostgreSQL: nothing of the other's stayed on them.
    assert len({pid for _, _, pid in seen}) <= 2
    with hasty.connect() as connection, pytest.raises(OperationalError, match="statement timeout"):
        connection.execute(text("SELECT pg_sleep(60)"))
    with psycopg.connect(plain(pooled.database_url), autocommit=True) as stranger:
        assert stranger.execute("SHOW statement_timeout").fetchone() == ("0",)
    hasty.dispose()
    patient.dispose()
