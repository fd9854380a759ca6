"""Two editors of a program in a real browser see each other come and go."""

import re

from playwright.sync_api import Browser, Page, expect

from tests.support.browser import IN_A_BROWSER
from tests.support.editorial import created
from tests.support.shared import SharedApi
from tests.support.studio import at
from tests.support.studio_browser import entered, write
from tests.support.waiting import eventually

pytestmark = IN_A_BROWSER


def _look_again(page: Page) -> str:
    """Let a page speak at once, as it does when its tab is seen again; return what it says of others."""
    with page.expect_response(re.compile("/presence$")):
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    return page.locator("#presence").inner_text()


def test_two_editors_see_each_other(browser: Browser, shared: SharedApi) -> None:
    program_id = created(shared.staff["editor"], title="Two write")["id"]
    mine = entered(browser, shared.listener, "editor", at(program_id))
    line = mine.page.locator("#presence")
    expect(line).to_have_attribute("aria-live", "polite")
    assert _look_again(mine.page) == ""
    theirs = entered(browser, shared.listener, "reviewer", at(program_id))
    expect(theirs.page.locator("#presence")).to_have_text(
        re.compile("editor@example.com.* is editing this now")
    )
    eventually(lambda: "reviewer@example.com" in _look_again(mine.page), what="the other one is seen")
    assert mine.closed_to_anybody() == []
    # Leaving the page is enough.
    theirs.page.goto("/studio/programs")
    eventually(lambda: _look_again(mine.page) == "", what="the other one has left")
    assert mine.faults == theirs.faults == []
    mine.close()
    theirs.close()


def test_a_program_that_was_just_made_is_seen(browser: Browser, shared: SharedApi) -> None:
    mine = entered(browser, shared.listener, "editor", "/studio/programs/new")
    write(mine.page, "title", "Just made")
    expect(mine.page).to_have_url(re.compile(r"/studio/programs/\d+$"))
    path = f"/studio/programs/{mine.page.url.rpartition('/')[2]}"
    assert _look_again(mine.page) == ""
    theirs = entered(browser, shared.listener, "reviewer", path)
    expect(theirs.page.locator("#presence")).to_contain_text("editor@example.com")
    mine.close()
    theirs.close()


def test_a_failure_shows_nobody_and_saves_all_the_same(browser: Browser, shared: SharedApi) -> None:
    program_id = created(shared.staff["editor"], title="Alone")["id"]
    theirs = entered(browser, shared.listener, "reviewer", at(program_id))
    mine = entered(browser, shared.listener, "editor", at(program_id))
    expect(mine.page.locator("#presence")).to_contain_text("reviewer@example.com")
    mine.page.route("**/presence", lambda route: route.abort())
    mine.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(mine.page.locator("#presence")).to_be_empty()
    write(mine.page, "description", "Written all the same")
    expect(mine.page.locator("#saving")).to_have_text(re.compile("Saved at"))
    mine.close()
    theirs.close()
