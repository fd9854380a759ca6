"""The ladder over HTTP: other readings answer, say so, and cost a clean query nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from api.settings import Settings
from catalog.core.db import session_factory
from catalog.taxonomy import categories
from tests.support import demo
from tests.support.client import Client
from tests.support.discovery import titles
from tests.support.pipeline import Pipeline, change
from tests.support.product import serve
from tests.support.programs import EDITOR, make
from tests.support.scraping import metric
from tests.support.shared import shared_stores
from tests.support.waiting import eventually

REQUESTS = "engine_request_duration_seconds_count"


PROGRAMS: list[dict[str, Any]] = [
    {"title": "باب الحديد", "kind": "film", "people": [("guest", "يوسف شاهين")], "language": "ar"},
    {"title": "الرسالة", "kind": "film", "language": "ar"},
    {"title": "الحديد", "kind": "film", "language": "ar"},
    {"title": "شيء من الخوف", "kind": "film", "language": "ar"},
    {"title": "Casablanca", "kind": "film", "description": "Rick runs a bar"},
    {"title": "2001: A Space Odyssey", "kind": "film"},
    {"title": "The Dark Knight", "kind": "film"},
    *({"title": f"قهوة المساء {n}", "language": "ar"} for n in "ابتث"),
]


@contextmanager
def listening(pipeline: Pipeline) -> Iterator[Client]:
    """Serve a few programs whose words are counted."""
    with session_factory(pipeline.database).begin() as session:
        shelf = categories.create(session, {"name_ar": "سينما", "name_en": "Cinema"}, EDITOR)
        for n, values in enumerate(PROGRAMS):
            released = datetime(2024, 1 + n, 1, tzinfo=UTC)
            make(session, "published", **values, category_id=shelf.id, release_date=released)
    demo.count_words(pipeline)
    pipeline.sender().drain()
    with serve(pipeline.settings) as (client, _):
        demo.wait_for_words(client)
        yield client


@pytest.fixture(scope="module")
def listener() -> Iterator[Client]:
    """A listener to these programs, for all tests that change none of them."""
    with shared_stores() as stores, listening(stores) as client:
        yield client


def test_every_rung_answers_and_says_so(listener: Client) -> None:
    for q, rung, text, title in (
        ("وباب الحديد", "joined", "باب الحديد", "باب الحديد"),
        ("بابالحديد", "split", "باب الحديد", "باب الحديد"),
        ("hgvshgm", "layout", "الرسالة", "الرسالة"),
        ("كازابلانكا", "script", "Casablanca", "Casablanca"),
        ("movie casablanca", "kind", "Casablanca", "Casablanca"),
        ("qqqqqq casablanca", "dropped", "Casablanca", "Casablanca"),
        # A phrase that is nowhere is words.
        ('"hgvshgm"', "layout", "الرسالة", "الرسالة"),
    ):
        answer = listener.get("/discovery/search", q=q).json()
        assert answer["meta"]["rewrite"] == {"kind": rung, "query": text}, q
        assert answer["meta"]["query"] == q
        assert answer["data"][0]["title"] == title, q
        assert "didYouMean" not in answer["meta"]


def test_a_clean_query_is_asked_once_and_is_not_rewritten(listener: Client) -> None:
    for q in ("باب الحديد", "The Dark Knight", "شئ من الخوف", "2001", "٢٠٠١", "قهوة المساء"):
        before = metric(listener, REQUESTS)
        answer = listener.get("/discovery/search", q=q).json()
        assert metric(listener, REQUESTS) == before + 1, q
        assert answer["meta"]["rewrite"] is None, q
        assert answer["data"], q


def test_an_unknown_word_costs_no_second_request(listener: Client) -> None:
    before = metric(listener, REQUESTS)
    assert titles(listener, q="casablnca")[0] == "Casablanca"
    assert metric(listener, REQUESTS) == before + 1


def test_what_may_have_been_meant_is_offered_beside_the_hits(listener: Client) -> None:
    answer = listener.get("/discovery/search", q="casablnca").json()
    assert answer["data"][0]["title"] == "Casablanca"
    assert answer["meta"]["rewrite"] is None
    assert answer["meta"]["didYouMean"] == {"kind": "correction", "query": "Casablanca"}


def test_pages_and_orders_follow_the_same_reading(listener: Client) -> None:
    q = "بودكاست قهوة المساء"
    whole = listener.get("/discovery/search", q=q, limit=20).json()
    assert whole["meta"]["rewrite"] == {"kind": "kind", "query": "قهوة المساء"}
    assert whole["meta"]["total"] == 4
    pages = [listener.get("/discovery/search", q=q, limit=2, page=page).json() for page in (1, 2)]
    assert [row["id"] for page in pages for row in page["data"]] == [row["id"] for row in whole["data"][:4]]
    newest = listener.get("/discovery/search", q=q, sort="newest", limit=20).json()
    assert newest["meta"]["rewrite"] == whole["meta"]["rewrite"]
    dates = [row["releaseDate"] for row in newest["data"]]
    assert dates == sorted(dates, reverse=True)
    assert newest["meta"]["total"] == whole["meta"]["total"]


def test_filters_hold_for_readings_too(listener: Client) -> None:
    assert titles(listener, q="hgvshgm", kind="film") == ["الرسالة"]
    assert listener.get("/discovery/search", q="hgvshgm", kind="trailer").json()["meta"]["total"] == 0


def test_a_phrase_and_operators_are_taken_at_their_word(listener: Client) -> None:
    for params in ({"q": '"casablnca rick"'}, {"q": "casablnca -film", "operators": "true"}):
        assert listener.get("/discovery/search", **params).json()["meta"]["rewrite"] is None


def test_nothing_found_is_no_dead_end(listener: Client) -> None:
    meta = listener.get("/discovery/search", q="xyzzyqwk").json()["meta"]
    assert meta["total"] == 0
    assert {offer["type"] for offer in meta["suggestions"]} == {"program", "category"}


def test_suggestions_climb_too(listener: Client) -> None:
    for q, kind, text in (
        ("بودكاست قهوة", "program", "قهوة المساء ا"),
        ("hgvsh", "program", "الرسالة"),
        ("youssef chah", "person", "يوسف شاهين"),
    ):
        offers = listener.get("/discovery/suggest", q=q).json()["data"]
        assert (kind, text) in [(offer["type"], offer["text"]) for offer in offers], q


@pytest.mark.slow
def test_a_new_word_is_known_a_moment_later(pipeline: Pipeline) -> None:
    with listening(pipeline) as listener:
        known = metric(listener, "search_vocabulary_words ")
        change(pipeline, "UPDATE programs SET title = 'Grand Zubrowka' WHERE title = 'Casablanca'")
        pipeline.sender().drain()
        demo.count_words(pipeline)
        eventually(lambda: metric(listener, "search_vocabulary_words ") != known)
        assert titles(listener, q="zubrwoka")[0] == "Grand Zubrowka"


def test_a_word_that_is_found_as_typed_is_not_read_otherwise(pipeline: Pipeline, settings: Settings) -> None:
    """The words of a program that was just published are not counted yet."""
    with session_factory(pipeline.database).begin() as session:
        make(session, "published", title="الفلوس", language="ar")
    demo.count_words(pipeline)
    with session_factory(pipeline.database).begin() as session:
        make(session, "published", title="How beauty feels")
    pipeline.sender().drain()
    with serve(settings) as (client, _):
        demo.wait_for_words(client)
        answer = client.get("/discovery/search", q="feels").json()
    assert [row["title"] for row in answer["data"]][:1] == ["How beauty feels"]
    assert answer["meta"]["rewrite"] is None


def test_words_of_a_description_are_no_mistakes(listener: Client) -> None:
    # `bar` is in no title: without the description it would be taken for `باب` or `dark`.
    answer = listener.get("/discovery/search", q="bar").json()
    assert [row["title"] for row in answer["data"]][:1] == ["Casablanca"]
    assert answer["meta"]["rewrite"] is None


@pytest.mark.slow
def test_scattered_words_of_a_description_give_way_to_a_title(pipeline: Pipeline, settings: Settings) -> None:
    with session_factory(pipeline.database).begin() as session:
        make(session, "published", title="يوم في الريف", language="ar")
        make(session, "published", title="علامة", language="ar")
        text = "كل يوم يجلس الضيف في العوامة"
        make(session, "published", title="الشقيقان", description=text, language="ar")
    demo.count_words(pipeline)
    pipeline.sender().drain()
    with serve(settings) as (client, _):
        demo.wait_for_words(client)
        found = client.get("/discovery/search", q="يوم في الضيف").json()
        assert found["data"][0]["title"] == "يوم في الريف"
        assert found["meta"]["rewrite"] == {"kind": "correction", "query": "يوم في الريف"}
        # These stand together, and this word alone: they were meant as they are.
        for q in ("يجلس الضيف", "عوامة"):
            found = client.get("/discovery/search", q=q).json()
            assert (found["data"][0]["title"], found["meta"]["rewrite"]) == ("الشقيقان", None), q
        assert found["meta"]["didYouMean"] == {"kind": "correction", "query": "علامة"}


def test_a_title_that_is_the_query_comes_first(listener: Client) -> None:
    for q in ("حديد", "الحديد"):
        assert titles(listener, q=q) == ["الحديد", "باب الحديد"]
