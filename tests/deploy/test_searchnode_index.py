"""Documents replaced in the search node leave it as if only their last versions had ever come."""

import random
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from pyroaring import BitMap

from deploy.local.searchnode import settings
from deploy.local.searchnode.facets import Facet
from deploy.local.searchnode.index import Index
from deploy.local.searchnode.text.scripts import runs

WORDS = ["river", "rivers", "light", "نهر", "الضوء", "forest", "stone", "river"]
SETTINGS = settings.defaults() | {
    "searchableAttributes": ["title", "hosts.name", "count"],
    "filterableAttributes": ["tags", "hosts.name", "count", "flag"],
    "sortableAttributes": ["count", "title"],
}


def _index() -> Index:
    index = Index("replaced", 1, "id", "2026-01-01T00:00:00Z")
    index.configure(SETTINGS)
    return index


def _put(index: Index, documents: list[dict[str, Any]], gone: list[str]) -> None:
    index.commit(
        index.analyse([(str(d["id"]), msgspec.json.encode(d), d) for d in documents], gone)
    )


def _document(chance: random.Random, number: int) -> dict[str, Any]:
    found: dict[str, Any] = {
        "id": number,
        "title": " ".join(chance.choices(WORDS, k=chance.randint(0, 6))),
        "count": chance.choice([1, 1.0, 2, True, None]),
        "tags": chance.sample(["News", "news", "Art"], k=chance.randint(0, 2)),
        "hosts": [{"name": chance.choice(WORDS)} for _ in range(chance.randint(0, 3))],
        "flag": chance.choice([True, 1, "true", ""]),
    }
    return {name: value for name, value in found.items() if name == "id" or chance.random() < 0.8}


def _facet(facet: Facet, live: BitMap) -> dict[str, Any]:
    return {
        "strings": facet.strings, "numbers": facet.numbers, "exists": facet.exists,
        "null": facet.null, "empty": facet.empty, "in order": facet.numbers_in_order(),
        "texts in order": facet.strings_in_order(),
        "values": {n: sorted(map(str, facet.values_of(n))) for n in live},
        "counts": facet.counts(live),
    }  # fmt: skip


def _state(index: Index) -> dict[str, Any]:
    names = dict(enumerate(index.fields))
    words = index.postings
    return {
        "documents": index.documents,
        "live": index.live,
        "fields": index.field_counts,
        "places": {
            word: [(p >> 32, names[p >> 16 & 0xFFFF], p & 0xFFFF) for p in places]
            for word, places in words.places.items()
        },
        "vocabulary": words.vocabulary,
        "shelves": {k: sorted(v) for k, v in words.shelves.items() if v},
        "found": {word: words.documents(word) for word in words.places},
        "prefixes": {p: words.of_prefix(p)[0] for p in ("r", "ri", "no", "f")},
        "sizes": {(names[field], n): docs for (field, n), docs in index.sizes.items() if docs},
        "facets": {
            name: _facet(facet, index.live)
            for name, facet in index.facets.items()
            if facet.exists
        },
    }  # fmt: skip


@pytest.mark.parametrize("seed", range(8))
def test_replaced_and_deleted_documents_leave_nothing(seed: int) -> None:
    chance = random.Random(seed)
    index = _index()
    for _ in range(60):
        ids = chance.sample(range(12), k=chance.randint(1, 5))
        documents = [_document(chance, n) for n in ids]
        kept = set(map(str, ids))
        gone = [external for external in index.ids if external not in kept]
        _put(index, documents, chance.sample(gone, k=min(len(gone), chance.randint(0, 1))))
        # What was found out about words must not outlive a change.
        fresh = _index()
        numbers = {number: external for external, number in index.ids.items()}
        for name in index.fields:
            fresh.field(name)
        fresh.load((numbers[n], index.documents[n], n) for n in sorted(numbers))
        assert _state(index) == _state(fresh)


def test_what_stays_of_a_replaced_document_is_not_touched() -> None:
    index = _index()
    document = {"id": 1, "title": "river light", "count": 1, "tags": ["News"]}
    _put(index, [document], [])
    before = index.postings.documents("river")
    _put(index, [document | {"tags": ["Art"]}], [])
    assert index.postings.documents("river") is before
    assert index.facets["tags"].strings == {"art": BitMap([0])}
    _put(index, [document | {"title": "river stone"}], [])
    assert index.postings.documents("river") is before
    assert "light" not in index.postings
    assert index.postings.documents("stone") == BitMap([0])


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("river", [("river", False)]),
        ("نهر river", [("نهر ", True), ("river", False)]),
        ("é 12 نهر, δ", [("é 12 ", False), ("نهر, ", True), ("δ", False)]),
        ("١٢، 3", [("١٢، 3", True)]),
        ("–", [("–", False)]),
    ],
)
def test_runs_of_one_script(text: str, wanted: list[tuple[str, bool]]) -> None:
    found: Iterator[tuple[str, bool]] = runs(text)
    assert list(found) == wanted
