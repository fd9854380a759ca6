"""A request that gets no connection to PostgreSQL in time is answered, not kept."""

import dataclasses
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text
from sqlalchemy.engine import Engine as Database

from api.settings import Settings
from catalog.core.db import session_factory
from tests.support.accounts import add_accounts, signed_in
from tests.support.databases import scalar
from tests.support.product import serve
from tests.support.programs import make
from tests.support.waiting import eventually

DRAFT = {"title": "قهوة", "description": "حديث", "language": "ar", "mediaType": "audio", "kind": "episode"}
BLOCKED = "SELECT count(*) FROM pg_locks WHERE NOT granted"


@pytest.mark.slow
def test_a_request_beyond_the_pool_waits_then_gets_503(settings: Settings, database: Database) -> None:
    small = settings.catalog.model_copy(update={"pool_min": 1, "pool_max": 2, "pool_timeout": 1.0})
    tokens = add_accounts(settings, database)
    with session_factory(database).begin() as session:
        paths = [f"/catalog/programs/{make(session, 'draft').id}" for _ in range(2)]
    with serve(dataclasses.replace(settings, catalog=small)) as (listener, _):
        admin = signed_in(listener, tokens["admin"])
        with database.connect() as holder, ThreadPoolExecutor(2) as threads:
            holder.execute(text("SELECT id FROM programs FOR UPDATE"))
            writers = [
                threads.submit(signed_in(listener, tokens["admin"]).post, f"{p}/submit") for p in paths
            ]
            eventually(lambda: scalar(database, BLOCKED) == 2, what="both connections are in use")
            refused = signed_in(listener, tokens["admin"]).post("/catalog/programs", DRAFT)
            holder.rollback()
            done = [writer.result() for writer in writers]
        assert (refused.status_code, refused.json()["code"]) == (503, "database_unavailable")
        assert int(refused.headers["Retry-After"]) > 0
        assert [answer.status_code for answer in done] == [200, 200]
        eventually(lambda: admin.post("/catalog/programs", DRAFT).status_code == 201, what="served again")
