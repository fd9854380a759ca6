"""Two people at one form of names or curation: nobody's work is taken back unseen, and nothing that was typed is lost."""

import pytest
from sqlalchemy import Engine as Database

from catalog.core.db import session_factory
from catalog.taxonomy import categories, series
from tests.support.client import Client
from tests.support.pages import Page, read
from tests.support.programs import EDITOR, make
from tests.support.shared import SharedApi
from tests.support.staff import send, signed_in_at_pages
from tests.support.studio_forms import fields_of, fill

CURATION, NAMES = "/studio/curation", "/studio/names"


def saved_over(browser: Client, here: str, old: dict[str, str], field: str, theirs: str) -> None:
    """Check that an old form is refused until its sender has seen what it replaces.

    Args:
        browser: Somebody who has signed in.
        here: The page, which is the address of its form.
        old: The form, as it was filled before somebody else saved.
        field: What both have changed.
        theirs: What somebody else has written.
    """
    refused = Page(send(browser, here, **old))
    # Saving once more changes nothing either: the form still names what it was filled from.
    again = Page(send(browser, here, **(fields_of(refused, here) | {"do": "save"})))
    for page in (refused, again):
        assert page.status == 412
        assert fields_of(page, here)[field] == old[field]
        alarm = page.one("section", aria_labelledby="newer-h")
        assert theirs in " ".join("".join(one.itertext()) for one in page.within(alarm, "del"))
    (button,) = page.all("button", name="over")
    over = fields_of(again, here) | {"over": button.get("value") or ""}
    assert send(browser, here, **over).headers["location"] == f"{here}?done=changed"
    assert fields_of(read(browser, here), here)[field] == old[field]
    assert Page(send(browser, here, **over, **({} if "do" in over else {"do": ""}))).status == 412


@pytest.mark.parametrize(
    ("kind", "body", "theirs", "field"),
    [
        ("collections", {"titleAr": "م", "titleEn": "M"}, {"titleEn": "Theirs"}, "titleEn"),
        ("pins", {"query": "mornings"}, {"query": "theirs"}, "query"),
        ("synonyms", {"kind": "two_way", "terms": ["ab", "cd"]}, {"terms": ["theirs", "cd"]}, "terms"),
    ],
)
def test_an_old_form_of_curation_is_saved_only_by_who_has_seen_what_it_replaces(
    kind: str, body: dict[str, object], theirs: dict[str, object], field: str, shared: SharedApi
) -> None:
    with session_factory(shared.database).begin() as session:
        program = make(session, title=f"Pinned of {kind}").id
    more = {"programs": [{"programId": program, "place": 1}]} if kind == "pins" else {}
    made = shared.staff["reviewer"].post(f"/catalog/{kind}", body | more)
    assert made.status_code == 201, made.text
    row_id = made.json()["data"]["id"]
    here = f"{CURATION}/{kind}/{row_id}"
    browser = signed_in_at_pages(shared.listener, "reviewer")
    old = fields_of(read(browser, here), here) | {field: "ours, cd", "do": "save"}
    changed = shared.staff["reviewer"].patch(f"/catalog/{kind}/{row_id}", theirs)
    assert changed.status_code == 200, changed.text
    saved_over(browser, here, old, field, "theirs" if kind != "collections" else "Theirs")


def test_an_old_form_of_a_live_name_is_saved_only_by_who_has_seen_what_it_replaces(shared: SharedApi) -> None:
    with session_factory(shared.database).begin() as session:
        row_id = series.create(session, {"title": "Overwritten", "language": "en"}, EDITOR).id
    here = f"{NAMES}/series/{row_id}"
    browser = signed_in_at_pages(shared.listener, "reviewer")
    old = fields_of(read(browser, here), here) | {"title": "Ours"}
    assert shared.staff["reviewer"].patch(f"/catalog/series/{row_id}", {"title": "Theirs"}).status_code == 200
    saved_over(browser, here, old, "title", "Theirs")


