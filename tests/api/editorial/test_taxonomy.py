"""Categories, series, tags and people over HTTP."""

import pytest

from tests.support.client import Client
from tests.support.editorial import created


@pytest.mark.slow
def test_categories_series_tags_and_people(staff: dict[str, Client]) -> None:
    editor, reviewer = staff["editor"], staff["reviewer"]
    category = reviewer.post("/catalog/categories", {"nameAr": "تاريخ", "nameEn": "History"})
    assert category.status_code == 201
    number = category.json()["data"]["id"]
    assert category.json()["data"]["slug"] == "history"
    taken = reviewer.post("/catalog/categories", {"nameAr": "ت", "nameEn": "X", "slug": "history"})
    assert (taken.status_code, taken.json()["errors"][0]["field"]) == (409, "slug")
    series = editor.post("/catalog/series", {"title": "حكايات", "language": "ar", "categoryId": number})
    show = series.json()["data"]
    program = created(
        editor,
        categoryId=number,
        seriesId=show["id"],
        season=1,
        episode=1,
        tags=["تمر"],
        people=[{"name": "Omar", "role": "host"}],
    )
    assert program["category"] == {"id": number, "slug": "history", "nameAr": "تاريخ", "nameEn": "History"}
    for path in (f"/catalog/categories/{number}", f"/catalog/series/{show['id']}"):
        held = reviewer.delete(path)
        assert (held.status_code, held.json()["code"]) == (409, "conflict")
    renamed = reviewer.patch(f"/catalog/categories/{number}", {"nameEn": "Past"}, **{"If-Match": '"1"'})
    assert renamed.json()["data"]["nameEn"] == "Past"
    assert (
        reviewer.patch(f"/catalog/categories/{number}", {"nameEn": "Q"}, **{"If-Match": '"1"'}).status_code
        == 412
    )
    tag = editor.get("/catalog/tags", q="تم").json()["data"][0]
    assert reviewer.patch(f"/catalog/tags/{tag['id']}", {"name": "تمور"}).status_code == 200
    person = editor.get("/catalog/people").json()["data"][0]
    assert reviewer.patch(f"/catalog/people/{person['id']}", {"name": "Umar"}).status_code == 200
    shown = editor.get(f"/catalog/programs/{program['id']}").json()["data"]
    assert (shown["tags"], shown["people"][0]["name"]) == (["تمور"], "Umar")
    assert shown["category"]["nameEn"] == "Past"
    assert editor.get("/catalog/categories/99").status_code == 404
    assert editor.get("/catalog/series/99999999999999999999").status_code in (400, 404)
    pages = []
    for n in range(5):
        reviewer.post("/catalog/categories", {"nameAr": "ت", "nameEn": f"Shelf {n}"})
    after = "0"
    while after is not None:
        page = editor.get("/catalog/categories", limit=2, after=after).json()
        pages += [row["id"] for row in page["data"]]
        after = page["meta"]["nextCursor"]
    assert len(pages) == len(set(pages)) == 6


def test_what_was_done_to_a_series_and_a_category_is_listed(staff: dict[str, Client]) -> None:
    reviewer = staff["reviewer"]
    for path, body, change in (
        ("series", {"title": "Night", "language": "en"}, {"title": "Nights"}),
        ("categories", {"nameAr": "رف", "nameEn": "Shelf"}, {"nameEn": "Shelves"}),
    ):
        made = reviewer.post(f"/catalog/{path}", body).json()["data"]
        reviewer.ask("PATCH", f"/catalog/{path}/{made['id']}", json=change)
        reviewer.ask("DELETE", f"/catalog/{path}/{made['id']}")
        events = staff["editor"].get(f"/catalog/{path}/{made['id']}/audit").json()["data"]
        assert [event["action"].rpartition(".")[2] for event in events] == ["delete", "edit", "create"]
        assert events[1]["actor"] == "reviewer@example.com"
