"""Synonyms in search: both ways or one, in both scripts, in force within moments and gone again, without an engine too."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from redis import Redis
from sqlalchemy import text

from catalog.core.db import session_factory
from tests.support.client import Client
from tests.support.demo import count_words_in, wait_for_words
from tests.support.discovery import titles, total
from tests.support.product import sending, serve
from tests.support.programs import make
from tests.support.shared import SharedApi
from tests.support.waiting import eventually

TITLES = ("Machine learning today", "الذكاء الاصطناعي اليوم", "Harbour nights", "ليالي الميناء", "Piano solo")


@pytest.fixture(scope="module")
def found(shared: SharedApi) -> Iterator[None]:
    """Searchable programs, while a sender runs."""
    with session_factory(shared.database).begin() as session:
        for title in TITLES:
            make(session, "published", title=title, language="en" if title.isascii() else "ar")
    with Redis.from_url(shared.settings.indexer.redis_cache_url) as redis, sending(shared.settings, redis):
        eventually(lambda: total(shared.listener) == len(TITLES), what="searchable")
        count_words_in(shared.database)
        wait_for_words(shared.listener)
        yield


@pytest.fixture
def synonym(shared: SharedApi, found: None) -> Iterator[Any]:
    """Makes synonyms, until the test ends."""
    reviewer, made = shared.staff["reviewer"], []

    def making(*terms: str, finds: tuple[str, ...] = ()) -> str:
        body = {"kind": "one_way" if finds else "two_way", "terms": terms, "finds": finds}
        answer = reviewer.post("/catalog/synonyms", body)
        assert answer.status_code == 201, answer.text
        made.append(answer.headers["location"])
        return made[-1]

    yield making
    for path in made:
        reviewer.delete(path)


def soon(client: Client, q: str, *expected: str) -> None:
    eventually(lambda: set(titles(client, q=q)) == set(expected), what=f"{q}: {expected}")


def test_they_find_both_ways_or_one_in_both_scripts(shared: SharedApi, synonym: Any) -> None:
    listener = shared.listener
    machine, intelligence, harbour, port, piano = TITLES
    sent = "SELECT max(seq), count(*) FROM index_dirty"
    with shared.database.connect() as connection:
        before = connection.execute(text(sent)).one()
    path = synonym("Machine learning", "ذكاء اصطناعي", "zq")
    synonym("keys", finds=("piano",))
    soon(listener, "zq", machine, intelligence)
    soon(listener, "الذكاءُ الاصطناعي", machine, intelligence)
    soon(listener, "machine learning", machine, intelligence)
    soon(listener, "keys", piano)
    assert titles(listener, q="piano") == [piano]
    # An exact synonym is no mistake: nothing else was meant.
    answer = listener.get("/discovery/search", q="keys").json()
    assert (answer["meta"]["rewrite"], "didYouMean" in answer["meta"]) == (None, False)
    # A change takes the old words out of force, and no document was sent again for any of it.
    changed = shared.staff["reviewer"].patch(path, {"terms": ["harbour", "ميناء"]})
    assert changed.status_code == 200
    soon(listener, "harbour", harbour, port)
    soon(listener, "zq")
    soon(listener, "machine learning", machine)
    with shared.database.connect() as connection:
        assert connection.execute(text(sent)).one() == before


def test_without_an_engine_they_are_looked_for_when_the_words_find_nothing(
    shared: SharedApi, synonym: Any
) -> None:
    synonym("wharf", finds=("harbour", "ميناء"))
    indexer = shared.settings.indexer.model_copy(update={"meili_url": "http://127.0.0.1:1"})
    api = shared.settings.api.model_copy(update={"fallback_timeout_ms": 60_000})
    with serve(replace(shared.settings, indexer=indexer, api=api)) as (alone, _):
        answer = alone.get("/discovery/search", q="wharf nights").json()
        assert answer["meta"]["degraded"] is True
        assert [card["title"] for card in answer["data"]] == ["Harbour nights"]
        assert titles(alone, q="wharf") == ["Harbour nights"]
        assert titles(alone, q="piano") == ["Piano solo"]