@pytest.mark.parametrize("begun", [False, True])
def test_an_editor_does_not_take_back_what_another_one_waits_for(begun: bool, shared: SharedApi) -> None:
    with session_factory(shared.database).begin() as session:
        values = {"name_ar": f"تصنيف {begun}", "name_en": f"Waiting {begun}"}
        row_id = categories.create(session, values, EDITOR).id
    here, waits = f"{NAMES}/categories/{row_id}", f"/catalog/categories/{row_id}/pending"
    other = shared.staff["editor"]
    if begun:
        assert other.patch(waits, {"nameEn": "First"}).status_code == 200
    browser = signed_in_at_pages(shared.listener, "editor")
    old = fields_of(read(browser, here), here) | {"nameAr": f"لنا {begun}"}
    assert other.patch(waits, {"nameEn": "Theirs"}).status_code == 200
    refused = Page(send(browser, here, **old))
    assert refused.status == 412
    assert "Theirs" in refused.texts("del")
    assert other.get(waits).json()["data"]["changes"] == {"nameEn": "Theirs"}
    # A fresh form sends what was typed over, and nothing else.
    assert fill(browser, here, here, nameAr=f"لنا {begun}").headers["location"] == f"{here}?done=waits"
    changes = other.get(waits).json()["data"]["changes"]
    assert changes == {"nameEn": "Theirs", "nameAr": f"لنا {begun}"}


def test_a_conflict_that_was_not_seen_is_not_settled(shared: SharedApi) -> None:
    with session_factory(shared.database).begin() as session:
        row_id = categories.create(session, {"name_ar": "خلاف", "name_en": "Disputed"}, EDITOR).id
    here, waits = f"{NAMES}/categories/{row_id}", f"/catalog/categories/{row_id}/pending"
    assert shared.staff["editor"].patch(waits, {"nameEn": "Waiting"}).status_code == 200
    browser = signed_in_at_pages(shared.listener, "editor")
    old = fields_of(read(browser, here), here) | {"nameEn": "Ours"}
    live = shared.staff["reviewer"].patch(f"/catalog/categories/{row_id}", {"nameEn": "Live"})
    assert live.status_code == 200
    assert Page(send(browser, here, **old)).status == 412
    assert shared.staff["editor"].get(waits).json()["data"]["conflicts"] == ["nameEn"]


def test_moments_keep_their_seconds_and_are_those_of_the_zone_of_the_browser(shared: SharedApi) -> None:
    body = {"titleAr": "وقت", "titleEn": "Timed", "startsAt": "2030-01-01T17:00:42Z"}
    row_id = shared.staff["reviewer"].post("/catalog/collections", body).json()["data"]["id"]
    here, api = f"{CURATION}/collections/{row_id}", f"/catalog/collections/{row_id}"
    browser = signed_in_at_pages(shared.listener, "reviewer")
    browser.session.cookies.set("zone", "Africa%2FCairo")
    page = read(browser, here)
    assert fields_of(page, here)["startsAt"] == "2030-01-01T19:00:42"
    assert "Times are those of Africa/Cairo." in page.texts("small")
    browser.session.cookies.set("zone", "UTC")
    # The form says in which zone it was shown.
    filled = fields_of(page, here) | {"titleEn": "Timed anew"}
    assert send(browser, here, **filled).headers["location"] == f"{here}?done=changed"
    assert shared.staff["editor"].get(api).json()["data"]["startsAt"] == "2030-01-01T17:00:42Z"


def test_an_eleventh_program_of_a_pin_is_refused(shared: SharedApi) -> None:
    with session_factory(shared.database).begin() as session:
        ids = [make(session, title=f"Eleventh {n}").id for n in range(11)]
    browser, new = signed_in_at_pages(shared.listener, "reviewer"), f"{CURATION}/pins/new"
    rows = {f"program-{n}": str(program) for n, program in enumerate(ids[:10], 1)}
    rows |= {f"place-{n}": str(n) for n in range(1, 11)}
    page = Page(fill(browser, new, new, query="many", do=f"add:{ids[10]}", **rows))
    assert page.status == 422
    assert {name: fields_of(page, new)[name] for name in rows} == rows


def test_enter_does_what_was_typed(staff: dict[str, Client], listener: Client, database: Database) -> None:
    with session_factory(database).begin() as session:
        ids = [make(session, "published", title=f"Row {n}").id for n in range(150)]
    reviewer = staff["reviewer"]
    made = reviewer.post("/catalog/collections", {"titleAr": "صف", "titleEn": "Rows"}).json()["data"]["id"]
    put = reviewer.ask("PUT", f"/catalog/collections/{made}/programs", json={"programIds": ids})
    assert put.status_code == 200, put.text
    here = f"{CURATION}/collections/{made}"
    page = read(signed_in_at_pages(listener, "reviewer"), here)
    forms = page.all("form", action=f"{here}/programs")
    assert len(forms) == len(ids)
    for form, program in zip(forms, ids, strict=True):
        assert len(page.within(form, "input")) == 3
        assert page.within(form, "button")[0].get("value") == f"place:{program}"
    new = f"{CURATION}/pins/new"
    pin = read(signed_in_at_pages(listener, "reviewer"), new)
    assert pin.within(pin.all("form", action=new)[0], "button")[0].get("value") == "try"


