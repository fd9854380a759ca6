"""The command palette and the shortcuts of the pages of staff: with the keyboard alone, in both languages."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.accounts import PASSWORD
from tests.support.browser import DESKTOP, IN_A_BROWSER, PHONE, Visit
from tests.support.listed import stocked
from tests.support.shared import SharedApi

pytestmark = IN_A_BROWSER

TITLE = {"ar": "البحث والأوامر", "en": "Search and commands"}


@pytest.fixture(scope="module")
def found(shared: SharedApi) -> dict[str, int]:
    """Programs in every state, by name."""
    return stocked(shared.database)


def signed_in(browser: Browser, shared: SharedApi, role: str, path: str, language: str = "en") -> Visit:
    """A tab of somebody who has signed in, at a page."""
    visit = Visit(
        browser,
        shared.listener.base,
        viewport=DESKTOP,
        locale=language,
        timezone_id="Asia/Riyadh",
        reduced_motion="reduce",
    )
    page = visit.page
    page.goto(f"/sign-in?next={path}")
    page.locator("[name=email]").fill(f"{role}@example.com")
    page.locator("[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    arrived(page, re.escape(path))
    return visit


def arrived(page: Page, path: str) -> None:
    """Wait until a page is there, and its script with it, which shows the button."""
    expect(page).to_have_url(re.compile(f"{path}$"))
    expect(page.locator("[data-palette]")).to_be_visible()


def escape(page: Page) -> None:
    """Close a dialog, and wait until it is closed."""
    page.keyboard.press("Escape")
    expect(page.locator("dialog[open]")).to_have_count(0)


def chosen(page: Page) -> str:
    """Return the text of the option that Enter would run."""
    option = page.locator("#palette").get_by_role("option", selected=True).locator(":scope > :first-child")
    return option.inner_text()


def options(page: Page) -> list[str]:
    """Return the labels of all options."""
    return page.locator("#palette [role=option] > :first-child").all_inner_texts()


def type_in_arabic(page: Page, code: str, key: str, *, control: bool = False) -> bool:
    """Press a key of an Arabic keyboard, which writes an Arabic letter; return whether a script took it."""
    taken: bool = page.evaluate(
        "([code, key, ctrlKey]) => !document.activeElement.dispatchEvent("
        "new KeyboardEvent('keydown', {code, key, ctrlKey, bubbles: true, cancelable: true}))",
        [code, key, control],
    )
    return taken


@pytest.mark.parametrize("language", ["ar", "en"])
def test_the_palette_leads_to_pages_and_programs_and_gives_the_focus_back(
    language: str, browser: Browser, shared: SharedApi, found: dict[str, int]
) -> None:
    visit = signed_in(browser, shared, "reviewer", "/studio/calendar", language)
    page, words = visit.page, visit.page.get_by_role("combobox", name=re.compile("A page|صفحة أو"))
    before = page.locator("main select").first
    before.focus()
    page.keyboard.press("Control+k")
    expect(page.get_by_role("dialog", name=TITLE[language])).to_be_visible()
    expect(words).to_be_focused()
    # Enter alone does nothing: nothing is chosen before somebody writes or moves.
    page.keyboard.press("Enter")
    expect(words).to_be_focused()
    assert visit.closed_to_anybody() == []
    page.set_viewport_size(DESKTOP)
    escape(page)
    expect(before).to_be_focused()
    # A page by its name, in the other language, too.
    page.keyboard.press("Control+k")
    page.keyboard.type("trash" if language == "ar" else "المحذوفات")
    expect(page.locator("#palette [role=option]").first).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    arrived(page, "/studio/trash")
    # A program in any state, however it is spelled.
    for typed in ("قهوه", "qahwa"):
        page.keyboard.press("Control+k")
        page.keyboard.type(typed)
        expect(page.get_by_role("option", name="قهوة الصباح")).to_be_visible()
        assert visit.violations() == []
        escape(page)
    page.keyboard.press("Control+k")
    page.keyboard.type("Eta")
    expect(
        page.locator("#palette [role=option] > :first-child", has_text=re.compile("^Eta$"))
    ).to_be_visible()
    assert chosen(page) == "Eta"
    page.keyboard.press("ArrowUp")
    assert "«Eta»" in chosen(page) or "“Eta”" in chosen(page)
    page.keyboard.press("ArrowDown")
    assert chosen(page) == "Eta"
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    arrived(page, r"/studio/programs\?q=Eta")
    page.keyboard.press("Control+k")
    page.keyboard.type("Eta")
    expect(page.locator("#palette [aria-selected=true]")).to_contain_text("Eta")
    expect(page.locator("#palette [role=option]").first).to_contain_text(re.compile("^Eta"))
    page.keyboard.press("Enter")
    arrived(page, rf"/studio/programs/{found['old']}")
    assert visit.faults == []
    visit.close()


def test_the_palette_runs_what_the_page_offers_and_nothing_else(
    browser: Browser, shared: SharedApi, found: dict[str, int]
) -> None:
    path = f"/studio/programs/{found['draft']}"
    for role, publishes in (("editor", False), ("reviewer", True)):
        visit = signed_in(browser, shared, role, path)
        page = visit.page
        page.keyboard.press("Control+k")
        offered = options(page)
        assert ("Publish" in offered) is publishes
        assert {"Save", "History"} <= set(offered)
        assert "Operations" not in offered
        escape(page)
        visit.close()
    visit = signed_in(browser, shared, "reviewer", path)
    page = visit.page
    # What was typed is saved first, as by the button itself.
    page.locator("[name=description]").focus()
    page.keyboard.press("Control+a")
    page.keyboard.type("Typed a moment ago.")
    page.keyboard.press("Control+k")
    page.keyboard.type("publish")
    assert chosen(page) == "Publish"
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Publish")
    arrived(page, r"do/publish\?seen=\d+")
    program = shared.staff["reviewer"].get(f"/catalog/programs/{found['draft']}").json()["data"]
    assert (program["status"], program["description"]) == ("draft", "Typed a moment ago.")
    page.keyboard.press("Control+k")
    page.keyboard.type("yes")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Published.", exact=True)).to_be_visible()
    assert visit.faults == []
    visit.close()


def test_letters_lead_on_unless_a_field_has_the_focus_or_they_are_off(
    browser: Browser, shared: SharedApi, found: dict[str, int]
) -> None:
    visit = signed_in(browser, shared, "reviewer", "/studio/programs")
    page = visit.page
    page.locator("body").press("?")
    dialog = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(dialog).to_be_visible()
    expect(dialog.get_by_text("Calendar", exact=True)).to_be_visible()
    assert visit.closed_to_anybody() == []
    page.set_viewport_size(DESKTOP)
    escape(page)
    page.keyboard.press("/")
    words = page.locator("main [name=q]")
    expect(words).to_be_focused()
    page.keyboard.type("g?n/")
    expect(words).to_have_value("g?n/")
    arrived(page, "/studio/programs")
    words.blur()
    page.keyboard.press("g")
    expect(page.locator(".notice")).to_contain_text("the letter of a page")
    page.keyboard.press("c")
    arrived(page, "/studio/calendar")
    # On an Arabic keyboard the same keys do it.
    assert type_in_arabic(page, "KeyK", "ن", control=True)
    expect(page.get_by_role("dialog", name=TITLE["en"])).to_be_visible()
    escape(page)
    assert type_in_arabic(page, "KeyG", "ل")
    assert type_in_arabic(page, "KeyT", "ف")
    arrived(page, "/studio/trash")
    page.keyboard.press("?")
    dialog.get_by_role("checkbox").focus()
    page.keyboard.press("Space")
    escape(page)
    page.reload()
    expect(page.locator("[data-palette]")).to_be_visible()
    page.keyboard.press("?")
    expect(dialog).to_be_hidden()
    page.keyboard.press("n")
    # The palette, which needs a second key, still has them.
    page.keyboard.press("Control+k")
    arrived(page, "/studio/trash")
    page.get_by_role("button", name="Keyboard shortcuts").focus()
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("checkbox")).not_to_be_checked()
    assert visit.faults == []
    visit.close()


def test_an_editor_saves_by_a_shortcut_without_leaving_the_field(
    browser: Browser, shared: SharedApi, found: dict[str, int]
) -> None:
    visit = signed_in(browser, shared, "editor", f"/studio/programs/{found['theirs']}")
    page, title = visit.page, visit.page.locator("[name=title]")
    title.focus()
    page.keyboard.press("End")
    page.keyboard.type(" again")
    assert type_in_arabic(page, "KeyS", "س", control=True)
    expect(page.locator("#saving")).to_have_text(re.compile("Saved at"))
    expect(title).to_be_focused()
    saved = shared.staff["editor"].get(f"/catalog/programs/{found['theirs']}").json()["data"]["title"]
    assert saved == "Theta again"
    assert visit.faults == []
    visit.close()


@pytest.mark.parametrize("language", ["ar", "en"])
def test_operators_have_their_pages_and_the_question_why(
    language: str, browser: Browser, shared: SharedApi
) -> None:
    visit = signed_in(browser, shared, "ops", "/ops/board", language)
    page = visit.page
    page.set_viewport_size(PHONE)
    page.locator("[data-palette]").focus()
    page.keyboard.press("Enter")
    assert visit.violations() == []
    page.keyboard.type("قهوة")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(page.locator("main [name=q]")).to_have_value("قهوة")
    assert not any("/studio" in address for address in visit.asked)
    assert visit.faults == []
    visit.close()
