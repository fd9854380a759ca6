"""The studio's lists in a real browser: with the keyboard alone, in both languages, and closed to nobody."""

import re

import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy import text

from tests.support.accounts import PASSWORD
from tests.support.browser import DESKTOP, IN_A_BROWSER, Visit
from tests.support.client import Client
from tests.support.listed import stocked
from tests.support.shared import SharedApi

pytestmark = IN_A_BROWSER


@pytest.fixture(scope="module")
def found(shared: SharedApi) -> dict[str, int]:
    """Programs of every kind of row, by name."""
    return stocked(shared.database)


def signed_in(browser: Browser, api: Client, language: str) -> Visit:
    """A tab of a reviewer."""
    visit = Visit(browser, api.base, viewport=DESKTOP, locale=language, reduced_motion="reduce")
    page = visit.page
    page.goto("/sign-in?next=/studio")
    page.locator("[name=email]").fill("reviewer@example.com")
    page.locator("[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/studio/programs$"))
    return visit


@pytest.mark.parametrize("language", ["ar", "en"])
def test_no_list_is_closed_to_anybody(
    language: str, browser: Browser, shared: SharedApi, found: dict[str, int]
) -> None:
    with shared.database.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO saved_filters (account_id, name, query) SELECT id, 'Kept', 'status=draft' FROM accounts "
                "ON CONFLICT DO NOTHING"
            )
        )
        connection.execute(
            text(
                "UPDATE programs SET scheduled_publish_at = '2100-01-15 10:00+00' WHERE status = 'scheduled'"
            )
        )
    visit = signed_in(browser, shared.listener, language)
    ids = "&".join(f"id={found[name]}:1" for name in ("draft", "live", "gone"))
    for path in (
        "programs?limit=6&q=gmama&title=a&unheard=1",
        f"programs/do?step=schedule&{ids}",
        f"programs/do?step=tag&{ids}",
        "trash",
        "review",
        "calendar?day=2100-01-15",
        "calendar?view=week&day=2100-01-15",
    ):
        visit.page.set_viewport_size(DESKTOP)
        visit.page.goto(f"/studio/{path}")
        for details in visit.page.locator(".studio-list details").all():
            details.locator("summary").click()
        assert visit.closed_to_anybody() == [], path
    assert visit.faults == []
    visit.close()


def test_programs_are_ticked_archived_and_given_back_with_the_keyboard(
    browser: Browser, shared: SharedApi, found: dict[str, int]
) -> None:
    visit = signed_in(browser, shared.listener, "en")
    page = visit.page
    page.goto("/studio/programs?status=draft&sort=title")
    boxes = page.get_by_role("checkbox", name="Tick:")
    boxes.first.focus()
    page.keyboard.press("Space")
    expect(page.locator("#bulk output")).to_have_text("1")
    page.get_by_role("link", name="Tick all on this page").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#bulk output")).to_have_text("2")
    expect(page.get_by_role("link", name="Tick none")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.type("Archive")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Archive")
    page.get_by_role("button", name="Yes, do it with 2 programs").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("It worked with 2 programs.")
    assert visit.closed_to_anybody() == []
    page.set_viewport_size(DESKTOP)
    page.get_by_role("button", name="Undo: Bring back from the archive").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Yes, do it with 2 programs").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("It worked with 2 programs.")
    page.get_by_role("link", name="Back to the list").focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/studio/programs\?sort=title&status=draft$"))
    expect(page.locator("tbody tr")).to_have_count(2)
    assert visit.faults == []
    visit.close()


def test_a_list_is_saved_and_opened_with_the_keyboard(
    browser: Browser, shared: SharedApi, found: dict[str, int]
) -> None:
    visit = signed_in(browser, shared.listener, "en")
    page = visit.page
    page.get_by_role("link", name="Archived").focus()
    page.keyboard.press("Enter")
    page.get_by_text("Save this filter, or delete saved ones").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Name", exact=True).focus()
    page.keyboard.type("The archive")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="The archive")).to_have_attribute("aria-current", "page")
    page.goto("/studio/programs")
    page.get_by_role("link", name="The archive").focus()
    page.keyboard.press("Enter")
    expect(page.locator("tbody tr")).to_have_count(2)
    assert visit.faults == []
    visit.close()


def test_ticking_needs_no_script(browser: Browser, shared: SharedApi, found: dict[str, int]) -> None:
    visit = Visit(browser, shared.listener.base, viewport=DESKTOP, locale="en", java_script_enabled=False)
    page = visit.page
    page.goto("/sign-in?next=/studio/programs")
    page.locator("[name=email]").fill("reviewer@example.com")
    page.locator("[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Tick all on this page").click()
    page.get_by_label("With the ticked programs").select_option("tag")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", level=2)).to_have_text("8 programs")
    visit.close()
