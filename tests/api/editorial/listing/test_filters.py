"""What editors' lists are narrowed to and sorted by, over HTTP."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text

from catalog.core.actor import Actor
from catalog.core.db import session_factory
from catalog.programs import editing, lifecycle, pending
from catalog.taxonomy import categories, series
from tests.support.client import Client
from tests.support.programs import EDITOR, VALUES, make
from tests.support.shared import SharedApi

OTHER = Actor("account", 2, "other@example.com", "req-2")
EXPIRES = datetime(2098, 6, 1, tzinfo=UTC)
SORTED = ("title", "releaseDate", "publishedAt", "viewCount", "durationSec", "status", "scheduledPublishAt")


@pytest.fixture(scope="module")
def found(shared: SharedApi) -> dict[str, int]:
    """Programs of every kind of row that a filter chooses, by name."""
    with session_factory(shared.database).begin() as session:
        shelf = categories.create(session, {"name_ar": "رف", "name_en": "Shelf"}, EDITOR)
        show = series.create(session, {"title": "A show", "language": "en"}, EDITOR)
        ids = {
            "draft": make(session, title="قهوة الصباح", language="ar", tags=["Warm"]).id,
            "review": make(
                session, "in_review", title="Beta", category_id=shelf.id, is_featured=True, expire_at=EXPIRES
            ).id,
            "planned": make(session, "scheduled", title="Gamma", series_id=show.id, kind="film").id,
            "live": make(session, "published", title="Delta", people=[("host", "Omar")]).id,
            "edited": make(session, "published", title="Epsilon", media_type="video").id,
            "retitled": make(session, "archived", title="Kappa").id,
            "waiting": make(session, "published", title="Zeta", duration_sec=90).id,
            "old": make(session, "archived", title="Eta").id,
            "theirs": editing.create(session, {**VALUES, "title": "Theta"}, OTHER).id,
            "gone": make(session, "published", title="Iota").id,
        }
        editing.edit(session, ids["edited"], {"description": "New"}, OTHER)
        editing.edit(session, ids["retitled"], {"title": "Lambda"}, EDITOR)
        pending.propose(session, ids["waiting"], {"title": "Zeta two"}, OTHER)
        lifecycle.transition(session, ids["gone"], "delete", OTHER)
        session.execute(
            text("UPDATE programs SET release_date = '2024-03-10 21:30+00' WHERE id = :id"),
            {"id": ids["live"]},
        )
        session.execute(text("DELETE FROM index_dirty WHERE program_id <> :id"), {"id": ids["edited"]})
        ids |= {"category": shelf.id, "series": show.id}
    return ids


def listed(who: Client, **given: Any) -> list[dict[str, Any]]:
    answer = who.get("/catalog/programs", **given)
    assert answer.status_code == 200, answer.text
    rows: list[dict[str, Any]] = answer.json()["data"]
    return rows


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ({"status": "in_review,scheduled"}, {"review", "planned"}),
        ({"status": ["draft", "archived"]}, {"draft", "theirs", "old", "retitled"}),
        ({"categoryId": "{category}"}, {"review"}),
        ({"seriesId": "{series}"}, {"planned"}),
        ({"language": "ar"}, {"draft"}),
        ({"kind": "film,documentary"}, {"planned"}),
        ({"mediaType": "video"}, {"edited"}),
        ({"featured": "true"}, {"review"}),
        ({"tag": "warm"}, {"draft"}),
        ({"person": "omar"}, {"live"}),
        ({"title": "قهوه"}, {"draft"}),
        # In Riyadh it was the day after.
        ({"releasedAfter": "2024-03-11", "releasedBefore": "2024-03-11"}, {"live"}),
        ({"releasedBefore": "2024-03-10"}, set()),
        ({"releasedBefore": "2024-03-10", "tz": "UTC"}, {"live"}),
        ({"scheduledAfter": "2099-01-01"}, {"planned"}),
        ({"expiresAfter": "2098-01-01", "expiresBefore": "2098-12-31"}, {"review"}),
        ({"publishedAfter": "2100-01-01"}, set()),
        ({"createdBefore": "2000-01-01"}, set()),
        ({"createdBy": "account:other@example.com"}, {"theirs"}),
        ({"editedBy": "account:other@example.com"}, {"theirs", "edited", "waiting"}),
        ({"createdBy": "me", "status": "published"}, {"live", "edited", "waiting"}),
        ({"changed": "true"}, {"retitled", "waiting"}),
        ({"changed": "false", "status": "published"}, {"live", "edited"}),
        ({"pending": "true"}, {"waiting"}),
        ({"searchable": "false"}, {"edited"}),
        ({"searchable": "true"}, {"live", "waiting"}),
        ({"status": "published", "searchable": "true", "changed": "true"}, {"waiting"}),
    ],
)
def test_a_filter_chooses_what_meets_it(
    given: dict[str, Any], names: set[str], shared: SharedApi, found: dict[str, int]
) -> None:
    sent = {name: value.format(**found) if isinstance(value, str) else value for name, value in given.items()}
    rows = listed(shared.staff["editor"], **sent)
    by_id = {program_id: name for name, program_id in found.items() if name not in ("category", "series")}
    assert {by_id[row["id"]] for row in rows} == names


def test_a_row_says_what_an_editor_has_to_know(shared: SharedApi, found: dict[str, int]) -> None:
    rows = {row["id"]: row for row in listed(shared.staff["editor"])}
    assert set(rows) == {found[name] for name in found if name not in ("gone", "category", "series")}
    said = {
        name: tuple(
            rows[found[name]][field] for field in ("createdBy", "isChanged", "pendingState", "isSearchable")
        )
        for name in ("draft", "theirs", "live", "edited", "retitled", "waiting")
    }
    assert said == {
        "draft": ("account:editor@example.com", False, None, None),
        "theirs": ("account:other@example.com", False, None, None),
        "live": ("account:editor@example.com", False, None, True),
        "edited": ("account:editor@example.com", False, None, False),
        "retitled": ("account:editor@example.com", True, None, None),
        "waiting": ("account:editor@example.com", False, "draft", True),
    }


def test_the_trash_says_who_deleted_what(shared: SharedApi, found: dict[str, int]) -> None:
    page = shared.staff["editor"].get("/catalog/programs/trash", counts="true").json()
    (row,) = page["data"]
    assert (row["id"], row["title"], row["deletedBy"]) == (found["gone"], "Iota", "account:other@example.com")
    assert row["deletedAt"]
    assert page["meta"]["total"] == 1


@pytest.mark.parametrize("sort", [sign + name for name in SORTED for sign in ("", "-")])
def test_every_order_is_walked_without_holes(sort: str, shared: SharedApi, found: dict[str, int]) -> None:
    editor = shared.staff["editor"]
    whole = [row["id"] for row in listed(editor, sort=sort)]
    seen: list[int] = []
    given: dict[str, Any] = {}
    while len(seen) <= len(whole):
        page = editor.get("/catalog/programs", sort=sort, limit=3, **given).json()
        seen += [row["id"] for row in page["data"]]
        if page["meta"]["nextCursor"] is None:
            break
        given = {"cursor": page["meta"]["nextCursor"]}
    assert seen == whole
    assert len(set(whole)) == len(whole)
    other = sort.removeprefix("-") if sort.startswith("-") else f"-{sort}"
    assert [row["id"] for row in listed(editor, sort=other)] == whole[::-1]


def test_counts_by_state_leave_out_the_filter_by_state(shared: SharedApi, found: dict[str, int]) -> None:
    meta = shared.staff["editor"].get("/catalog/programs", status="published", counts="true", limit=1).json()
    assert (meta["meta"]["total"], meta["meta"]["totalIsExact"]) == (3, True)
    states = {row["status"]: row["programs"] for row in meta["meta"]["states"]}
    assert states == {"draft": 2, "in_review": 1, "scheduled": 1, "published": 3, "archived": 2}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("status", "lost"),
        ("sort", "colour"),
        ("sort", "deletedAt"),
        ("limit", "101"),
        ("limit", "0"),
        ("limit", "ten"),
        ("cursor", "AAAA"),
        ("nonsense", "1"),
        ("categoryId", "x"),
        ("changed", "perhaps"),
        ("createdAfter", "yesterday"),
        ("tz", "Mars"),
        ("q", "x" * 600),
    ],
)
def test_a_wrong_parameter_is_refused(name: str, value: str, shared: SharedApi) -> None:
    answer = shared.staff["editor"].get("/catalog/programs", **{name: value})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, name)


@pytest.mark.parametrize("name", ["created", "updated", "released", "published", "scheduled"])
@pytest.mark.parametrize(
    ("after", "before"),
    [("0001-01-01", "9999-12-30"), ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00")],
)
@pytest.mark.parametrize("path", ["/catalog/programs", "/catalog/programs/trash"])
def test_a_period_may_be_as_long_as_the_calendar(
    path: str, after: str, before: str, name: str, shared: SharedApi, found: dict[str, int]
) -> None:
    answer = shared.staff["editor"].get(path, **{f"{name}After": after, f"{name}Before": before})
    assert answer.status_code == 200, answer.text
    if name == "updated":
        assert len(answer.json()["data"]) == (1 if path.endswith("trash") else 9)


def test_an_inverted_period_and_a_foreign_cursor_are_refused(
    shared: SharedApi, found: dict[str, int]
) -> None:
    editor = shared.staff["editor"]
    period = {"updatedAfter": "2026-02-01", "updatedBefore": "2026-01-01"}
    answer = editor.get("/catalog/programs", **period)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "updatedAfter")
    page = editor.get("/catalog/programs", limit=1).json()
    for other in ({"status": "draft"}, {"sort": "title"}, {"q": "delta"}):
        answer = editor.get("/catalog/programs", limit=1, cursor=page["meta"]["nextCursor"], **other)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_cursor")


def test_publishing_again_ends_a_change(shared: SharedApi) -> None:
    with session_factory(shared.database).begin() as session:
        number = make(session, "archived", title="Mu").id
        editing.edit(session, number, {"title": "Mu two"}, EDITOR)

    def changed() -> bool:
        (row,) = listed(shared.staff["editor"], title="Mu two")
        return bool(row["isChanged"])

    assert changed()
    for action in ("restore", "publish"):
        with session_factory(shared.database).begin() as session:
            lifecycle.transition(session, number, action, EDITOR)
    assert not changed()
    with session_factory(shared.database).begin() as session:
        lifecycle.transition(session, number, "delete", EDITOR)
