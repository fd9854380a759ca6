"""What stands around the form of a program in a real browser: steps, comments, offers, the preview, signing out."""

import re

from playwright.sync_api import Browser, expect

from tests.support.browser import IN_A_BROWSER
from tests.support.editorial import created
from tests.support.shared import SharedApi
from tests.support.studio import at, says
from tests.support.studio_browser import entered, kept, press, write
from tests.support.waiting import eventually

pytestmark = IN_A_BROWSER
SAVED = re.compile("Saved at")


def test_a_step_that_waits_says_why_and_a_comment_does_not_wait(browser: Browser, shared: SharedApi) -> None:
    program_id = created(shared.staff["editor"])["id"]
    visit = entered(browser, shared.listener, "editor", at(program_id))
    page = visit.page
    # A comment that is refused leaves the rest of the page alive.
    page.locator("#talk textarea").last.evaluate("(area) => area.removeAttribute('required')")
    press(page, "Comment")
    expect(page.get_by_role("alert")).to_have_text(says("editor_talk.refused"))
    write(page, "description", "Written after it")
    expect(page.locator("#saving")).to_have_text(SAVED)
    write(page, "durationSec", "long")
    expect(page.locator("#durationSec-fault")).to_be_visible()
    press(page, "Submit for review")
    expect(page.get_by_role("alert")).to_have_text(says("editor_live.held"))
    page.locator("#talk textarea").last.fill("Said meanwhile.")
    press(page, "Comment")
    expect(page.locator("#talk .words")).to_have_text("Said meanwhile.")
    # What could not be saved is offered.
    press(page, "Put it back")
    expect(page.locator("[name=durationSec]")).to_have_value("long")
    write(page, "durationSec", "1:00")
    expect(page.locator("#saving")).to_have_text(SAVED)
    press(page, "Submit for review")
    expect(page.get_by_text("Submitted for review.")).to_be_visible()
    assert visit.faults == []
    visit.close()


def test_a_step_is_not_taken_with_what_the_form_does_not_show(browser: Browser, shared: SharedApi) -> None:
    program_id = created(shared.staff["editor"], title="Was")["id"]
    visit = entered(browser, shared.listener, "editor", at(program_id))
    page = visit.page
    page.route(f"**{at(program_id)}/side", lambda route: route.abort())
    write(page, "title", "Mine")
    expect(page.locator("#saving")).to_have_text(SAVED)
    shared.staff["reviewer"].patch(f"/catalog/programs/{program_id}", {"title": "Theirs"})
    page.unroute(f"**{at(program_id)}/side")
    press(page, "Submit for review")
    expect(page.get_by_role("alert")).to_contain_text(says("editor_live.changed"))
    found = shared.staff["editor"].get(f"/catalog/programs/{program_id}").json()["data"]
    assert found["status"] == "draft"
    press(page, "Load the page again")
    expect(page.locator("[name=title]")).to_have_value("Theirs")
    press(page, "Submit for review")
    expect(page.get_by_text("Submitted for review.")).to_be_visible()
    visit.close()


def test_a_page_that_nobody_sees_does_not_ask(browser: Browser, shared: SharedApi) -> None:
    program_id = created(shared.staff["reviewer"])["id"]
    shared.staff["reviewer"].post(f"/catalog/programs/{program_id}/publish")
    visit = entered(browser, shared.listener, "editor", at(program_id))
    page = visit.page
    page.add_init_script("Object.defineProperty(document, 'hidden', { get: () => !window.seen })")
    with page.expect_request(re.compile("studio_beside")):
        page.goto(at(program_id))
    expect(page.locator("#found")).to_have_attribute("data-asked", "true")
    asked = [url for url in visit.asked if url.endswith("/searchable")]
    with page.expect_request(re.compile("/searchable$")):
        page.evaluate("window.seen = true; document.dispatchEvent(new Event('visibilitychange'))")
    assert len([url for url in visit.asked if url.endswith("/searchable")]) == len(asked) + 1
    visit.close()


