"""Spellings of one address: those that share an answer would get equal answers without any cache."""

import random
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from litestar import Request
from litestar.datastructures import MultiDict

from api.answers.edge import Edge
from api.answers.front.addresses import canonical
from api.discovery.narrowing import written as links
from api.discovery.params import BrowseRequest, SearchRequest, browse_request, search_request
from tests.support.client import Client
from tests.support.product import serve
from tests.support.shared import SharedApi, apart
from tests.support.spellings import BROWSE, SEARCH, meant, spelled, written

TEXTS = st.text(st.sampled_from("aZ09 .~*'()!%&=+#/?,\\\"\u0642\u0647\u0651\u00e9\U0001f600"), max_size=6)
PAIRS = st.lists(st.tuples(TEXTS.filter(bool), TEXTS), max_size=5)
CHANCE = st.integers(0, 2**32).map(random.Random)


def parameters(query: bytes) -> list[tuple[str, str]]:
    """What the framework reads in a query string."""
    scope: Any = {"type": "http", "query_string": query, "headers": [], "state": {}}
    request: Request[Any, Any, Any] = Request(scope)
    return list(request.query_params.multi_items())


@settings(deadline=None)
@example([("a", "9/.")], True, random.Random(0))
@given(PAIRS, st.booleans(), CHANCE)
def test_the_order_of_names_and_needless_escapes_make_no_other_address(
    pairs: list[tuple[str, str]], plus: bool, chance: random.Random
) -> None:
    names = list(dict.fromkeys(name for name, _ in pairs))
    chance.shuffle(names)
    # Values of one name stay in their order.
    shuffled = [pair for name in names for pair in pairs if pair[0] == name]
    once = canonical(written(pairs, plus=plus).encode())
    assert canonical(written(shuffled, plus=not plus).encode()) == once
    assert canonical(once) == once


@settings(deadline=None)
@given(st.one_of(st.binary(max_size=20), PAIRS.map(lambda pairs: written(pairs, plus=True).encode())))
def test_the_framework_reads_the_same_in_the_canonical_spelling(query: bytes) -> None:
    before, after = parameters(query), parameters(canonical(query))
    assert len(before) == len(after)
    for name, _ in before:
        assert [v for n, v in before if n == name] == [v for n, v in after if n == name]


@settings(deadline=None)
@given(CHANCE, st.booleans())
def test_links_lead_to_the_list_that_has_them(chance: random.Random, is_search: bool) -> None:
    read, known = (search_request, SEARCH) if is_search else (browse_request, BROWSE)
    question = meant(known, chance)
    asked: list[SearchRequest | BrowseRequest] = [
        read(MultiDict(spelled(question, chance))) for _ in range(3)
    ]
    assert len({one.key() for one in asked}) == 1
    query = links.query(asked[0].pairs())
    assert {links.query(one.pairs()) for one in asked} == {query}
    assert read(MultiDict(parameters(query.encode()))) == asked[0]


@pytest.fixture(scope="module")
def uncached(shared: SharedApi, reading: dict[str, int]) -> Iterator[tuple[Client, Edge]]:
    """The API over the catalogue of `reading`, without a second level of its cache."""
    with serve(apart(shared.settings)) as (client, edge):
        assert edge._cache is not None
        edge._cache.shared.redis = None
        yield client, edge


@pytest.mark.slow
@pytest.mark.parametrize(("path", "known"), [("search", SEARCH), ("browse", BROWSE)])
def test_spellings_that_share_a_key_get_equal_answers_uncached(
    uncached: tuple[Client, Edge], path: str, known: dict[str, list[list[str]]]
) -> None:
    client, edge = uncached
    assert edge._cache is not None
    chance = random.Random(path)
    for _ in range(40):
        question = meant(known, chance)
        answers = []
        for _ in range(2):
            edge._cache.clear()
            edge._hot.clear()
            query = written(spelled(question, chance), plus=bool(chance.getrandbits(1)))
            answers.append((query, client.get(f"/discovery/{path}?{query}")))
        (_, one), (_, other) = answers
        assert one.status_code == other.status_code == 200, (answers, one.text, other.text)
        assert one.headers["x-cache"] == other.headers["x-cache"] == "miss"
        assert one.content == other.content, answers
        assert [one.headers.get(name) for name in ("etag", "link", "cache-control")] == [
            other.headers.get(name) for name in ("etag", "link", "cache-control")
        ], answers


def test_another_spelling_is_answered_by_the_edge(uncached: tuple[Client, Edge]) -> None:
    client, edge = uncached
    assert edge._cache is not None
    edge._cache.clear()
    edge._hot.clear()
    first = client.get("/discovery/search?q=coffee+talk&limit=3&kind=episode")
    assert first.headers["x-cache"] == "miss"
    known = len(edge._hot)
    for query in (
        "q=coffee+talk&limit=3&kind=episode",
        "kind=episode&limit=3&q=coffee%20talk",
        "utm_source=a&limit=3&q=%63offee+talk&kind=episode&_=1",
    ):
        answer = client.get(f"/discovery/search?{query}")
        assert (answer.headers["x-cache"], answer.content) == ("l1", first.content), query
    # The first one, its canonical spelling, and one for each other spelling.
    assert (known, len(edge._hot)) == (2, 3)
    # What only the route can read goes there once.
    spelled_out = "/discovery/search?q=coffee+talk&limit=3&kind=episode&page=1&sort=relevance"
    template = next(iter(edge._hot.values())).key
    assert client.get(spelled_out).headers["x-cache"] == "l1"
    assert {hot.key for hot in edge._hot.values()} == {template}
