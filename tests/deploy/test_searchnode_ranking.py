"""Shortcuts of the search node's ranking give what the long way gives."""

import random
from typing import Any

import msgspec
import numpy as np
import pytest

from deploy.local.searchnode import search, settings
from deploy.local.searchnode.index import Index
from deploy.local.searchnode.rank import buckets, context, places

WORDS = ["candle", "candles", "candel", "river", "rivers", "light", "lights", "forest", "stone"]


def _index(programs: list[dict[str, Any]]) -> Index:
    index = Index("shortcuts", 1, "id", "2026-01-01T00:00:00Z")
    index.configure(settings.defaults() | {"searchableAttributes": ["title", "text"]})
    _write(index, programs)
    return index


def _write(index: Index, programs: list[dict[str, Any]]) -> None:
    rows = [(str(p["id"]), msgspec.json.encode(p), p) for p in programs]
    index.commit(index.analyse(rows))


def _found(index: Index, text: str, *, scored: bool) -> list[Any]:
    body = {"q": text, "limit": 1_000, "showRankingScoreDetails": scored}
    hits = msgspec.json.decode(msgspec.json.encode(search.search(index, body)["hits"]))
    return [(hit["id"], hit.get("_rankingScoreDetails")) for hit in hits]


@pytest.mark.parametrize("seed", range(3))
def test_the_only_reading_gives_what_the_ways_give(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(seed)
    index = _index([
        {
            "id": n,
            "title": " ".join(chance.choices(WORDS, k=chance.randint(1, 5))),
            "text": " ".join(chance.choices(WORDS, k=chance.randint(0, 40))),
        }
        for n in range(200)
    ])  # fmt: skip
    queries = [
        " ".join(chance.choices([*WORDS, "cadle", "lihgt"], k=chance.randint(1, 4)))
        for _ in range(20)
    ]
    short = [_found(index, query, scored=True) for query in queries]
    assert sum(map(len, short)) > 1_000
    # Nor does it matter whether scores are told: the order stays.
    for query, found in zip(queries, short, strict=True):
        assert [n for n, _ in _found(index, query, scored=False)] == [n for n, _ in found]
    monkeypatch.setattr(buckets, "_MANY", -1)
    monkeypatch.setattr(context, "_SMALL", 0)
    monkeypatch.setattr(places, "FEW", 0)
    assert [_found(index, query, scored=True) for query in queries] == short


@pytest.mark.parametrize("seed", range(5))
def test_a_list_of_places_says_what_an_array_says(seed: int) -> None:
    chance = random.Random(seed)

    def some() -> list[int]:
        return sorted({
            chance.randrange(40) << 32 | chance.randrange(3) << 16 | chance.randrange(30)
            for _ in range(300)
        })  # fmt: skip

    left, right = some(), some()
    back = right[::2]
    a, b, c = (np.array(each, np.uint64) for each in (left, right, back))
    assert places.near(left, right, back) == places.near(a, b, c) == places.near(a, right, back)
    assert any(places.near(left, right, back))
    assert places.same_field(left, right) == places.same_field(a, b)
    assert places.by_field(left) == places.by_field(a)
    for wanted, size in ((0, 1), (7, 2), (25, 3)):
        assert places.by_position(left, wanted, size) == places.by_position(a, wanted, size)
        assert places.at_position(left, wanted) == places.at_position(a, wanted)
    assert list(places.merged([left, b])) == sorted(left + right)


def test_what_was_found_about_a_word_is_forgotten_with_the_next_write() -> None:
    index = _index([{"id": 1, "title": "river"}])
    assert _found(index, "candlelight", scored=False) == []
    assert _found(index, "forezt", scored=False) == []
    _write(index, [{"id": 2, "title": "candle light"}, {"id": 3, "title": "forest"}])
    assert _found(index, "candlelight", scored=False) == [(2, None)]
    assert _found(index, "forezt", scored=False) == [(3, None)]
    _write(index, [{"id": 3, "title": "stone"}])
    assert _found(index, "forezt", scored=False) == []
