"""What editors are told of a query before and after curation: in force and only tried, and nothing of it is stored."""

from collections.abc import Iterator
from typing import Any

import pytest
from redis import Redis

from catalog.core.db import session_factory
from catalog.curation import pins, synonyms
from catalog.curation.pins import Placed
from tests.support.discovery import titles, total
from tests.support.product import sending
from tests.support.programs import EDITOR, make
from tests.support.shared import SharedApi
from tests.support.waiting import eventually

TITLES = ("Harbour aaa", "Harbour bbb", "Harbour ccc", "Mountain", "Keyboard", "Piano solo", "الميناء القديم")


@pytest.fixture(scope="module")
def found(shared: SharedApi) -> Iterator[dict[str, int]]:
    """Searchable programs and a draft by title; `Mountain` is pinned to `harbour`, and `keyboard` finds pianos."""
    with session_factory(shared.database).begin() as session:
        ids = {title: make(session, "published", title=title).id for title in TITLES}
        ids["Secret"] = make(session, title="Secret").id
        placed = [Placed(ids["Mountain"], 2), Placed(ids["Secret"], 1)]
        pins.create(session, {"query": "harbour"}, placed, EDITOR)
        synonyms.create(session, {"kind": "one_way", "terms": ["keyboard"], "finds": ["piano"]}, EDITOR)
    with Redis.from_url(shared.settings.indexer.redis_cache_url) as redis, sending(shared.settings, redis):
        eventually(lambda: total(shared.listener) == len(TITLES), what="searchable")
        eventually(lambda: len(titles(shared.listener, q="keyboard")) == 2, what="synonyms")
        yield ids


def told(shared: SharedApi, **asked: Any) -> tuple[list[str], list[str], dict[str, Any]]:
    """The titles before and after, and the meta."""
    answer = shared.staff["editor"].get("/catalog/curation/preview", **asked)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    before, after = ([program["title"] for program in body["data"][name]] for name in ("before", "after"))
    return before, after, body["meta"]


def test_pins_in_force_and_tried_ones(shared: SharedApi, found: dict[str, int]) -> None:
    before, after, meta = told(shared, q="HARBOUR")
    plain = ["Harbour aaa", "Harbour bbb", "Harbour ccc"]
    assert (before, after) == (plain, ["Harbour aaa", "Mountain", "Harbour bbb", "Harbour ccc"])
    assert after == titles(shared.listener, q="harbour")
    assert (meta["query"], meta["folded"], meta["readAs"]) == ("HARBOUR", "harbour", None)
    secret, mountain = found["Secret"], found["Mountain"]
    assert meta["pins"] == [
        {"programId": secret, "place": 1, "draft": False, "shown": False},
        {"programId": mountain, "place": 2, "draft": False, "shown": True},
    ]
    tried = f"{found['Harbour ccc']}:1,{found['Piano solo']}:2"
    before, after, meta = told(shared, q="harbour", pins=tried, limit=3)
    # The tried one has the place; of those in force, the others stay.
    assert (before, after) == (plain, ["Harbour ccc", "Piano solo", "Harbour aaa"])
    assert [(pin["programId"], pin["draft"]) for pin in meta["pins"]] == [
        (found["Harbour ccc"], True),
        (found["Piano solo"], True),
    ]
    assert titles(shared.listener, q="harbour") == ["Harbour aaa", "Mountain", "Harbour bbb", "Harbour ccc"]


def test_synonyms_in_force_and_tried_ones(shared: SharedApi, found: dict[str, int]) -> None:
    before, after, meta = told(shared, q="keyboard")
    assert (before, sorted(after), meta["variants"]) == (["Keyboard"], ["Keyboard", "Piano solo"], ["piano"])
    body = shared.staff["editor"].get("/catalog/curation/preview", q="keyboard").json()["data"]["after"]
    assert {program["title"]: program["bySynonym"] for program in body} == {
        "Keyboard": False,
        "Piano solo": True,
    }
    before, after, meta = told(shared, q="الميناء", terms="ميناء, mountain")
    assert (before, after) == (["الميناء القديم"], ["الميناء القديم", "Mountain"])
    assert meta["variants"] == ["mountain"]
    assert told(shared, q="mountain", terms="ميناء", finds="mountain")[:2] == (["Mountain"], ["Mountain"])
    assert titles(shared.listener, q="الميناء") == ["الميناء القديم"]


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({}, "q"),
        ({"q": "!"}, "q"),
        ({"q": "a" * 121}, "q"),
        ({"q": "a", "pins": "1"}, "pins"),
        ({"q": "a", "pins": "1:0"}, "pins"),
        ({"q": "a", "pins": "1:51"}, "pins"),
        ({"q": "a", "pins": "1:1,2:1"}, "pins"),
        ({"q": "a", "pins": "1:1,1:2"}, "pins"),
        ({"q": "a", "pins": f"{10**17}:1"}, "pins"),
        ({"q": "a", "pins": "²:1"}, "pins"),
        ({"q": "a", "pins": ",".join(f"{n}:{n}" for n in range(1, 12))}, "pins"),
        ({"q": "a", "terms": "a"}, "terms"),
        ({"q": "a", "terms": "a,,b"}, "terms"),
        ({"q": "a", "terms": "one two three four,b"}, "terms"),
        ({"q": "a", "finds": "b"}, "terms"),
        ({"q": "a", "terms": "a", "finds": "!"}, "finds"),
        ({"q": "a", "limit": 0}, "limit"),
        ({"q": "a", "page": 2}, "page"),
    ],
)
def test_wrong_parameters_are_refused_with_their_field(
    shared: SharedApi, asked: dict[str, object], field: str
) -> None:
    refused = shared.staff["editor"].get("/catalog/curation/preview", **asked)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, field), refused.text


def test_what_is_tried_anew_is_without_its_stored_version(shared: SharedApi, found: dict[str, int]) -> None:
    editor = shared.staff["editor"]
    (pin,) = editor.get("/catalog/pins", q="harbour").json()["data"]
    tried = f"{found['Harbour ccc']}:1"
    _, after, _ = told(shared, q="harbour", pins=tried, pinId=pin["id"])
    assert after == ["Harbour ccc", "Harbour aaa", "Harbour bbb"]
    _, after, _ = told(shared, q="harbour", pins=tried)
    assert "Mountain" in after
    (synonym,) = editor.get("/catalog/synonyms", q="keyboard").json()["data"]
    _, after, meta = told(shared, q="keyboard", terms="keyboard", finds="mountain", synonymId=synonym["id"])
    assert (after, meta["variants"]) == (["Keyboard", "Mountain"], ["mountain"])
    _, after, _ = told(shared, q="keyboard", terms="keyboard", finds="mountain")
    assert "Piano solo" in after