def test_a_program_that_was_just_made_has_all_that_its_page_has(browser: Browser, shared: SharedApi) -> None:
    visit = entered(browser, shared.listener, "editor", "/studio/programs/new")
    page = visit.page
    write(page, "title", "Just made")
    expect(page).to_have_url(re.compile(r"/studio/programs/\d+$"))
    path = f"/studio/programs/{page.url.rpartition('/')[2]}"
    expect(page.locator(f".ways a[href='{path}/history']")).to_be_visible()
    expect(page.locator(f".ways a[href='{path}/preview/ar']")).to_be_visible()
    expect(page.locator("details[data-field=lockedFields]")).to_have_count(1)
    expect(page.locator("header.top a[hreflang]")).to_have_attribute(
        "href", re.compile(path.replace("/", "(/|%2F)"))
    )
    page.locator("details[data-field=lockedFields] summary").click()
    page.locator("[name='lock.title']").check()
    expect(page.locator("#saving")).to_have_text(SAVED)
    expect(page.locator("[name=base]")).to_have_value(re.compile(r'"lockedFields":\["title"\]'))
    assert visit.violations() == []
    assert (kept(page), visit.faults) == (0, [])
    visit.close()


def test_a_name_is_picked_where_the_caret_is(browser: Browser, shared: SharedApi) -> None:
    created(shared.staff["editor"], tags=["Lantern"], people=[{"name": "Samira"}])
    program_id = created(shared.staff["editor"], tags=["first", "last"])["id"]
    visit = entered(browser, shared.listener, "editor", at(program_id))
    page, offers = visit.page, visit.page.locator("#offers li")
    tags = page.locator("[name=tags]")
    write(page, "tags", '"one,  two", , last')
    tags.evaluate("(input) => input.setSelectionRange(13, 13)")
    page.keyboard.type("lant")
    expect(offers.first).to_have_text("Lantern")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(tags).to_have_value('"one,  two", Lantern, last')
    page.get_by_role("button", name="Add a person").or_(page.locator("[data-add-person]")).first.click()
    page.keyboard.type("sami")
    expect(offers.first).to_have_text("Samira")
    assert page.evaluate("document.querySelector('label #offers')") is None
    page.keyboard.press("Escape")
    page.locator("[data-add-person]").click()
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map((one) => one.id)")
    assert len(ids) == len(set(ids))
    assert visit.violations() == []
    visit.close()


def test_a_preview_counts_nothing_and_leaves_nothing(browser: Browser, shared: SharedApi) -> None:
    program_id = created(shared.staff["editor"], title="Not yet", mediaUrl="https://media.example.com/a.mp3")[
        "id"
    ]
    visit = entered(browser, shared.listener, "editor", at(program_id))
    page = visit.page
    page.goto(f"{at(program_id)}/preview/en")
    page.route("https://media.example.com/**", lambda route: route.abort())
    page.locator(".play button").click()
    expect(page.locator("#deck")).to_be_visible()
    page.evaluate(
        """() => { const media = document.querySelector('#deck audio');
        Object.defineProperty(media, 'paused', { get: () => false });
        for (let at = 0; at < 12; at += 0.5) {
          Object.defineProperty(media, 'currentTime', { get: () => at, configurable: true });
          media.dispatchEvent(new Event('timeupdate'));
        } }"""
    )
    page.locator("header.top a.wordmark").click()
    expect(page).to_have_url(re.compile("/en$"))
    assert [url for url in visit.asked if url.endswith("/views")] == []
    assert page.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('position:'))") == []
    assert "Not yet" not in page.evaluate("JSON.stringify(sessionStorage)")
    visit.close()


def test_signing_out_takes_this_accounts_texts_alone_and_other_tabs_hear_of_it(
    browser: Browser, shared: SharedApi
) -> None:
    program_id = created(shared.staff["editor"])["id"]
    visit = entered(browser, shared.listener, "editor", at(program_id))
    page = visit.page
    page.evaluate("localStorage.setItem('studio:somebody-else:1:x', '{}')")
    other = page.context.new_page()
    other.goto(at(program_id))
    write(page, "durationSec", "long")
    expect(page.locator("#durationSec-fault")).to_be_visible()
    # Whoever stays keeps everything.
    page.once("dialog", lambda dialog: dialog.dismiss())
    page.get_by_role("button", name="Sign out").click(no_wait_after=True)
    expect(page.locator("#durationSec-fault")).to_be_visible()
    assert kept(page) == 2
    page.once("dialog", lambda dialog: dialog.accept())
    press(page, "Sign out")
    expect(page).to_have_url(re.compile("/sign-in"))
    eventually(lambda: kept(page) == 1, what="the texts of this account are gone")
    expect(other.get_by_role("alert")).to_have_text(says("editor_live.signed_out_here"))
    write(other, "description", "Typed afterwards")
    assert page.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('studio:'))") == [
        "studio:somebody-else:1:x"
    ]
    visit.close()
