"""The pages of staff in a real browser: with the keyboard alone, in both languages, and closed to nobody."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import Engine as Database
from sqlalchemy import text

from api.settings import Settings
from api.web.board import live
from indexer.rebuild.rebuild import Rebuild
from tests.support.accounts import PASSWORD
from tests.support.browser import DESKTOP, IN_A_BROWSER, Visit
from tests.support.client import Client
from tests.support.shared import SharedApi

pytestmark = IN_A_BROWSER


@pytest.mark.parametrize("language", ["ar", "en"])
def test_somebody_signs_in_and_out_with_the_keyboard(
    language: str, browser: Browser, shared: SharedApi
) -> None:
    visit = Visit(browser, shared.listener.base, viewport=DESKTOP, locale=language, reduced_motion="reduce")
    page = visit.page
    page.goto("/sign-in")
    expect(page.locator("html")).to_have_attribute("lang", language)
    assert visit.closed_to_anybody() == []
    page.set_viewport_size(DESKTOP)
    page.locator("[name=email]").focus()
    page.keyboard.type("editor@example.com")
    page.keyboard.press("Tab")
    page.keyboard.type("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.locator("[name=email]")).to_have_value("editor@example.com")
    assert visit.violations() == []
    page.locator("[name=password]").focus()
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_text("editor@example.com")).to_be_visible()
    assert visit.closed_to_anybody() == []
    (cookie,) = (c for c in page.context.cookies() if c["name"] == "session")
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    assert "session" not in page.evaluate("document.cookie")
    page.locator("form[action='/sign-out'] button").focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/sign-in$"))
    expect(page.locator("[name=email]")).to_be_visible()
    assert visit.faults == []
    visit.close()


def signed_in(browser: Browser, api: Client, language: str) -> Visit:
    """A tab of an operator."""
    visit = Visit(browser, api.base, viewport=DESKTOP, locale=language, reduced_motion="reduce")
    page = visit.page
    page.goto("/sign-in?next=/ops/board")
    page.locator("[name=email]").fill("ops@example.com")
    page.locator("[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/ops/board$"))
    return visit


def press(page: Page, name: str) -> None:
    """Press a button with the keyboard alone."""
    page.get_by_role("button", name=name).first.focus()
    page.keyboard.press("Enter")


def test_an_operator_rolls_a_rebuild_back_with_the_keyboard(
    browser: Browser,
    listener: Client,
    staff: dict[str, Client],
    settings: Settings,
    database: Database,
    catalogue: dict[str, int],
) -> None:
    visit = signed_in(browser, listener, "en")
    page = visit.page
    press(page, "Rebuild: default")
    expect(page.get_by_role("heading", level=1)).to_have_text("Rebuild")
    page.get_by_label("Reason").fill("a test")
    press(page, "Yes, do it")
    expect(page.get_by_text("The rebuild is queued.")).to_be_visible()
    expect(page.locator("#rebuilds")).to_contain_text("a test")
    (job,) = staff["ops"].get("/ops/reindex").json()["data"]
    assert Rebuild(database, settings.indexer, pause=0.02).run(job["id"]) == "done"
    page.goto("/ops/board")
    press(page, "Roll back")
    expect(page.get_by_text("becomes the live one again")).to_be_visible()
    # Somebody who thinks again changes nothing.
    page.get_by_role("link", name="No, back to the board").focus()
    page.keyboard.press("Enter")
    press(page, "Roll back")
    press(page, "Yes, do it")
    expect(page.get_by_text("The rollback is queued.")).to_be_visible()
    expect(page.locator("#rebuilds")).to_contain_text("rolls back")
    assert Rebuild(database, settings.indexer, pause=0.02).run(job["id"]) == "rolled_back"
    page.goto("/ops/board")
    expect(page.locator("#log")).to_contain_text("rollback")
    assert visit.faults == []
    visit.close()


@pytest.mark.parametrize("language", ["ar", "en"])
def test_no_page_of_the_board_is_closed_to_anybody(
    language: str, browser: Browser, shared: SharedApi, reading: dict[str, int]
) -> None:
    with shared.database.begin() as connection:
        # Every part has something to show.
        connection.execute(
            text("INSERT INTO drift_reports (target_id, state, missing) VALUES (1, 'done', 2)")
        )
        connection.execute(
            text(
                "INSERT INTO index_dirty (target_id, program_id, rev, parked, error) "
                "VALUES (1, :id, 1, true, 'The document is too large') ON CONFLICT DO NOTHING"
            ),
            {"id": reading["Morning coffee"]},
        )
    visit = signed_in(browser, shared.listener, language)
    for path in ("", "?done=purge_all", "/do/rebuild?engine=default", "/programs?q=coffee", "/runbooks"):
        visit.page.set_viewport_size(DESKTOP)
        visit.page.goto(f"/ops/board{path}")
        assert visit.closed_to_anybody() == [], path
    assert visit.faults == []
    visit.close()


def test_an_open_board_keeps_itself_up_to_date(
    browser: Browser, shared: SharedApi, reading: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "LOOK_SECONDS", 0.2)
    visit = signed_in(browser, shared.listener, "en")
    page = visit.page
    expect(page.locator("#hour canvas")).to_have_count(6)
    page.get_by_role("button", name="Drain: default").focus()
    with shared.database.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO index_dirty (target_id, program_id, rev, parked, error) "
                "VALUES (1, :id, 1, true, 'No such unit') ON CONFLICT DO NOTHING"
            ),
            {"id": reading["The coffee film"]},
        )
    expect(page.locator("#wrong")).to_contain_text("An engine refuses documents")
    expect(page.locator("#pipeline")).to_contain_text("No such unit")
    # The part that somebody uses is left alone, and who is signed out sees nothing more.
    expect(page.get_by_role("button", name="Drain: default")).to_be_focused()
    page.context.clear_cookies()
    expect(page).to_have_url(re.compile("/sign-in"))
    assert visit.faults == []
    visit.close()
