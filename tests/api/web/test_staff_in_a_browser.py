"""The pages of staff in a real browser: with the keyboard alone, in both languages, and closed to nobody."""

import re

import pytest
from playwright.sync_api import Browser, expect

from tests.support.accounts import PASSWORD
from tests.support.browser import DESKTOP, IN_A_BROWSER, Visit
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
