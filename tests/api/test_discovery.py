"""What listeners ask: every filter, order, facet and page, over a catalogue made for it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from redis import Redis
from sqlalchemy import Engine as Database
from sqlalchemy import text

from api.discovery import params
from api.settings import Settings
from catalog.categories import lifecycle as categories
from catalog.db import session_factory
from catalog.programs import lifecycle
from catalog.series import lifecycle as series
from tests.catalog.support import EDITOR, VALUES
from tests.support.product import Client, sending
from tests.support.servers import eventually, scalar

SPECS: list[dict[str, Any]] = [
    {"title": "قهوة المساء", "language": "ar", "duration_sec": 1800, "tags": ["قهوة", "مساء"],
     "people": [("host", "سارة العمري")], "description": "حكايات عن المقاهي القديمة في جدة"},
    {"title": "Morning coffee", "duration_sec": 900, "tags": ["coffee"], "people": [("host", "Omar Haddad")],
     "is_featured": True, "description": "How beans travel the world"},
    {"title": "The coffee film", "media_type": "video", "kind": "film", "duration_sec": 5400,
     "description": "A film about <b>coffee</b> & trade"},
    {"title": "تاريخ الطرق", "language": "ar", "kind": "documentary", "media_type": "video", "duration_sec": 3600},
    {"title": "No length, no date", "duration_sec": None, "release_date": None},
]  # fmt: skip


def stock(database: Database) -> dict[str, int]:
    """The programs above, published; title -> id, and the ids of their category and series."""
    found: dict[str, int] = {}
    with session_factory(database).begin() as session:
        shelf = categories.create(session, {"name_ar": "مجتمع", "name_en": "Society"}, EDITOR)
        show = series.create(session, {"title": "Coffee talks", "language": "en"}, EDITOR)
        for n, spec in enumerate(SPECS):
            values = VALUES | {"release_date": datetime(2024, 1 + n, 1, tzinfo=UTC)} | spec
            if n < 3:
                values["category_id"] = shelf.id
            if n in (1, 2):
                values |= {"series_id": show.id, "season": 1, "episode": n}
            program = lifecycle.create(session, values, EDITOR)
            lifecycle.publish(session, program.id, EDITOR)
            found[program.title] = program.id
        found["category"], found["series"] = shelf.id, show.id
        # More viewed the later it stands.
        session.execute(text("UPDATE programs SET view_count = id * 1000"))
    return found


@pytest.fixture
def catalogue(
    settings: Settings, database: Database, cache_redis: "Redis", listener: Client
) -> Iterator[dict[str, int]]:
    """The same, searchable."""
    found = stock(database)
    with sending(settings, cache_redis):
        eventually(lambda: total(listener) == len(SPECS), what="searchable")
        yield found


def total(listener: Client) -> int:
    """How many the engine has; -1 while it does not answer."""
    meta = listener.get("/discovery/browse").json().get("meta", {"degraded": True})
    return -1 if meta["degraded"] else int(meta["total"])


def titles(listener: Client, path: str = "/discovery/search", **given: Any) -> list[str]:
    answer = listener.get(path, **given)
    assert answer.status_code == 200, answer.text
    return [row["title"] for row in answer.json()["data"]]


def check_filters_and_orders(listener: Client, catalogue: dict[str, int]) -> None:
    """Every filter and every order, of search and of browse, whoever answers."""
    evening, morning, film, roads, bare = (spec["title"] for spec in SPECS)
    for path in ("/discovery/search", "/discovery/browse"):
        for given_, expected in (
            ({"categoryId": catalogue["category"]}, {evening, morning, film}),
            ({"seriesId": catalogue["series"]}, {morning, film}),
            ({"language": "ar"}, {evening, roads}),
            ({"mediaType": "video"}, {film, roads}),
            ({"kind": "documentary"}, {roads}),
            ({"tag": "قهوة"}, {evening}),
            ({"person": "Omar Haddad"}, {morning}),
            ({"durationMin": 1800}, {evening, film, roads}),
            ({"durationMin": 1000, "durationMax": 3600}, {evening, roads}),
            ({"releasedAfter": "2024-02-01", "releasedBefore": "2024-03-15T00:00:00Z"}, {morning, film}),
            ({"featured": "true"}, {morning}),
            ({"featured": "false", "mediaType": "audio"}, {evening, bare}),
            ({"language": "ar", "kind": "documentary", "durationMin": 1}, {roads}),
            ({"language": "ar", "tag": "coffee"}, set()),
        ):  # fmt: skip
            assert set(titles(listener, path, **given_)) == expected, (path, given_)
        for sort, expected_order in (
            ("newest", [roads, film, morning, evening, bare]),
            ("oldest", [evening, morning, film, roads, bare]),
            ("longest", [film, roads, evening, morning, bare]),
            ("shortest", [morning, evening, roads, film, bare]),
            ("popular", [bare, roads, film, morning, evening]),
        ):
            assert titles(listener, path, sort=sort) == expected_order, (path, sort)


def test_filters_orders_and_pages(listener: Client, catalogue: dict[str, int]) -> None:
    check_filters_and_orders(listener, catalogue)
    film, roads = SPECS[2]["title"], SPECS[3]["title"]
    page = listener.get("/discovery/search", sort="oldest", limit=2, page=2).json()
    assert [row["title"] for row in page["data"]] == [film, roads]
    assert page["meta"] == {"page": 2, "limit": 2, "total": 5, "totalPages": 3, "query": "", "sort": "oldest",
                            "degraded": False, "rewrite": None}  # fmt: skip
    assert titles(listener, limit=2, page=4) == []


def test_words_are_found_misspelt_and_marked(listener: Client, catalogue: dict[str, int]) -> None:
    for q in ("قهوة المساء", "قهوه المسا", "قَهْوَة المساء", "قهوة المساءه"):
        assert titles(listener, q=q)[0] == "قهوة المساء", q
    for q in ("mornin", "morming coffee", "MORNING", "coffee mor"):
        assert titles(listener, q=q)[0] == "Morning coffee", q
    assert titles(listener, q="سارة")[0] == "قهوة المساء"
    assert titles(listener, q="Coffee talks")[:2] != []
    page = listener.get("/discovery/search", q="coffee trade", highlight="true").json()
    marked = {row["title"]: row["highlight"] for row in page["data"]}["The coffee film"]
    assert marked["title"] == "The <em>coffee</em> film"
    # What was written is text; only our own marks are tags. A word is marked where the rule that
    # ranked it found it: `coffee` in the title.
    assert "&lt;b&gt;coffee&lt;/b&gt; &amp; <em>trade</em>" in marked["description"]
    assert "highlight" not in listener.get("/discovery/search", q="coffee").json()["data"][0]


def test_facets_count_what_was_found(listener: Client, catalogue: dict[str, int]) -> None:
    given_ = {"facets": "language,categoryId,seriesId,tags", "q": "coffee"}
    facets = listener.get("/discovery/search", **given_).json()["facets"]
    assert facets["language"] == [{"value": "en", "count": 2}]
    shelf = {"value": str(catalogue["category"]), "count": 2, "nameAr": "مجتمع", "nameEn": "Society"}  # fmt: skip
    assert facets["categoryId"] == [shelf]
    assert facets["seriesId"] == [{"value": str(catalogue["series"]), "count": 2, "name": "Coffee talks"}]  # fmt: skip
    assert facets["tags"] == [{"value": "coffee", "count": 1}]
    assert "facets" not in listener.get("/discovery/search").json()
    first = listener.get("/discovery/browse", limit=2, facets="language").json()
    rest = listener.get("/discovery/browse", limit=2, facets="language", cursor=first["meta"]["nextCursor"])  # fmt: skip
    # The second page is of the same listing.
    assert rest.json()["facets"] == first["facets"] == {"language": [{"value": "en", "count": 3}, {"value": "ar", "count": 2}]}  # fmt: skip
    assert rest.json()["meta"]["total"] == first["meta"]["total"] == 5


def test_one_program_several_programs_and_a_series(
    listener: Client, catalogue: dict[str, int]
) -> None:
    number = catalogue["Morning coffee"]
    program = listener.get(f"/discovery/programs/{number}").json()["data"]
    assert program["people"] == [{"name": "Omar Haddad", "role": "host"}]
    assert program["series"]["title"] == "Coffee talks"
    assert listener.get(f"/discovery/programs/{program['slug']}").json()["data"] == program
    arabic = listener.get("/discovery/programs/قهوة-المساء").json()["data"]
    assert arabic["id"] == catalogue["قهوة المساء"]
    asked = [number, 999_999, arabic["id"], number]
    batch = listener.post("/discovery/programs/batch", {"ids": asked}).json()
    assert [row["id"] for row in batch["data"]] == [number, arabic["id"]]
    assert batch["meta"] == {"missing": [999_999]}
    for wrong in ({"ids": []}, {"ids": list(range(1, 102))}, {"ids": [0]}, {"ids": ["x"]}, {}):
        assert listener.post("/discovery/programs/batch", wrong).status_code == 422, wrong
    show = listener.get(f"/discovery/series/{catalogue['series']}").json()
    assert show["data"]["title"] == "Coffee talks"
    assert [row["episode"] for row in show["programs"]] == [1, 2]
    assert show["meta"] == {"page": 1, "limit": 20, "total": 2}
    shelves = listener.get("/discovery/categories").json()
    assert shelves["data"] == [{"id": catalogue["category"], "slug": "society", "nameAr": "مجتمع", "nameEn": "Society",
                                "programCount": 3}]  # fmt: skip
    for path in ("/discovery/programs/999999", "/discovery/programs/no-such", "/discovery/series/999999"):  # fmt: skip
        answer = listener.get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    for path in ("/discovery/programs/0", "/discovery/programs/99999999999999999", "/discovery/series/x"):  # fmt: skip
        assert listener.get(path).status_code in (400, 404), path


def test_a_connection_the_database_closed_is_replaced(
    listener: Client, catalogue: dict[str, int], database: Database
) -> None:
    ids = [catalogue[spec["title"]] for spec in SPECS]
    assert listener.get(f"/discovery/programs/{ids[0]}").status_code == 200
    with database.connect() as connection:
        ended = connection.scalars(text(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
            "AND application_name = 'thmanyah-api'"
        )).all()  # fmt: skip
    assert ended
    for number in ids[1:]:
        answer = listener.get(f"/discovery/programs/{number}")
        assert (answer.status_code, answer.headers["x-cache"]) == (200, "miss")


def test_an_old_address_leads_on(
    listener: Client, catalogue: dict[str, int], staff: dict[str, Client]
) -> None:
    number = catalogue["Morning coffee"]
    staff["editor"].patch(f"/catalog/programs/{number}", {"slug": "first-coffee"})
    moved = listener.get("/discovery/programs/morning-coffee")
    assert (moved.status_code, moved.headers["location"]) == (301, "/discovery/programs/first-coffee")  # fmt: skip
    assert listener.get("/discovery/programs/first-coffee").json()["data"]["id"] == number


def test_suggestions_come_from_titles_series_people_and_tags(
    listener: Client, catalogue: dict[str, int]
) -> None:
    def offered(q: str) -> set[tuple[str, str]]:
        answer = listener.get("/discovery/suggest", q=q)
        assert answer.status_code == 200, answer.text
        return {(row["type"], row["text"]) for row in answer.json()["data"]}

    assert {("program", "Morning coffee"), ("program", "The coffee film"), ("series", "Coffee talks"),
            ("tag", "coffee")} <= offered("cof")  # fmt: skip
    assert ("person", "سارة العمري") in offered("سار")
    assert ("program", "قهوة المساء") in offered("قه")
    assert ("tag", "قهوة") in offered("قهو")
    assert offered("zzzzzz") == set()
    assert len(listener.get("/discovery/suggest", q="c", limit=1).json()["data"]) == 1
    assert listener.get("/discovery/suggest").json()["errors"][0]["field"] == "q"


@pytest.mark.parametrize(
    ("name", "value"),
    [("page", "0"), ("page", "1001"), ("page", "x"), ("page", "1" * 30), ("limit", "101"), ("limit", "-1"),
     ("sort", "random"), ("mediaType", "smell"), ("kind", "poem"), ("categoryId", "0"), ("categoryId", "1 OR 1=1"),
     ("durationMin", "-5"), ("releasedAfter", "yesterday"), ("releasedBefore", "9" * 50), ("featured", "maybe"),
     ("facets", "title"), ("q", "x" * 513), ("language", "ar;drop"), ("nonsense", "1"), ("tag", "a\x00b"),
     ("highlight", "2"), ("person", "x" * 121), ("page", "١")],
)  # fmt: skip
def test_wrong_parameters_are_named(name: str, value: str, listener: Client) -> None:
    answer = listener.get("/discovery/search", **{name: value})
    assert answer.status_code == 400, answer.text
    problem = answer.json()
    assert problem["code"] in ("invalid_parameter", "unknown_parameter")
    assert problem["errors"][0]["field"] == name
    assert problem["instance"] == "/discovery/search"
    assert problem["doc"] == f"/docs/errors#{problem['code']}"
    assert answer.headers["cache-control"] == "no-store"


def test_parameters_given_twice_and_contradictions_are_refused(listener: Client) -> None:
    twice = listener.ask("GET", "/discovery/search?q=a&q=b")
    assert (twice.status_code, twice.json()["errors"][0]["field"]) == (400, "q")
    crossed = listener.get("/discovery/search", durationMin=10, durationMax=5)
    assert crossed.json()["errors"][0]["field"] == "durationMin"
    relevance = listener.get("/discovery/browse", sort="relevance")
    assert relevance.json()["errors"][0]["field"] == "sort"


@hypothesis_settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    value=st.text(
        st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=params.MAX_VALUE
    )
    | st.sampled_from(['"', "\\", "\\\\", '\\"', '" OR id > 0 OR tags = "', "' OR 1=1 --", "coffee\\", "x\" ) OR (kind EXISTS",
                       "_geoRadius(1,2,3)", "NOT", "coffee AND", "[1 TO 2]"])
)  # fmt: skip
def test_no_text_can_leave_its_quotes(
    value: str, listener: Client, catalogue: dict[str, int]
) -> None:
    known = {"coffee", "قهوة", "مساء"}
    for name in ("tag", "person"):
        answer = listener.get("/discovery/search", **{name: value})
        assert answer.status_code == 200, (value, answer.text)
        if value.strip().casefold() not in known:
            assert answer.json()["data"] == [], value


def test_browsing_reaches_the_last_program_past_the_engines_cap(
    listener: Client, settings: Settings, database: Database, cache_redis: "Redis"
) -> None:
    count = 10_450
    with database.begin() as connection:
        connection.execute(text(
            "INSERT INTO programs (slug, title, language, media_type, kind, status, release_date, published_at) "
            "SELECT 'p' || n, 'Program ' || n, 'en', 'audio', 'episode', 'published', "
            # Many share a moment, some have none: ties and nulls must not tear holes.
            "CASE WHEN n % 7 = 0 THEN NULL ELSE timestamptz '2024-01-01' + (n / 50) * interval '1 hour' END, now() "
            f"FROM generate_series(1, {count}) n"
        ))  # fmt: skip
        ids = set(connection.scalars(text("SELECT id FROM programs")))
    with sending(settings, cache_redis):
        eventually(
            lambda: not scalar(database, "SELECT count(*) FROM index_dirty"),
            within=120,
        )
        for sort in ("newest", "oldest"):
            seen: list[int] = []
            cursor: str | None = None
            while True:
                more = {"cursor": cursor} if cursor else {}
                page = listener.get("/discovery/browse", sort=sort, limit=100, **more)
                assert page.status_code == 200, page.text
                seen += [row["id"] for row in page.json()["data"]]
                cursor = page.json()["meta"]["nextCursor"]
                if cursor is None:
                    break
            assert len(seen) == len(set(seen))
            assert set(seen) == ids
        broken = listener.get("/discovery/browse", cursor="AAAA")
        assert (broken.status_code, broken.json()["code"]) == (400, "invalid_cursor")
