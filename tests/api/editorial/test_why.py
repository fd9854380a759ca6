"""Why a query finds a program, or does not: the place that listeners see, and what put it there."""

from dataclasses import replace
from typing import Any

import pytest
from redis import Redis

from catalog.core.db import session_factory
from catalog.curation import pins, synonyms
from catalog.curation.pins import Placed
from indexer.engines.search import SearchPool
from tests.support import demo
from tests.support.client import Client
from tests.support.discovery import titles, total
from tests.support.product import sending, serve
from tests.support.programs import EDITOR, make
from tests.support.shared import SharedApi, apart
from tests.support.waiting import eventually

TITLES = (
    "Harbour at night",
    "A night at the harbour",
    "Harbour",
    "Mountain",
    "Piano solo",
    "باب الحديد",
    "Old harbour lights and the night",
    "وادي",
    "الوادي",
    "وادي النحل",
)


@pytest.fixture(scope="module")
def found(shared: SharedApi) -> dict[str, int]:
    """Searchable programs, a draft, and one that no sender has sent; `Mountain` is pinned to `harbour`."""
    with session_factory(shared.database).begin() as session:
        ids = {title: make(session, "published", title=title).id for title in TITLES}
        ids["Secret harbour"] = make(session, title="Secret harbour").id
        placed = [Placed(ids["Mountain"], 2), Placed(ids["Secret harbour"], 1)]
        pins.create(session, {"query": "harbour"}, placed, EDITOR)
        pins.create(session, {"query": "وادي"}, [Placed(ids["وادي"], 3)], EDITOR)
        synonyms.create(session, {"kind": "one_way", "terms": ["keyboard"], "finds": ["piano"]}, EDITOR)
    demo.count_words_in(shared.database)
    with Redis.from_url(shared.settings.indexer.redis_cache_url) as redis, sending(shared.settings, redis):
        eventually(lambda: total(shared.listener) == len(TITLES), what="searchable")
        eventually(lambda: titles(shared.listener, q="keyboard") == ["Piano solo"], what="synonyms")
    demo.wait_for_words(shared.listener)
    with session_factory(shared.database).begin() as session:
        ids["Late harbour"] = make(session, "published", title="Late harbour").id
    return ids


def why(client: Client, program_id: int, q: str) -> dict[str, Any]:
    answer = client.get(f"/catalog/programs/{program_id}/why", q=q)
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


@pytest.mark.parametrize("q", ["harbour", "harbour night", "night", "باب", "وادي"])
def test_the_place_is_the_one_that_listeners_see(shared: SharedApi, found: dict[str, int], q: str) -> None:
    listed = titles(shared.listener, q=q)
    editor = shared.staff["editor"]
    told = {title: why(editor, found[title], q) for title in TITLES}
    places = {title: data["inSearch"]["position"] for title, data in told.items()}
    assert places == {title: listed.index(title) + 1 if title in listed else None for title in TITLES}
    assert {data["verdict"] for title, data in told.items() if title in listed} == {"found"}
    assert {data["verdict"] for title, data in told.items() if title not in listed} <= {"words"}


def test_a_rule_a_title_or_a_pin_puts_it_there(shared: SharedApi, found: dict[str, int]) -> None:
    editor = shared.staff["editor"]
    best, second, *_ = titles(shared.listener, q="harbour night")
    first, other = (why(editor, found[title], "harbour night")["inSearch"] for title in (best, second))
    assert (first["beside"], other["beside"]) == (found[second], found[best])
    assert first["placedBy"] == other["placedBy"] == "proximity"
    assert [rule["rule"] for rule in other["rules"]][:2] == ["words", "typo"]
    assert other["rules"][0]["detail"] == {"matchingWords": 2, "maxMatchingWords": 2}
    pinned = why(editor, found["Mountain"], "harbour")
    assert (pinned["verdict"], pinned["inSearch"]["position"], pinned["inSearch"]["placedBy"]) == (
        "found",
        2,
        "pin",
    )
    assert pinned["missingWords"] == ["harbour"]
    assert pinned["inSearch"]["pins"] == [
        {"programId": found["Secret harbour"], "place": 1, "draft": False, "shown": False},
        {"programId": found["Mountain"], "place": 2, "draft": False, "shown": True},
    ]


def test_what_is_missing_is_said(shared: SharedApi, found: dict[str, int]) -> None:
    ops, reviewer = shared.staff["ops"], shared.staff["reviewer"]
    draft = why(ops, found["Secret harbour"], "secret")
    assert (draft["verdict"], draft["visible"], draft["hiddenBecause"]) == ("hidden", False, "draft")
    assert draft["inSearch"]["position"] is None
    assert [(state["state"], state["wanted"]) for state in draft["indexes"]] == [("in_step", False)]
    late = why(ops, found["Late harbour"], "late harbour")
    assert (late["verdict"], late["missingWords"]) == ("index", [])
    assert [state["state"] for state in late["indexes"]] == ["waiting"]
    wrong = why(reviewer, found["Piano solo"], "piano zzzz")
    assert wrong["missingWords"] == ["zzzz"]
    synonym = why(reviewer, found["Piano solo"], "keyboard")
    assert (synonym["verdict"], synonym["inSearch"]["synonyms"]) == ("found", ["piano"])
    layout = why(reviewer, found["باب الحديد"], "fhf hgp]d]")["inSearch"]
    assert (layout["position"], layout["rung"], layout["readAs"]) == (1, "layout", "باب الحديد")


def test_an_engine_is_asked_twice(
    shared: SharedApi, found: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    real = SearchPool._ask

    async def watched(pool: SearchPool, operation: str, *rest: Any) -> Any:
        asked.append(operation)
        return await real(pool, operation, *rest)

    monkeypatch.setattr(SearchPool, "_ask", watched)
    why(shared.staff["editor"], found["Harbour"], "harbour")
    assert asked == ["search", "multi_search"]


def test_without_an_engine_the_record_answers(shared: SharedApi, found: dict[str, int]) -> None:
    settings = apart(shared.settings)
    indexer = settings.indexer.model_copy(update={"meili_url": "http://127.0.0.1:1"})
    with serve(replace(settings, indexer=indexer)) as (client, _):
        client.session.headers.update(shared.staff["ops"].session.headers)
        data = why(client, found["Secret harbour"], "harbour")
        assert (data["verdict"], data["inSearch"]) == ("hidden", None)


@pytest.mark.parametrize(
    ("path", "params", "status", "code", "field"),
    [
        ("1/why", {}, 400, "invalid_parameter", "q"),
        ("1/why", {"q": " ! "}, 400, "invalid_parameter", "q"),
        ("1/why", {"q": "x" * 121}, 400, "invalid_parameter", "q"),
        ("1/why", {"q": "x", "limit": 3}, 400, "unknown_parameter", "limit"),
        ("999999/why", {"q": "x"}, 404, "not_found", None),
    ],
)
def test_a_wrong_question_is_refused(
    shared: SharedApi, path: str, params: dict[str, Any], status: int, code: str, field: str | None
) -> None:
    answer = shared.staff["editor"].get(f"/catalog/programs/{path}", **params)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    if field is not None:
        assert [error["field"] for error in answer.json()["errors"]] == [field]
