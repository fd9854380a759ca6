"""What waits for a reviewer is nowhere where a listener could find it: no answer, no cache, no index, no word."""

from dataclasses import replace
from typing import Any

import pytest
import redis
from sqlalchemy import Engine as Database
from sqlalchemy import text

from api.settings import Settings
from catalog.core.db import session_factory
from indexer.engines.admin import Engine
from indexer.engines.messages import StoredVersion
from tests.support.accounts import add_accounts, signed_in
from tests.support.client import Client
from tests.support.editorial import read
from tests.support.product import sending, serve
from tests.support.programs import make
from tests.support.waiting import eventually

WORD = "lighthouse"
CHANGE: dict[str, Any] = {
    "title": f"The {WORD}",
    "description": WORD,
    "kind": "film",
    "language": "fr",
    "people": [{"name": f"{WORD} keeper", "role": "host"}],
    "slug": WORD,
}


def _found(listener: Client) -> list[int]:
    """Return what searches, lists, facets, suggestions and addresses have of the change."""
    search = listener.get("/discovery/search", q=WORD).json()
    facets = listener.get("/discovery/browse", facets="kind,language").json().get("facets") or {}
    return [
        search["meta"]["total"],
        listener.get("/discovery/browse", kind="film").json()["meta"]["total"],
        listener.get("/discovery/browse", language="fr").json()["meta"]["total"],
        sum(row["count"] for row in facets.get("kind", []) if row["value"] == "film"),
        len(listener.get("/discovery/suggest", q=WORD[:6]).json()["data"]),
        int(listener.get(f"/discovery/programs/{WORD}").status_code == 200),
    ]


def _in_redis(cache: "redis.Redis", prefix: str) -> bool:
    """Whether an answer in Redis has the new title; the searched word alone is in every answer that found nothing."""
    kinds = {b"string": cache.get, b"hash": cache.hgetall}
    stored = [
        kinds[cache.type(key)](key) for key in cache.scan_iter(f"{prefix}*") if cache.type(key) in kinds
    ]
    return CHANGE["title"] in repr(stored)


@pytest.mark.slow
def test_nothing_of_it_is_seen_until_it_is_published(
    settings: Settings, database: Database, cache_redis: "redis.Redis"
) -> None:
    with session_factory(database).begin() as session:
        program_id = make(session, "published", title="The quiet evening").id
    tokens = add_accounts(settings, database)
    nowhere = settings.indexer.model_copy(update={"meili_url": "http://127.0.0.1:1"})
    at = f"/catalog/programs/{program_id}"
    with (
        serve(settings) as (listener, _),
        serve(replace(settings, indexer=nowhere)) as (fallback, _),
        sending(settings, cache_redis),
    ):
        editor, reviewer = (signed_in(listener, tokens[role]) for role in ("editor", "reviewer"))
        shown = {"q": "quiet"}
        eventually(lambda: listener.get("/discovery/search", **shown).json()["meta"]["total"] == 1)
        assert editor.patch(at, CHANGE).status_code == 202
        assert editor.get(f"{at}/pending/preview").json()["data"]["title"] == CHANGE["title"]
        # A later change that is live passes through the whole pipeline, and takes nothing of the other with it.
        assert editor.patch(at, {"isFeatured": True}).status_code == 200
        eventually(lambda: listener.get("/discovery/browse", featured="true").json()["meta"]["total"] == 1)
        for client in (listener, fallback):
            assert _found(client) == [0] * 6
            assert WORD not in client.get(f"/discovery/programs/{program_id}").text
        assert not _in_redis(cache_redis, settings.indexer.redis_prefix)
        assert len(Engine(settings.indexer).documents(settings.indexer.meili_index, StoredVersion)[0]) == 1
        with database.connect() as connection:
            for table in ("people", "program_slugs", "program_revisions", "vocabulary"):
                query = text(f"SELECT count(*) FROM {table} t WHERE t::text LIKE '%{WORD}%'")
                assert connection.scalar(query) == 0, table
        assert reviewer.post(f"{at}/pending/publish", **read(reviewer, f"{at}/pending")).status_code == 200
        eventually(lambda: min(_found(listener)) == 1, what="published")
        eventually(lambda: _in_redis(cache_redis, settings.indexer.redis_prefix))
