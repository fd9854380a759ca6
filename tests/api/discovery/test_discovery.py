"""What listeners ask: every filter, order, facet and page, over a catalogue made for it."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis import Redis
from sqlalchemy import Engine as Database
from sqlalchemy import text

from api.http import query
from api.settings import Settings
from indexer.engines import index_settings
from indexer.engines.admin import Engine
from tests.support.client import Client
from tests.support.databases import scalar
from tests.support.discovery import SPECS, check_filters_and_orders, stock, titles, total
from tests.support.examples import examples
from tests.support.product import sending
from tests.support.shared import SharedApi
from tests.support.waiting import eventually


@pytest.fixture
def catalogue(
    settings: Settings, database: Database, cache_redis: "Redis", listener: Client
) -> Iterator[dict[str, int]]:
    """The same, searchable."""
    found = stock(database)
    with sending(settings, cache_redis):
        eventually(lambda: total(listener) == len(SPECS), what="searchable")
        yield found


@pytest.mark.slow
def test_filters_orders_and_pages(shared: SharedApi, reading: dict[str, int]) -> None:
    check_filters_and_orders(shared.listener, reading)
    film, roads = SPECS[2]["title"], SPECS[3]["title"]
    page = shared.listener.get("/discovery/search", sort="oldest", limit=2, page=2).json()
    assert [row["title"] for row in page["data"]] == [film, roads]
    assert page["meta"] == {
        "page": 2,
        "limit": 2,
        "total": 5,
        "totalIsExact": True,
        "totalPages": 3,
        "query": "",
        "sort": "oldest",
        "degraded": False,
        "rewrite": None,
    }
    assert titles(shared.listener, limit=2, page=4) == []


def test_words_are_found_misspelt_and_marked(shared: SharedApi, reading: dict[str, int]) -> None:
    for q in ("قهوة المساء", "قهوه المسا", "قَهْوَة المساء", "قهوة المساءه"):
        assert titles(shared.listener, q=q)[0] == "قهوة المساء", q
    for q in ("mornin", "morming coffee", "MORNING", "coffee mor"):
        assert titles(shared.listener, q=q)[0] == "Morning coffee", q
    assert titles(shared.listener, q="سارة")[0] == "قهوة المساء"
    assert titles(shared.listener, q="Coffee talks")[:2] != []
    page = shared.listener.get("/discovery/search", q="coffee trade", highlight="true").json()
    marked = {row["title"]: row["highlight"] for row in page["data"]}["The coffee film"]
    assert marked["title"] == "The <em>coffee</em> film"
    # What was written is text; only our own marks are tags. A word is marked where the rule that
    # ranked it found it: `coffee` in the title.
    assert "&lt;b&gt;coffee&lt;/b&gt; &amp; <em>trade</em>" in marked["description"]
    assert "highlight" not in shared.listener.get("/discovery/search", q="coffee").json()["data"][0]


def test_facets_count_what_was_found(shared: SharedApi, reading: dict[str, int]) -> None:
    given_ = {"facets": "language,categoryId,seriesId,tags", "q": "coffee"}
    facets = shared.listener.get("/discovery/search", **given_).json()["facets"]
    assert facets["language"] == [{"value": "en", "count": 2}]
    shelf = {"value": str(reading["category"]), "count": 2, "nameAr": "مجتمع", "nameEn": "Society"}
    assert facets["categoryId"] == [shelf]
    assert facets["seriesId"] == [{"value": str(reading["series"]), "count": 2, "name": "Coffee talks"}]
    assert facets["tags"] == [{"value": "coffee", "count": 1}]
    assert "facets" not in shared.listener.get("/discovery/search").json()
    first = shared.listener.get("/discovery/browse", limit=2, facets="language").json()
    rest = shared.listener.get(
        "/discovery/browse", limit=2, facets="language", cursor=first["meta"]["nextCursor"]
    )
    # The second page is of the same listing.
    assert (
        rest.json()["facets"]
        == first["facets"]
        == {"language": [{"value": "en", "count": 3}, {"value": "ar", "count": 2}]}
    )
    assert rest.json()["meta"]["total"] == first["meta"]["total"] == 5


def test_one_program_several_programs_and_a_series(shared: SharedApi, reading: dict[str, int]) -> None:
    number = reading["Morning coffee"]
    program = shared.listener.get(f"/discovery/programs/{number}").json()["data"]
    assert program["people"] == [{"name": "Omar Haddad", "role": "host"}]
    assert program["series"]["title"] == "Coffee talks"
    assert shared.listener.get(f"/discovery/programs/{program['slug']}").json()["data"] == program
    arabic = shared.listener.get("/discovery/programs/قهوة-المساء").json()["data"]
    assert arabic["id"] == reading["قهوة المساء"]
    asked = [number, 999_999, arabic["id"], number]
    batch = shared.listener.post("/discovery/programs/batch", {"ids": asked}).json()
    assert [row["id"] for row in batch["data"]] == [number, arabic["id"]]
    assert batch["meta"] == {"missing": [999_999]}
    for wrong in ({"ids": []}, {"ids": list(range(1, 102))}, {"ids": [0]}, {"ids": ["x"]}, {}):
        assert shared.listener.post("/discovery/programs/batch", wrong).status_code == 422, wrong
    show = shared.listener.get(f"/discovery/series/{reading['series']}").json()
    assert show["data"]["title"] == "Coffee talks"
    assert [row["episode"] for row in show["programs"]] == [1, 2]
    assert show["meta"] == {"page": 1, "limit": 20, "total": 2}
    categories = shared.listener.get("/discovery/categories").json()
    assert categories["data"] == [
        {
            "id": reading["category"],
            "slug": "society",
            "nameAr": "مجتمع",
            "nameEn": "Society",
            "programCount": 3,
        }
    ]
    for path in ("/discovery/programs/999999", "/discovery/programs/no-such", "/discovery/series/999999"):
        answer = shared.listener.get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    for path in ("/discovery/programs/0", "/discovery/programs/99999999999999999", "/discovery/series/x"):
        assert shared.listener.get(path).status_code in (400, 404), path


def test_a_connection_the_database_closed_is_replaced(
    listener: Client, catalogue: dict[str, int], database: Database
) -> None:
    ids = [catalogue[spec["title"]] for spec in SPECS]
    assert listener.get(f"/discovery/programs/{ids[0]}").status_code == 200
    with database.connect() as connection:
        ended = connection.scalars(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
                "AND application_name = 'thmanyah-api'"
            )
        ).all()
    assert ended
    for number in ids[1:]:
        answer = listener.get(f"/discovery/programs/{number}")
        assert (answer.status_code, answer.headers["x-cache"]) == (200, "miss")


def test_an_old_address_leads_on(
    listener: Client, catalogue: dict[str, int], staff: dict[str, Client]
) -> None:
    number = catalogue["Morning coffee"]
    changed = staff["reviewer"].patch(f"/catalog/programs/{number}", {"slug": "first-coffee"})
    assert changed.status_code == 200
    moved = listener.get("/discovery/programs/morning-coffee")
    assert (moved.status_code, moved.headers["location"]) == (301, "/discovery/programs/first-coffee")
    assert listener.get("/discovery/programs/first-coffee").json()["data"]["id"] == number


def test_suggestions_come_from_titles_series_people_and_tags(
    shared: SharedApi, reading: dict[str, int]
) -> None:
    def offered(q: str) -> set[tuple[str, str]]:
        answer = shared.listener.get("/discovery/suggest", q=q)
        assert answer.status_code == 200, answer.text
        return {(row["type"], row["text"]) for row in answer.json()["data"]}

    assert {
        ("program", "Morning coffee"),
        ("program", "The coffee film"),
        ("series", "Coffee talks"),
        ("tag", "coffee"),
    } <= offered("cof")
    assert ("person", "سارة العمري") in offered("سار")
    assert ("program", "قهوة المساء") in offered("قه")
    assert ("tag", "قهوة") in offered("قهو")
    assert offered("zzzzzz") == set()
    assert len(shared.listener.get("/discovery/suggest", q="c", limit=1).json()["data"]) == 1
    assert shared.listener.get("/discovery/suggest").json()["errors"][0]["field"] == "q"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("page", "0"),
        ("page", "1001"),
        ("page", "x"),
        ("page", "1" * 30),
        ("limit", "101"),
        ("limit", "-1"),
        ("sort", "random"),
        ("mediaType", "smell"),
        ("kind", "poem"),
        ("categoryId", "0"),
        ("categoryId", "1 OR 1=1"),
        ("durationMin", "-5"),
        ("releasedAfter", "yesterday"),
        ("releasedBefore", "9" * 50),
        ("featured", "maybe"),
        ("facets", "title"),
        ("q", "x" * 513),
        ("language", "ar;drop"),
        ("nonsense", "1"),
        ("tag", "a\x00b"),
        ("highlight", "2"),
        ("person", "x" * 121),
        ("page", "١"),
        ("kind", "film,poem"),
        ("tag", ",".join(map(str, range(21)))),
        ("personAll", "a," + "x" * 121),
        ("seriesId", "1,x"),
        ("tz", "Mars/Olympus"),
        ("tz", "../../etc/passwd"),
    ],
)
def test_wrong_parameters_are_named(name: str, value: str, shared: SharedApi) -> None:
    answer = shared.listener.get("/discovery/search", **{name: value})
    assert answer.status_code == 400, answer.text
    problem = answer.json()
    assert problem["code"] in ("invalid_parameter", "unknown_parameter")
    assert problem["errors"][0]["field"] == name
    assert problem["instance"] == "/discovery/search"
    assert problem["doc"] == f"/docs/errors#{problem['code']}"
    assert answer.headers["cache-control"] == "no-store"


def test_parameters_given_twice_and_contradictions_are_refused(shared: SharedApi) -> None:
    twice = shared.listener.ask("GET", "/discovery/search?q=a&q=b")
    assert (twice.status_code, twice.json()["errors"][0]["field"]) == (400, "q")
    crossed = shared.listener.get("/discovery/search", durationMin=10, durationMax=5)
    assert crossed.json()["errors"][0]["field"] == "durationMin"
    backwards = shared.listener.get(
        "/discovery/browse", releasedAfter="2024-03-11", releasedBefore="2024-03-10"
    )
    assert (backwards.status_code, backwards.json()["errors"][0]["field"]) == (400, "releasedAfter")
    assert (
        shared.listener.get(
            "/discovery/browse", releasedAfter="2024-03-10", releasedBefore="2024-03-10"
        ).status_code
        == 200
    )
    relevance = shared.listener.get("/discovery/browse", sort="relevance")
    assert relevance.json()["errors"][0]["field"] == "sort"


def test_a_filter_has_so_many_values_repeated_ones_included(
    shared: SharedApi, reading: dict[str, int]
) -> None:
    for values, status in ((query.MAX_VALUES, 200), (query.MAX_VALUES + 1, 400)):
        for sent in (
            ["episode"] * values,
            ["episode"] * (values - 1) + ["film", ""],
            [",".join(["film"] * values)],
        ):
            answer = shared.listener.get("/discovery/browse", kind=sent)
            assert answer.status_code == status, sent
            if status == 400:
                assert answer.json()["errors"][0]["field"] == "kind"


@pytest.mark.slow
@examples(150)
@given(
    value=st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=query.MAX_VALUE)
    | st.sampled_from(
        [
            '"',
            "\\",
            "\\\\",
            '\\"',
            '" OR id > 0 OR tags = "',
            "' OR 1=1 --",
            "coffee\\",
            'x" ) OR (kind EXISTS',
            "_geoRadius(1,2,3)",
            "NOT",
            "coffee AND",
            "[1 TO 2]",
        ]
    )
)
def test_no_text_can_leave_its_quotes(value: str, shared: SharedApi, reading: dict[str, int]) -> None:
    known = {"coffee", "قهوة", "مساء"}
    for name in ("tag", "person"):
        answer = shared.listener.get("/discovery/search", **{name: value.replace(",", "\\,")})
        assert answer.status_code == 200, (value, answer.text)
        # Nothing but spaces is no value.
        if value.strip().casefold() not in known | {""}:
            assert answer.json()["data"] == [], value


@pytest.mark.slow
def test_browsing_reaches_the_last_program_past_the_engines_cap(
    listener: Client,
    settings: Settings,
    database: Database,
    cache_redis: "Redis",
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # A tenth of the cap that the product sets.
    monkeypatch.setitem(index_settings.SETTINGS, "pagination", {"maxTotalHits": 1000})
    count = 1_450
    with database.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO programs (slug, title, language, media_type, kind, status, release_date, published_at) "
                "SELECT 'p' || n, 'Program ' || n, 'en', 'audio', 'episode', 'published', "
                # Many share a moment, some have none: ties and nulls must not tear holes.
                "CASE WHEN n % 7 = 0 THEN NULL ELSE timestamptz '2024-01-01' + (n / 50) * interval '1 hour' END, now() "
                f"FROM generate_series(1, {count}) n"
            )
        )
        ids = set(connection.scalars(text("SELECT id FROM programs")))
    with sending(settings, cache_redis):
        eventually(lambda: not scalar(database, "SELECT count(*) FROM index_dirty"), within=120)
        capped = Engine(settings.indexer).settings_of(settings.indexer.meili_index)["pagination"]
        assert capped == {"maxTotalHits": 1000}
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
