"""Documents that are replaced or deleted leave nothing behind in an index."""

import random
from typing import Any

import pytest
from pyroaring import BitMap

from deploy.searchnode.index.facets import Facet
from deploy.searchnode.index.index import Index
from tests.support.searchnode import index_of, write

WORDS = ["river", "rivers", "light", "نهر", "الضوء", "forest", "stone", "river"]
SETTINGS = {
    "searchableAttributes": ["title", "hosts.name", "count"],
    "filterableAttributes": ["tags", "hosts.name", "count", "flag"],
    "sortableAttributes": ["count", "title"],
}


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
    """Return all that a facet knows, comparable with another facet."""
    return {
        "strings": facet.strings,
        "numbers": facet.numbers,
        "exists": facet.exists,
        "null": facet.null,
        "empty": facet.empty,
        "in order": facet.numbers_in_order(),
        "texts in order": facet.strings_in_order(),
        "values": {n: sorted(map(str, facet.values_of(n))) for n in live},
        "counts": facet.counts(live),
    }


def _state(index: Index) -> dict[str, Any]:
    """Return all that an index knows, comparable with an index that numbers its fields otherwise."""
    names = dict(enumerate(index.searchable.names))
    words = index.words
    return {
        "documents": index.documents,
        "live": index.live,
        "fields": index.field_counts,
        "postings": {
            word: [(p >> 32, names[p >> 16 & 0xFFFF], p & 0xFFFF) for p in postings]
            for word, postings in words.postings.items()
        },
        "vocabulary": words.vocabulary,
        "by shape": {k: sorted(v) for k, v in words.words_by_shape.items() if v},
        "found": {word: words.documents(word) for word in words.postings},
        "prefixes": {p: words.prefix(p)[0] for p in ("r", "ri", "no", "f")},
        "lengths": {(names[field], n): docs for (field, n), docs in index.field_lengths.items() if docs},
        "facets": {name: _facet(facet, index.live) for name, facet in index.facets.items() if facet.exists},
    }


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
def test_replaced_and_deleted_documents_leave_nothing(seed: int) -> None:
    chance = random.Random(seed)
    index = index_of([], **SETTINGS)
    for _ in range(60):
        ids = chance.sample(range(12), k=chance.randint(1, 5))
        documents = [_document(chance, n) for n in ids]
        written = set(map(str, ids))
        others = [external for external in index.ids if external not in written]
        write(index, documents, chance.sample(others, k=min(len(others), chance.randint(0, 1))))
        # Compared after every write: what was derived before a write must not outlive it.
        fresh = index_of([], **SETTINGS)
        external_ids = {number: external for external, number in index.ids.items()}
        for name in index.searchable.names:
            fresh.searchable.number(name)
        fresh.load((external_ids[n], index.documents[n], n) for n in sorted(external_ids))
        assert _state(index) == _state(fresh)


def test_what_stays_of_a_replaced_document_is_not_touched() -> None:
    document = {"id": 1, "title": "river light", "count": 1, "tags": ["News"]}
    index = index_of([document], **SETTINGS)
    before = index.words.documents("river")
    write(index, [document | {"tags": ["Art"]}])
    assert index.words.documents("river") is before
    assert index.facets["tags"].strings == {"art": BitMap([0])}
    write(index, [document | {"title": "river stone"}])
    assert index.words.documents("river") is before
    assert "light" not in index.words
    assert index.words.documents("stone") == BitMap([0])


def test_analysing_changes_nothing_but_the_list_of_fields() -> None:
    index = index_of([{"id": 1, "title": "river"}], **SETTINGS)
    before, fields = _state(index), list(index.searchable.names)
    index.analyse([("2", b"{}", {"id": 2, "title": "stone", "hosts": [{"name": "light"}]})], ["1"])
    assert _state(index) == before
    assert index.searchable.names == [*fields, "hosts.name"]
