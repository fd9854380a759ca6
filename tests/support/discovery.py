"""A small catalogue of published programs, and what searches and browsing have to find in it."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine as Database
from sqlalchemy import text

from catalog.core.db import session_factory
from catalog.programs import editing, lifecycle
from catalog.taxonomy import categories, series
from tests.support.client import Client
from tests.support.programs import EDITOR, VALUES

SPECS: list[dict[str, Any]] = [
    {
        "title": "قهوة المساء",
        "language": "ar",
        "duration_sec": 1800,
        "tags": ["قهوة", "مساء"],
        "people": [("host", "سارة العمري")],
        "description": "حكايات عن المقاهي القديمة في جدة",
    },
    {
        "title": "Morning coffee",
        "duration_sec": 900,
        "tags": ["coffee"],
        "people": [("host", "Omar Haddad")],
        "is_featured": True,
        "description": "How beans travel the world",
    },
    {
        "title": "The coffee film",
        "media_type": "video",
        "kind": "film",
        "duration_sec": 5400,
        "description": "A film about <b>coffee</b> & trade",
    },
    {
        "title": "تاريخ الطرق",
        "language": "ar",
        "kind": "documentary",
        "media_type": "video",
        "duration_sec": 3600,
    },
    {"title": "No length, no date", "duration_sec": None, "release_date": None},
]


EVENING, MORNING, FILM, ROADS, BARE = (spec["title"] for spec in SPECS)


def stock(database: Database) -> dict[str, int]:
    """Publish the programs of SPECS; return their ids by title, and those of their `category` and `series`."""
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
            program = editing.create(session, values, EDITOR)
            lifecycle.transition(session, program.id, "publish", EDITOR)
            found[program.title] = program.id
        found["category"], found["series"] = shelf.id, show.id
        # More viewed the later it stands.
        session.execute(text("UPDATE programs SET view_count = id * 1000"))
    return found


def total(listener: Client) -> int:
    """Return how many programs the engine has; -1 while it does not answer."""
    meta = listener.get("/discovery/browse").json().get("meta", {"degraded": True})
    return -1 if meta["degraded"] else int(meta["total"])


def titles(listener: Client, path: str = "/discovery/search", **params: Any) -> list[str]:
    """Return the titles of a page, in their order; `params` become the query string."""
    answer = listener.get(path, **params)
    assert answer.status_code == 200, answer.text
    return [row["title"] for row in answer.json()["data"]]


def check_filters_and_orders(listener: Client, catalogue: dict[str, int]) -> None:
    """Check every filter and every order, of search and of browse; engine and PostgreSQL have to agree."""
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
            ({"kind": ["film", "documentary"]}, {film, roads}),
            ({"kind": "film,documentary", "language": "en"}, {film}),
            ({"tag": ["قهوة", "coffee", "none"]}, {evening, morning}),
            ({"tagAll": "قهوة,مساء"}, {evening}),
            ({"tagAll": ["قهوة", "coffee"]}, set()),
            ({"tag": "coffee,قهوة", "tagAll": "مساء"}, {evening}),
            ({"person": ["Omar Haddad", "سارة العمري"], "featured": "false"}, {evening}),
            ({"personAll": ["Omar Haddad", "سارة العمري"]}, set()),
            ({"categoryId": f"{catalogue['category']},999999"}, {evening, morning, film}),
            # A day is a listener's: in Riyadh it begins three hours before midnight UTC.
            ({"releasedBefore": "2024-03-01", "releasedAfter": "2024-03-01"}, {film}),
            ({"releasedBefore": "2024-02-29", "releasedAfter": "2024-02-02"}, set()),
            (
                {"releasedBefore": "2024-02-29", "releasedAfter": "2024-02-02", "tz": "America/New_York"},
                {film},
            ),
            ({"releasedAfter": "2024-03-01T03:00:01"}, {roads}),
        ):
            assert set(titles(listener, path, **given_)) == expected, (path, given_)
        for sort, expected_order in (
            ("newest", [roads, film, morning, evening, bare]),
            ("oldest", [evening, morning, film, roads, bare]),
            ("longest", [film, roads, evening, morning, bare]),
            ("shortest", [morning, evening, roads, film, bare]),
            ("popular", [bare, roads, film, morning, evening]),
        ):
            assert titles(listener, path, sort=sort) == expected_order, (path, sort)
