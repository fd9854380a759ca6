"""Imports, names and curation in a real browser: with the keyboard alone, in both languages, and closed to nobody."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from catalog.core.db import session_factory
from catalog.review import pending as review
from catalog.taxonomy import series
from catalog.taxonomy.models import Tag
from catalog.taxonomy.pending import SERIES
from tests.support.accounts import PASSWORD
from tests.support.browser import DESKTOP, IN_A_BROWSER, Visit
from tests.support.import_requests import CSV, carry_out, upload
from tests.support.programs import EDITOR, make
from tests.support.shared import SharedApi

pytestmark = IN_A_BROWSER


def signed_in(browser: Browser, shared: SharedApi, role: str, language: str, here: str) -> Visit:
    """A tab of somebody with a role, at a page of the studio."""
    base = shared.listener.base
    visit = Visit(browser, base, viewport=DESKTOP, locale=language, reduced_motion="reduce")
    page = visit.page
    page.goto(f"/sign-in?next={here}")
    page.locator("[name=email]").fill(f"{role}@example.com")
    page.locator("[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"{here}$"))
    return visit


def press(page: Page, name: str) -> None:
    """Press a button with the keyboard alone."""
    page.get_by_role("button", name=name, exact=True).first.focus()
    page.keyboard.press("Enter")


def test_an_editor_imports_by_a_dry_run_with_the_keyboard(
    browser: Browser, shared: SharedApi, tmp_path: Path
) -> None:
    file = tmp_path / "episodes.csv"
    file.write_text(CSV)
    visit = signed_in(browser, shared, "editor", "en", "/studio/imports")
    page = visit.page
    page.get_by_label("File", exact=True).set_input_files(file)
    page.locator("#file-h + form .strong").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("^Trial "))
    run_id = int(page.url.rpartition("/")[2])
    # The page follows the run by itself, and says aloud when it has ended.
    expect(page.locator("#run .tag")).to_have_text("waits")
    carry_out(shared.database, run_id)
    expect(page.locator("#run .tag")).to_have_text("done")
    expect(page.locator("#news")).to_contain_text("done")
    expect(page.locator("#items tbody tr")).to_have_count(40)
    page.get_by_label("Import: Episode 2", exact=True).focus()
    page.keyboard.press("Space")
    expect(page.locator("#chosen output")).to_have_text("1")
    press(page, "Choose all 36 that would be written")
    expect(page.locator("#chosen output")).to_have_text("36")
    page.get_by_label("Import: Episode 2", exact=True).focus()
    page.keyboard.press("Space")
    expect(page.locator("#chosen output")).to_have_text("35")
    press(page, "Import the chosen ones")
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("^Import "))
    carry_out(shared.database, int(page.url.rpartition("/")[2]))
    expect(page.locator("#run .figures .is-created dd")).to_have_text("35")
    assert visit.faults == []
    visit.close()


@pytest.mark.parametrize("language", ["ar", "en"])
def test_no_page_of_imports_is_closed_to_anybody(language: str, browser: Browser, shared: SharedApi) -> None:
    reviewer = shared.staff["reviewer"]
    dry, waiting = upload(reviewer, CSV, dryRun="true"), upload(reviewer, CSV)
    carry_out(shared.database, dry["id"])
    made = reviewer.post("/catalog/import-sources", {"url": f"https://feeds.example.com/{language}"})
    source = made.json()["data"]["id"]
    visit = signed_in(browser, shared, "reviewer", language, "/studio/imports")
    paths = (
        "",
        f"/{dry['id']}",
        f"/{waiting['id']}",
        "/sources",
        f"/sources/{source}",
        f"/sources/{source}/delete",
    )
    for path in (*paths, "/conflicts", "/merges"):
        visit.page.set_viewport_size(DESKTOP)
        visit.page.goto(f"/studio/imports{path}")
        assert visit.closed_to_anybody() == [], path
    assert visit.faults == []
    visit.close()


@pytest.mark.parametrize("language", ["ar", "en"])
def test_no_page_of_names_is_closed_to_anybody(language: str, browser: Browser, shared: SharedApi) -> None:
    with session_factory(shared.database).begin() as session:
        show = series.create(session, {"title": f"Nights {language}", "language": "en"}, EDITOR)
        make(
            session, "published", series_id=show.id, tags=["coffee", "morning"], people=[("host", "Someone")]
        )
        review.propose(session, SERIES, show.id, {"title": "Evenings"}, EDITOR)
        one, two = session.scalars(select(Tag.id).order_by(Tag.id)).all()
        number = show.id
    visit = signed_in(browser, shared, "reviewer", language, "/studio/names/series")
    tags = (f"/tags/{one}", f"/tags/{one}/merge?into={two}", f"/tags/{one}/delete")
    for path in (
        "/series",
        "/categories",
        "/tags",
        "/people",
        f"/series/{number}",
        f"/series/{number}/delete",
        *tags,
    ):
        visit.page.set_viewport_size(DESKTOP)
        visit.page.goto(f"/studio/names{path}")
        assert visit.closed_to_anybody() == [], path
    assert visit.faults == []
    visit.close()


def curated(shared: SharedApi, name: str) -> list[str]:
    """Make a collection, a pin and a synonym; return the addresses of their pages."""
    reviewer = shared.staff["reviewer"]
    with session_factory(shared.database).begin() as session:
        ids = [make(session, "published", title=f"{name} {n}").id for n in (1, 2, 3)]
    made = reviewer.post("/catalog/collections", {"titleAr": f"مجموعة {name}", "titleEn": f"Set {name}"})
    collection = made.json()["data"]["id"]
    reviewer.ask("PUT", f"/catalog/collections/{collection}/programs", json={"programIds": ids})
    pin = {"query": name, "programs": [{"programId": ids[0], "place": 1}]}
    pinned = reviewer.post("/catalog/pins", pin).json()["data"]["id"]
    words = {"kind": "two_way", "terms": [name, f"{name} twice"]}
    joined = reviewer.post("/catalog/synonyms", words).json()["data"]["id"]
    return [f"collections/{collection}", f"pins/{pinned}", f"synonyms/{joined}"]


def test_the_order_of_a_collection_is_changed_with_the_keyboard(browser: Browser, shared: SharedApi) -> None:
    here = curated(shared, "order")[0]
    visit = signed_in(browser, shared, "editor", "en", "/studio/curation/collections")
    page = visit.page
    page.goto(f"/studio/curation/{here}")
    rows = page.locator(".order .what")
    press(page, "One place up: order 3")
    expect(rows).to_have_text([re.compile(f"order {n}") for n in (1, 3, 2)])
    press(page, "One place up: order 3")
    expect(rows).to_have_text([re.compile(f"order {n}") for n in (3, 1, 2)])
    page.get_by_label("Place of order 3").fill("3")
    press(page, "Put there: order 3")
    expect(rows).to_have_text([re.compile(f"order {n}") for n in (1, 2, 3)])
    assert visit.faults == []
    visit.close()


@pytest.mark.parametrize("language", ["ar", "en"])
def test_no_page_of_curation_is_closed_to_anybody(language: str, browser: Browser, shared: SharedApi) -> None:
    pages = curated(shared, f"coffee{language}")
    visit = signed_in(browser, shared, "admin", language, "/studio/curation/collections")
    for path in ("collections", "pins", "synonyms", "searches", "pins/new", *pages, f"{pages[0]}/delete"):
        visit.page.set_viewport_size(DESKTOP)
        visit.page.goto(f"/studio/curation/{path}")
        assert visit.closed_to_anybody() == [], path
    assert visit.faults == []
    visit.close()


def test_enter_in_a_place_puts_that_program_there(browser: Browser, shared: SharedApi) -> None:
    with session_factory(shared.database).begin() as session:
        ids = [make(session, title=f"Placed {n}").id for n in "abc"]
    body = {"titleAr": "أماكن", "titleEn": "Places"}
    made = shared.staff["reviewer"].post("/catalog/collections", body).json()["data"]["id"]
    address = f"/catalog/collections/{made}/programs"
    assert shared.staff["reviewer"].ask("PUT", address, json={"programIds": ids}).status_code == 200
    visit = signed_in(browser, shared, "reviewer", "en", f"/studio/curation/collections/{made}")
    page = visit.page
    page.get_by_label("Place of Placed c").fill("1")
    page.keyboard.press("Enter")
    expect(page.locator("ol.order li a").first).to_have_text("Placed c")
    expect(page.locator("ol.order li")).to_have_count(3)
    assert visit.faults == []
    visit.close()
