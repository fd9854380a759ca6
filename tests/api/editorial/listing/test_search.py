"""Editors find programs in every state by what people type."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from catalog.core.db import session_factory
from catalog.curation import synonyms
from catalog.programs import lifecycle
from catalog.taxonomy import series
from catalog.vocabulary.rollup import roll_up
from tests.support.accounts import signed_in
from tests.support.client import Client
from tests.support.product import serve
from tests.support.programs import EDITOR, make
from tests.support.shared import SharedApi, apart

# Name -> state and values. No word is in two programs, unless a test needs it.
PROGRAMS: dict[str, tuple[str, dict[str, Any]]] = {
    "coffee": ("draft", {"title": "قهوة المساء", "language": "ar", "description": "حديث هادئ"}),
    "history": ("in_review", {"title": "سيرة المدينة القديمة", "language": "ar", "tags": ["تاريخ"]}),
    "women": ("archived", {"title": "المرأة التي سامحت", "language": "ar"}),
    "market": ("published", {"title": "Market voices", "people": [("host", "يوسف الحداد")]}),
    "planned": ("scheduled", {"title": "Deserts from above", "kind": "documentary"}),
    "rocket": ("draft", {"title": "Rocket science", "description": "How engines fly to the moon"}),
    "moon": ("draft", {"title": "Moon"}),
    "moonlight": ("published", {"title": "Moon and light"}),
}


@pytest.fixture(scope="module")
def found(shared: SharedApi) -> dict[str, int]:
    """The ids of `PROGRAMS` by name; their words are counted."""
    with session_factory(shared.database).begin() as session:
        ids = {name: make(session, state, **values).id for name, (state, values) in PROGRAMS.items()}
        gone = make(session, title="قهوة محذوفة")
        lifecycle.transition(session, gone.id, "delete", EDITOR)
        synonyms.create(session, {"kind": "two_way", "terms": ["صحراء", "deserts"]}, EDITOR)
        ids["gone"] = gone.id
        show = series.create(session, {"title": "Vanished nights", "language": "en"}, EDITOR)
        for name, title in (("comet", "Comet"), ("tail", "Comet and tail")):
            ids[name] = make(session, title=title, series_id=show.id).id
            lifecycle.transition(session, ids[name], "delete", EDITOR)
    with session_factory(shared.database).begin() as session:
        while roll_up(session):
            pass
    return ids


def listed(who: Client, **given: Any) -> tuple[list[int], dict[str, Any]]:
    answer = who.get("/catalog/programs", **given)
    assert answer.status_code == 200, answer.text
    page = answer.json()
    return [row["id"] for row in page["data"]], page["meta"]


@pytest.mark.parametrize(
    ("q", "name", "rewrite"),
    [
        ("قهوة", "coffee", None),
        ("قهوه المسا", "coffee", None),
        ("هادئ", "coffee", None),
        ("قهوو", "coffee", ("correction", "قهوة")),
        ("المراه اللتي سامحت", "women", ("correction", "المرأة التي سامحت")),
        ("وبالمدينه", "history", ("joined", "المدينة")),
        ("تاريخ", "history", None),
        ("qahwa", "coffee", ("script", "قهوة")),
        ("seerat almadina", "history", ("script", "سيرة المدينة")),
        ("yousef", "market", ("script", "يوسف")),
        ("ri,m", "coffee", ("layout", "قهوة")),
        ("ةشقنثف", "market", ("layout", "Market")),
        ("قهوةالمساء", "coffee", ("split", "قهوة المساء")),
        ("mar ket voices", "market", ("merged", "Market voices")),
        ("صحراء", "planned", None),
        ("documentary deserts", "planned", ("kind", "Deserts")),
        ("rokcet", "rocket", ("correction", "Rocket")),
        ("engines", "rocket", None),
    ],
)
def test_what_people_type_finds_programs_in_every_state(
    q: str, name: str, rewrite: tuple[str, str] | None, shared: SharedApi, found: dict[str, int]
) -> None:
    ids, meta = listed(shared.staff["editor"], q=q)
    assert ids[:1] == [found[name]], (ids, meta)
    assert found["gone"] not in ids
    shown = meta["rewrite"]
    assert (shown and (shown["kind"], shown["query"])) == rewrite


def test_a_title_that_is_the_query_comes_first_and_pages_go_on(
    shared: SharedApi, found: dict[str, int]
) -> None:
    editor = shared.staff["editor"]
    whole, meta = listed(editor, q="moon", counts="true")
    assert whole[0] == found["moon"]
    assert set(whole) == {found["moon"], found["moonlight"], found["rocket"]}
    assert (meta["total"], meta["totalIsExact"]) == (3, True)
    assert {row["status"]: row["programs"] for row in meta["states"] if row["programs"]} == {
        "draft": 2,
        "published": 1,
    }
    for sort in ("relevance", "-title", "updatedAt"):
        seen: list[int] = []
        given: dict[str, Any] = {"q": "mooon", "sort": sort, "limit": 1}
        while True:
            page, meta = listed(editor, **given)
            seen += page
            assert meta["rewrite"]["kind"] == "correction"
            if meta["nextCursor"] is None:
                break
            given["cursor"] = meta["nextCursor"]
        assert sorted(seen) == sorted(whole)
        if sort == "-title":
            assert seen == [found["rocket"], found["moonlight"], found["moon"]]


def test_filters_and_words_are_both_met(shared: SharedApi, found: dict[str, int]) -> None:
    editor = shared.staff["editor"]
    assert listed(editor, q="qahwa", status="published")[0] == []
    assert listed(editor, q="qahwa", status="draft,archived", language="ar")[0] == [found["coffee"]]
    assert listed(editor, q="moon", status="published")[0] == [found["moonlight"]]
    assert listed(editor, q="زززززز")[0] == []
    trash = editor.get("/catalog/programs/trash", q="qahwa").json()["data"]
    assert [row["id"] for row in trash] == [found["gone"]]
    # Signs alone are no words.
    assert listed(editor, q="؟!")[0] == listed(editor, sort="-updatedAt")[0]


def test_the_trash_is_searched_as_other_lists_are(shared: SharedApi, found: dict[str, int]) -> None:
    def ids(q: str) -> list[int]:
        page = shared.staff["editor"].get("/catalog/programs/trash", q=q).json()
        return [row["id"] for row in page["data"]]

    # The title that is the query comes first; the words of a series count.
    assert ids("comet") == [found["comet"], found["tail"]]
    assert set(ids("vanished")) == {found["comet"], found["tail"]}
    assert listed(shared.staff["editor"], q="vanished")[0] == []


def test_words_that_are_not_counted_yet_may_have_a_mistake(shared: SharedApi, found: dict[str, int]) -> None:
    with session_factory(shared.database).begin() as session:
        new = make(session, title="Lighthouses at night").id
    ids, meta = listed(shared.staff["editor"], q="lighthuoses")
    assert (ids, meta["rewrite"]) == ([new], None)


def test_words_that_take_too_long_are_refused(shared: SharedApi, found: dict[str, int]) -> None:
    hasty = shared.settings.api.model_copy(update={"fallback_timeout_ms": 200})
    with (
        serve(replace(apart(shared.settings), api=hasty)) as (client, _),
        shared.database.connect() as holder,
    ):
        token = str(shared.staff["editor"].session.headers["Authorization"]).split()[1]
        holder.execute(text("LOCK TABLE people IN ACCESS EXCLUSIVE MODE"))
        answer = signed_in(client, token).get("/catalog/programs", q="qahwa")
    assert (answer.status_code, answer.json()["code"]) == (503, "search_unavailable")
    assert answer.headers["Retry-After"] == "2"
