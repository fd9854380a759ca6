"""How a hit shows its matches: highlights, crops and positions."""

from typing import Any

import pytest

from deploy.searchnode.index.index import Index
from deploy.searchnode.query.search import search
from tests.support.searchnode import index_of

DOCUMENT = {
    "id": 7,
    "title": "Rivers and houses",
    "text": "A river runs. Far away, behind the old house, the river ends in a lake of salt.",
    "tags": ["river", "calm river house"],
    "host": {"name": "River Stone"},
    "year": 2001,
    "flag": True,
    "none": None,
}


@pytest.fixture(scope="module")
def index() -> Index:
    return index_of([DOCUMENT], searchableAttributes=["title", "text", "tags", "host.name"])


def hit(index: Index, query: str, **parameters: Any) -> dict[str, Any]:
    (found,) = search(index, {"q": query, **parameters})["hits"]
    return found


def formatted(index: Index, query: str, name: str, **parameters: Any) -> Any:
    parameters.setdefault("attributesToHighlight", [name])
    return hit(index, query, **parameters)["_formatted"][name]


@pytest.mark.parametrize(
    ("query", "title"),
    [
        ("rivers", "<em>Rivers</em> and houses"),
        ("riv", "<em>Riv</em>ers and houses"),
        ("rivres and", "<em>Rivers</em> <em>and</em> houses"),
        ("river house", "<em>Rivers</em> and <em>house</em>s"),
        ('"and houses"', "Rivers <em>and houses</em>"),
        ("lake", "Rivers and houses"),
    ],
)
def test_matches_are_highlighted(index: Index, query: str, title: str) -> None:
    assert formatted(index, query, "title") == title


def test_tags_can_be_chosen(index: Index) -> None:
    parameters = {"highlightPreTag": "[", "highlightPostTag": "]"}
    assert formatted(index, "rivers", "title", **parameters) == "[Rivers] and houses"


def test_a_star_highlights_every_attribute_and_writes_numbers_as_texts(index: Index) -> None:
    found = hit(index, "river", attributesToHighlight=["*"])["_formatted"]
    assert found["tags"] == ["<em>river</em>", "calm <em>river</em> house"]
    assert found["host"] == {"name": "<em>River</em> Stone"}
    assert (found["id"], found["year"], found["flag"], found["none"]) == ("7", "2001", True, None)


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (1, "…<em>river</em>…"),
        (2, "A <em>river</em>…"),
        (3, "A <em>river</em> runs…"),
        (5, "A <em>river</em> runs. Far away…"),
        (
            100,
            "A <em>river</em> runs. Far away, behind the old house, "
            "the <em>river</em> ends in a lake of salt.",
        ),
    ],
)
def test_a_text_is_cropped_around_its_first_match(index: Index, size: int, text: str) -> None:
    assert formatted(index, "river", "text", attributesToCrop=["text"], cropLength=size) == text


def test_the_crop_shows_the_interval_with_most_words_of_the_query(index: Index) -> None:
    shown = formatted(index, "house river", "text", attributesToCrop=["text:4"], cropMarker="~")
    assert shown == "~old <em>house</em>, the <em>river</em>~"


def test_a_crop_without_matches_begins_at_the_beginning(index: Index) -> None:
    found = hit(index, "stone", attributesToCrop=["text"], cropLength=2)
    assert found["_formatted"]["text"] == "A river…"


def test_positions_are_in_bytes_and_say_where_in_an_array() -> None:
    index = index_of([{"id": 1, "text": "é river", "tags": ["calm", "river"]}])
    positions = hit(index, "river", showMatchesPosition=True)["_matchesPosition"]
    assert positions["text"] == [{"start": 3, "length": 5}]
    assert positions["tags"] == [{"start": 0, "length": 5, "indices": [1]}]


def test_a_prefix_is_measured_before_folding() -> None:
    index = index_of([{"id": 1, "text": "مُحَمَّد"}])
    shown = formatted(index, "محم", "text")
    assert shown == "<em>مُحَم</em>َّد"
    assert shown.replace("<em>", "").replace("</em>", "") == "مُحَمَّد"


def test_attributes_are_shown_that_are_retrieved_or_formatted(index: Index) -> None:
    found = hit(index, "river", attributesToRetrieve=["id"], attributesToHighlight=["title"])
    assert found.keys() == {"id", "_formatted"}
    assert found["_formatted"].keys() == {"id", "title"}
