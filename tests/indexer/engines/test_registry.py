"""Which engines there are: names, addresses and states in the database, none of them running."""

from typing import Any

import pytest

from api.settings import Settings
from catalog.core.actor import SYSTEM
from catalog.core.db import session_factory
from catalog.indexing import engines as registry
from indexer.engines import targets
from indexer.settings import IndexerSettings
from tests.support.databases import scalar
from tests.support.engines import with_engines
from tests.support.pipeline import Pipeline


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """The test's own stores, and two engines that nobody started."""
    return with_engines(settings, "east=http://127.0.0.1:1,west=http://127.0.0.1:2")


def test_names_follow_addresses(pipeline: Pipeline, settings: Settings) -> None:
    """A deployment that goes from one engine to several keeps what it has."""
    sessions = session_factory(pipeline.database)

    def register(**urls: str) -> dict[str, tuple[str | None, str]]:
        with sessions.begin() as session:
            registry.register(session, urls)
            return {e.name: (e.url, e.state) for e in registry.list_all(session)}

    assert register(default="http://a") == {"default": ("http://a", "serving")}
    found = register(one="http://a", two="http://b")
    assert found == {"one": ("http://a", "serving"), "two": ("http://b", "serving")}
    assert scalar(pipeline.database, "SELECT engine FROM index_targets") == "one"
    assert register(one="http://b", two="http://a")["one"] == ("http://b", "serving")
    with sessions.begin() as session:
        registry.remove(session, "two", SYSTEM)
    # What was removed stays so, until it is somewhere else.
    assert register(one="http://b", two="http://a")["two"] == ("http://a", "removed")
    assert register(one="http://b", two="http://c")["two"] == ("http://c", "serving")
    with sessions.begin() as session:
        registry.remove(session, "two", SYSTEM)
        registry.add(session, "three", "http://d", SYSTEM)
    found = register(one="http://b", four="http://c")
    assert (found["two"], found["four"]) == ((None, "removed"), ("http://c", "serving"))
    # An address that somebody else has is not taken from him, and nothing ends for it.
    found = register(one="http://d", four="http://c")
    assert (found["one"], found["three"]) == ((None, "serving"), ("http://d", "serving"))
    with sessions.begin() as session:
        one = settings.indexer.model_copy(update={"meili_urls": "one=http://d,four=http://c"})
        assert targets.engine_urls(session, one) == {"one": "http://d", "four": "http://c"}


def test_one_that_is_removed_just_now_gets_no_new_index(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    sessions = session_factory(pipeline.database)
    settings = pipeline.settings.indexer
    with sessions.begin() as session:
        assert targets.ensure(session, settings)
    listed = targets.engine_urls

    def read_before(*arguments: Any) -> dict[str, str]:
        found = listed(*arguments)
        with sessions.begin() as other:
            registry.remove(other, "west", SYSTEM)
        return found

    monkeypatch.setattr(targets, "engine_urls", read_before)
    with sessions.begin() as session:
        assert targets.ensure(session, settings)
    assert scalar(pipeline.database, "SELECT string_agg(engine, ',') FROM index_targets") == "east"


@pytest.mark.parametrize("urls", ["ftp://x", "a=http://x,a=http://y", "http://x,http://x", "a="])
def test_addresses_that_are_none_are_refused(urls: str) -> None:
    with pytest.raises(ValueError, match="MEILI_URLS"):
        IndexerSettings(meili_urls=urls)
    named = IndexerSettings(meili_urls="http://east:7700, west=https://w.example/path")
    assert named.configured_engines == {"east:7700": "http://east:7700", "west": "https://w.example/path"}