def test_what_deleted_programs_still_have_is_said_before_it_is_deleted(shared: SharedApi) -> None:
    with session_factory(shared.database).begin() as session:
        row_id = series.create(session, {"title": "Of the trash", "language": "en"}, EDITOR).id
        program = make(session, title="Thrown away", series_id=row_id).id
    assert shared.staff["reviewer"].delete(f"/catalog/programs/{program}").status_code == 204
    asked = read(signed_in_at_pages(shared.listener, "reviewer"), f"{NAMES}/series/{row_id}/delete")
    assert "One deleted program has it, too" in asked.texts("p")
    assert not asked.all("form", action=f"{NAMES}/series/{row_id}/delete")


def test_saving_a_series_keeps_a_category_behind_the_hundredth(
    staff: dict[str, Client], listener: Client, database: Database
) -> None:
    with session_factory(database).begin() as session:
        rows = [
            categories.create(session, {"name_ar": f"ت{n}", "name_en": f"C{n}"}, EDITOR) for n in range(103)
        ]
        last = rows[-1].id
        row_id = series.create(session, {"title": "Far", "language": "en", "category_id": last}, EDITOR).id
    here, browser = f"{NAMES}/series/{row_id}", signed_in_at_pages(listener, "reviewer")
    page = read(browser, here)
    assert fields_of(page, here)["categoryId"] == str(last)
    assert fill(browser, here, here, title="Farther").headers["location"] == f"{here}?done=changed"
    assert staff["editor"].get(f"/catalog/series/{row_id}").json()["data"]["categoryId"] == last


@pytest.mark.parametrize(("plural", "step"), [("tags", "merge"), ("people", "merge"), ("tags", "delete")])
def test_a_step_is_done_only_with_what_it_was_said_to_affect(
    plural: str, step: str, staff: dict[str, Client], listener: Client, database: Database
) -> None:
    api = staff["reviewer"]
    one, two = (
        api.post(f"/catalog/{plural}", {"name": name}).json()["data"]["id"] for name in ("Alpha", "Beta")
    )
    here, browser = f"{NAMES}/{plural}/{one}", signed_in_at_pages(listener, "reviewer")
    asked = f"{here}/{step}" + (f"?into={two}" if step == "merge" else "")
    old = fields_of(read(browser, asked), f"{here}/{step}")
    with session_factory(database).begin() as session:
        make(session, "published", tags=["Alpha"], people=[("host", "Alpha")])
    refused = Page(send(browser, f"{here}/{step}", **old))
    assert refused.status == 412
    assert "One program has it" in refused.texts("li")
    assert api.get(f"/catalog/{plural}/{one}").status_code == 200
    assert send(browser, f"{here}/{step}", **fields_of(refused, f"{here}/{step}")).status_code == 303


def test_a_series_is_deleted_only_as_it_was_shown(shared: SharedApi) -> None:
    with session_factory(shared.database).begin() as session:
        row_id = series.create(session, {"title": "Going", "language": "en"}, EDITOR).id
    here = f"{NAMES}/series/{row_id}/delete"
    browser = signed_in_at_pages(shared.listener, "reviewer")
    old = fields_of(read(browser, here), here)
    assert shared.staff["reviewer"].patch(f"/catalog/series/{row_id}", {"title": "Stays"}).status_code == 200
    refused = Page(send(browser, here, **old))
    assert (refused.status, refused.texts("h1")) == (412, ["Delete “Stays”?"])
    assert send(browser, here, **fields_of(refused, here)).status_code == 303


def test_the_tag_that_is_called_so_is_the_first_to_merge_into(
    staff: dict[str, Client], listener: Client
) -> None:
    names = [*(f"Coffee {n}" for n in range(12)), "Coffee", "Other"]
    ids = [staff["editor"].post("/catalog/tags", {"name": name}).json()["data"]["id"] for name in names]
    page = read(signed_in_at_pages(listener, "reviewer"), f"{NAMES}/tags/{ids[-1]}", q="coffee")
    offered = [link for link in page.links() if "/merge?into=" in link]
    assert offered[0].endswith(f"={ids[-2]}")
    assert len(offered) == 10
