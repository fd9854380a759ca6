"""Pending revisions of series and categories over HTTP."""

import pytest

from tests.support.client import Client
from tests.support.editorial import created, read


@pytest.fixture
def show(staff: dict[str, Client]) -> dict[str, int]:
    """A series in a category, with a published program."""
    editor, reviewer = staff["editor"], staff["reviewer"]
    shelf = reviewer.post("/catalog/categories", {"nameAr": "مجتمع", "nameEn": "Society"}).json()["data"][
        "id"
    ]
    series = editor.post("/catalog/series", {"title": "Evening talks", "language": "en"}).json()["data"]["id"]
    program = created(reviewer, seriesId=series, categoryId=shelf)["id"]
    assert reviewer.post(f"/catalog/programs/{program}/publish").status_code == 200
    return {"series": series, "category": shelf, "program": program}


@pytest.mark.slow
def test_the_title_of_a_shown_series_waits(
    listener: Client, staff: dict[str, Client], show: dict[str, int]
) -> None:
    editor, reviewer = staff["editor"], staff["reviewer"]
    path, public = f"/catalog/series/{show['series']}", f"/discovery/series/{show['series']}"
    waits = editor.patch(path, {"title": "Other", "description": "More"}, **read(editor, path))
    assert waits.status_code == 202
    assert waits.json()["data"]["title"] == "Evening talks"
    assert waits.json()["pending"]["changes"] == {"description": "More", "title": "Other"}
    assert listener.get(public).json()["data"]["title"] == "Evening talks"
    assert editor.get(f"{path}/pending/preview").json()["data"]["title"] == "Other"
    assert editor.get(f"{path}/pending/diff").json()["data"]["title"] == ["Evening talks", "Other"]
    assert reviewer.get("/catalog/pending", entity="series").json()["data"][0]["title"] == "Evening talks"
    assert editor.post(f"{path}/pending/submit").json()["data"]["state"] == "in_review"
    assert reviewer.post(f"{path}/pending/approve").json()["code"] == "revision_required"
    # A reviewer's own change is live at once, and names what it has changed under the pending one.
    assert reviewer.patch(path, {"title": "Live"}).status_code == 200
    refused = reviewer.post(f"{path}/pending/approve", **read(reviewer, f"{path}/pending"))
    assert (refused.status_code, [e["field"] for e in refused.json()["errors"]]) == (409, ["title"])
    editor.patch(f"{path}/pending", {"title": "Other"})
    editor.post(f"{path}/pending/submit")
    approved = reviewer.post(f"{path}/pending/approve", **read(reviewer, f"{path}/pending")).json()
    assert (approved["data"]["title"], approved["pending"]) == ("Other", None)
    # Without a sender the page is kept for its time.
    assert staff["ops"].post("/ops/cache/purge", {}).status_code == 200
    assert listener.get(public).json()["data"]["title"] == "Other"
    stale = editor.patch(path, {"title": "Third"}, **{"If-Match": '"1"'})
    assert stale.status_code == 412


@pytest.mark.slow
def test_a_series_that_nobody_sees_is_changed_at_once(staff: dict[str, Client], show: dict[str, int]) -> None:
    editor, reviewer = staff["editor"], staff["reviewer"]
    path = f"/catalog/series/{show['series']}"
    reviewer.post(f"/catalog/programs/{show['program']}/unpublish")
    assert editor.patch(path, {"title": "Unseen"}).status_code == 200
    at = {"scheduledPublishAt": "2100-01-01T00:00:00Z"}
    assert reviewer.post(f"/catalog/programs/{show['program']}/schedule", at).status_code == 200
    assert editor.patch(path, {"title": "Would be seen"}).status_code == 202
    assert editor.get(path).json()["data"]["title"] == "Unseen"


@pytest.mark.slow
def test_a_category_is_changed_by_a_reviewer_or_waits(
    listener: Client, staff: dict[str, Client], show: dict[str, int]
) -> None:
    editor, reviewer = staff["editor"], staff["reviewer"]
    path = f"/catalog/categories/{show['category']}"

    def name() -> str:
        return str(listener.get("/discovery/categories").json()["data"][0]["nameEn"])

    assert editor.patch(path, {"nameEn": "Other"}).status_code == 403
    waits = editor.patch(f"{path}/pending", {"nameEn": "Other"})
    assert waits.json()["data"]["changes"] == {"nameEn": "Other"}
    assert editor.get(f"{path}/pending/preview").json()["data"]["nameEn"] == "Other"
    assert editor.get(path).json()["pending"]["state"] == "draft"
    assert editor.patch(f"{path}/pending", {"nameEn": ""}).status_code == 422
    assert name() == "Society"
    published = reviewer.post(f"{path}/pending/publish", **read(reviewer, f"{path}/pending"))
    assert published.json()["data"]["nameEn"] == "Other"
    assert staff["ops"].post("/ops/cache/purge", {}).status_code == 200
    assert name() == "Other"


@pytest.mark.slow
def test_what_is_deleted_leaves_nothing_waiting(staff: dict[str, Client]) -> None:
    editor, reviewer = staff["editor"], staff["reviewer"]
    path = "/catalog/series/" + str(
        editor.post("/catalog/series", {"title": "Empty", "language": "en"}).json()["data"]["id"]
    )
    assert editor.patch(f"{path}/pending", {"title": "Other"}).status_code == 200
    assert reviewer.delete(path).status_code == 204
    assert editor.get("/catalog/pending").json()["data"] == []
    assert editor.get(f"{path}/pending").status_code == 404
