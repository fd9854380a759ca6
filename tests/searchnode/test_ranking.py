"""Shortcuts of the ranking find what the long way finds."""

import random
from typing import Any

import msgspec
import numpy as np
import pytest

from deploy.searchnode.index.index import Index
from deploy.searchnode.query.search import search
from deploy.searchnode.rank import rules
from deploy.searchnode.rank.lookup import context, postings
from tests.support.searchnode import index_of, write

WORDS = ["candle", "candles", "candel", "river", "rivers", "light", "lights", "forest", "stone"]


def programs(documents: list[dict[str, Any]]) -> Index:
    return index_of(documents, searchableAttributes=["title", "text"])


def found(index: Index, text: str, *, scored: bool) -> list[Any]:
    """Return (id, scores of every rule or None) of all hits."""
    body = {"q": text, "limit": 1_000, "showRankingScoreDetails": scored}
    hits = msgspec.json.decode(msgspec.json.encode(search(index, body)["hits"]))
    return [(hit["id"], hit.get("_rankingScoreDetails")) for hit in hits]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_the_only_reading_gives_what_the_paths_give(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(seed)
    index = programs(
        [
            {
                "id": n,
                "title": " ".join(chance.choices(WORDS, k=chance.randint(1, 5))),
                "text": " ".join(chance.choices(WORDS, k=chance.randint(0, 40))),
            }
            for n in range(200)
        ]
    )
    queries = [
        " ".join(chance.choices([*WORDS, "cadle", "lihgt"], k=chance.randint(1, 4))) for _ in range(20)
    ]
    short = [found(index, query, scored=True) for query in queries]
    assert sum(map(len, short)) > 1_000
    # The order is the same without scores.
    for query, hits in zip(queries, short, strict=True):
        assert [n for n, _ in found(index, query, scored=False)] == [n for n, _ in hits]
    monkeypatch.setattr(rules, "_MANY", -1)
    monkeypatch.setattr(context, "_SMALL_SCOPE", 0)
    monkeypatch.setattr(postings, "MAX_LISTED", 0)
    assert [found(index, query, scored=True) for query in queries] == short


@pytest.mark.parametrize("seed", range(5))
def test_a_list_of_postings_says_what_an_array_says(seed: int) -> None:
    chance = random.Random(seed)

    def random_postings() -> list[int]:
        return sorted(
            {
                chance.randrange(40) << 32 | chance.randrange(3) << 16 | chance.randrange(30)
                for _ in range(300)
            }
        )

    left, right = random_postings(), random_postings()
    reversible = right[::2]
    a, b, c = (np.array(each, np.uint64) for each in (left, right, reversible))
    assert (
        postings.documents_by_proximity(left, right, reversible)
        == postings.documents_by_proximity(a, b, c)
        == postings.documents_by_proximity(a, right, reversible)
    )
    assert any(postings.documents_by_proximity(left, right, reversible))
    assert postings.documents_with_both_in_a_field(left, right) == postings.documents_with_both_in_a_field(
        a, b
    )
    assert postings.documents_by_field(left) == postings.documents_by_field(a)
    for wanted, size in ((0, 1), (7, 2), (25, 3)):
        assert postings.documents_by_position_cost(left, wanted, size) == postings.documents_by_position_cost(
            a, wanted, size
        )
        assert postings.documents_at(left, wanted) == postings.documents_at(a, wanted)
    assert list(postings.merged([left, b])) == sorted(left + right)


def test_what_was_found_about_a_word_is_forgotten_with_the_next_write() -> None:
    index = programs([{"id": 1, "title": "river"}])
    assert found(index, "candlelight", scored=False) == []
    assert found(index, "forezt", scored=False) == []
    write(index, [{"id": 2, "title": "candle light"}, {"id": 3, "title": "forest"}])
    assert found(index, "candlelight", scored=False) == [(2, None)]
    assert found(index, "forezt", scored=False) == [(3, None)]
    write(index, [{"id": 3, "title": "stone"}])
    assert found(index, "forezt", scored=False) == []
