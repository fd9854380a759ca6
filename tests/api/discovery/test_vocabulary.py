"""What a process says of the words it knows, and for how long it keeps answers that it makes without them."""

from typing import cast

import pytest
import redis
from prometheus_client import REGISTRY

from api.discovery.lookups import vocabulary
from api.discovery.lookups.replica import Replica
from api.discovery.lookups.vocabulary import UNKNOWN_SECONDS, UNREAD_SECONDS, Vocabulary
from api.discovery.searching.asking.depending import KEPT_SECONDS
from api.http.observed import metrics
from api.settings import Settings
from catalog.core.db import session_factory
from tests.support import demo
from tests.support.pipeline import Pipeline
from tests.support.product import serve
from tests.support.programs import make
from tests.support.waiting import eventually


def test_a_process_that_has_read_nothing_says_that_it_knows_no_words() -> None:
    metrics.VOCABULARY.set(7)
    Vocabulary(cast("Replica", None))
    assert REGISTRY.get_sample_value("search_vocabulary_words") == 0


@pytest.mark.slow
def test_answers_without_the_words_or_with_an_unknown_one_are_kept_briefly(
    pipeline: Pipeline, settings: Settings, cache_redis: "redis.Redis", monkeypatch: pytest.MonkeyPatch
) -> None:
    with session_factory(pipeline.database).begin() as session:
        make(session, "published", title="Evening coffee")
    demo.count_words(pipeline)
    pipeline.sender().drain()
    reads = Vocabulary.refresh
    may_read = False

    async def refresh(self: Vocabulary) -> bool:
        return await reads(self) if may_read else False

    monkeypatch.setattr(Vocabulary, "refresh", refresh)
    monkeypatch.setattr(vocabulary, "CHECK_SECONDS", 0.05)

    def seconds_kept(route: str, q: str) -> float:
        answer = listener.get(f"/discovery/{route}", q=q)
        assert {row.get("title") or row["text"] for row in answer.json()["data"]} == {"Evening coffee"}
        names = cache_redis.keys(f"{settings.indexer.redis_prefix}page:{{*:{route}*")
        longest = max(cache_redis.pttl(name) for name in names) / 1000
        for name in names:
            cache_redis.delete(name)
        return float(longest)

    with serve(settings) as (listener, _):
        eventually(lambda: not listener.get("/discovery/browse").json()["meta"]["degraded"])
        for route in ("search", "suggest"):
            assert 0 < seconds_kept(route, "coffee") <= UNREAD_SECONDS, route
        may_read = True
        demo.wait_for_words(listener)
        for route in ("search", "suggest"):
            assert UNREAD_SECONDS < seconds_kept(route, "evening cofee") <= UNKNOWN_SECONDS, route
            # A search whose words are all known is superseded by what can touch it.
            longest = KEPT_SECONDS if route == "search" else settings.api.page_ttl
            assert UNKNOWN_SECONDS < seconds_kept(route, "evening coffee") <= longest, route
