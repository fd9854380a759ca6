"""The editor of a program in a real browser: saving while somebody writes, interruptions, two at once, a review."""

import re

import pytest
from playwright.sync_api import Browser, expect

from tests.support.browser import DESKTOP, IN_A_BROWSER
from tests.support.editorial import created
from tests.support.shared import SharedApi
from tests.support.studio_browser import entered, kept, press, write

pytestmark = IN_A_BROWSER


def test_an_editor_drafts_is_interrupted_publishes_and_sees_it_searchable(
    browser: Browser, shared: SharedApi, reading: dict[str, int]
) -> None:
    visit = entered(browser, shared.listener, "reviewer", "/studio/programs/new")
    page, saving = visit.page, visit.page.locator("#saving")
    write(page, "title", "Lanterns of the old town")
    expect(saving).to_have_text(re.compile("Saved at"))
    expect(page).to_have_url(re.compile(r"/studio/programs/\d+$"))
    number = page.url.rpartition("/")[2]
    assert kept(page) == 0
    api = shared.staff["reviewer"]
    # The server goes away while somebody writes, and then the browser does.
    page.context.set_offline(True)
    write(page, "description", "Written while nobody answers.")
    expect(saving).to_have_text(re.compile("The server does not answer"))
    assert kept(page) == 1
    page.context.set_offline(False)
    expect(saving).to_have_text(re.compile("Saved at"))
    assert kept(page) == 0
    page.context.set_offline(True)
    write(page, "description", "Written before the crash.")
    expect(saving).to_have_text(re.compile("The server does not answer"))
    crashed = page.context.new_page()
    page.close(run_before_unload=False)
    visit.page = page = crashed
    page.context.set_offline(False)
    page.goto(f"/studio/programs/{number}")
    expect(page.locator("[name=description]")).to_have_value("Written while nobody answers.")
    expect(page.get_by_role("alert")).to_contain_text("This browser has text that was not saved")
    assert visit.violations() == []
    press(page, "Put it back")
    expect(page.locator("[name=description]")).to_have_value("Written before the crash.")
    expect(page.locator("#saving")).to_have_text(re.compile("Saved at"))
    found = api.get(f"/catalog/programs/{number}").json()["data"]
    assert found["description"] == "Written before the crash."
    revisions = api.get(f"/catalog/programs/{number}/revisions").json()["data"]
    assert [row["action"] for row in revisions] == ["autosave", "create"]
    # The step waits for what was typed a moment ago.
    write(page, "title", "Lanterns of the older town")
    press(page, "Publish")
    expect(page.get_by_role("heading", level=1)).to_have_text("Publish")
    press(page, "Yes, do it")
    expect(page.get_by_text("Published.", exact=True)).to_be_visible()
    expect(page.locator("#found")).to_have_text(re.compile(r"Searchable after \d+\.\d seconds\."))
    titles = [card["title"] for card in shared.listener.get("/discovery/search", q="lanterns").json()["data"]]
    assert titles == ["Lanterns of the older town"]
    assert [fault for fault in visit.faults if "ERR_INTERNET_DISCONNECTED" not in fault] == []
    visit.close()


def test_two_editors_collide_and_both_texts_are_there(browser: Browser, shared: SharedApi) -> None:
    program = created(shared.staff["editor"], title="Was", description="Was")
    at = f"/studio/programs/{program['id']}"
    first = entered(browser, shared.listener, "editor", at)
    second = entered(browser, shared.listener, "reviewer", at)
    write(second.page, "title", "Theirs")
    write(second.page, "description", "Theirs")
    expect(second.page.locator("#saving")).to_have_text(re.compile("Saved at"))
    page = first.page
    write(page, "title", "Mine")
    expect(page.get_by_role("alert")).to_contain_text("Nothing of yours is lost")
    expect(page.locator("[name=title]")).to_have_value("Mine")
    assert first.violations() == []
    press(page, "Compare both")
    expect(page.get_by_role("heading", level=1)).to_have_text("Two versions")
    assert first.closed_to_anybody() == []
    page.set_viewport_size(DESKTOP)
    # Nothing is saved without a choice.
    press(page, "Save this choice")
    expect(page.get_by_role("heading", level=1)).to_have_text("Two versions")
    page.locator("[name='choose.title'][value=theirs]").focus()
    page.keyboard.press("ArrowDown")
    press(page, "Save this choice")
    expect(page.get_by_text("Saved, as you chose.")).to_be_visible()
    found = shared.staff["editor"].get(f"/catalog/programs/{program['id']}").json()["data"]
    assert (found["title"], found["description"]) == ("Mine", "Theirs")
    assert (kept(page), first.faults, second.faults) == (0, [], [])
    first.close()
    second.close()


def test_a_reviewer_refuses_with_a_comment_and_the_editor_answers(
    browser: Browser, shared: SharedApi
) -> None:
    program = created(shared.staff["editor"], title="Refused at first")
    at = f"/studio/programs/{program['id']}"
    editor = entered(browser, shared.listener, "editor", at)
    press(editor.page, "Submit for review")
    expect(editor.page.get_by_text("Submitted for review.")).to_be_visible()
    reviewer = entered(browser, shared.listener, "reviewer", at)
    press(reviewer.page, "Give back with a comment")
    reviewer.page.get_by_label("What is to be done").focus()
    reviewer.page.keyboard.type("The second host is missing.")
    press(reviewer.page, "Yes, do it")
    expect(reviewer.page.get_by_text("Given back with your comment.")).to_be_visible()
    page = editor.page
    page.reload()
    expect(page.locator("#state")).to_contain_text("draft")
    expect(page.locator("#talk")).to_contain_text("The second host is missing.")
    page.locator("[name='person.0']").focus()
    page.keyboard.type("Amal")
    page.locator("#talk summary", has_text="Reply").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Your reply").focus()
    page.keyboard.type("She is there now.")
    press(page, "Send the reply")
    expect(page.get_by_text("Your comment is there.")).to_be_visible()
    # What was typed a moment before the reply is saved, too.
    found = shared.staff["editor"].get(f"/catalog/programs/{program['id']}").json()["data"]
    assert found["people"] == [{"name": "Amal", "role": "guest"}]
    press(page, "Submit for review")
    expect(page.get_by_text("Submitted for review.")).to_be_visible()
    reviewer.page.goto(at)
    expect(reviewer.page.locator("#talk")).to_contain_text("She is there now.")
    press(reviewer.page, "Resolve")
    expect(reviewer.page.get_by_text("The thread is resolved.")).to_be_visible()
    assert (editor.faults, reviewer.faults) == ([], [])
    editor.close()
    reviewer.close()


def test_what_is_wrong_is_said_beside_the_field_and_the_rest_is_saved(
    browser: Browser, shared: SharedApi
) -> None:
    program = created(shared.staff["editor"], title="Right")
    visit = entered(browser, shared.listener, "editor", f"/studio/programs/{program['id']}")
    page = visit.page
    write(page, "durationSec", "long")
    write(page, "description", "saved")
    expect(page.locator("#durationSec-fault")).to_have_text("Write a duration such as 1:02:03 or 57:41.")
    expect(page.locator("#saving")).to_have_text(re.compile("Some fields are wrong"))
    assert visit.violations() == []
    assert kept(page) == 1
    found = shared.staff["editor"].get(f"/catalog/programs/{program['id']}").json()["data"]
    assert (found["description"], found["durationSec"]) == ("saved", None)
    # Whoever leaves is warned.
    asked: list[str] = []
    page.once("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    page.get_by_role("link", name="All programs").click(no_wait_after=True)
    expect(page.locator("#durationSec-fault")).to_be_visible()
    assert asked == ["beforeunload"]
    write(page, "durationSec", "1:00")
    expect(page.locator("#saving")).to_have_text(re.compile("Saved at"))
    assert (kept(page), visit.faults) == (0, [])
    visit.close()


def test_tags_people_and_a_series_are_picked_with_the_keyboard(browser: Browser, shared: SharedApi) -> None:
    api = shared.staff["editor"]
    created(api, tags=["Harbour", "one, two"], people=[{"name": "Hala"}])
    api.post("/catalog/series", {"title": "Harbours of the sea", "language": "en"})
    program = created(api)
    visit = entered(browser, shared.listener, "editor", f"/studio/programs/{program['id']}")
    page, offers = visit.page, visit.page.locator("#offers li")

    def pick(field: str, typed: str, first: str) -> None:
        page.locator(f"[name='{field}']").focus()
        page.keyboard.type(typed)
        expect(offers.first).to_have_text(first)
        assert visit.violations() == []
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        expect(offers).to_have_count(0)

    pick("tags", "harb", "Harbour")
    pick("tags", ", one", "one, two")
    expect(page.locator("[name=tags]")).to_have_value('Harbour, "one, two"')
    page.keyboard.type(", a new one")
    expect(offers).to_have_text(["New: a new one"])
    page.keyboard.press("Escape")
    pick("person.0", "hal", "Hala")
    pick("series", "harb", "Harbours of the sea")
    expect(page.locator("#saving")).to_have_text(re.compile("Saved at"))
    expect(page.locator("#seriesId-fault")).to_be_hidden()
    found = api.get(f"/catalog/programs/{program['id']}").json()["data"]
    assert found["tags"] == ["Harbour", "one, two", "a new one"]
    assert (found["people"], found["series"]["title"]) == (
        [{"name": "Hala", "role": "guest"}],
        "Harbours of the sea",
    )
    write(page, "series", "A series of its own")
    expect(offers).to_have_text(["New: A series of its own"])
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("[name=seriesWas]")).to_have_value("A series of its own")
    found = api.get(f"/catalog/programs/{program['id']}").json()["data"]
    assert found["series"]["title"] == "A series of its own"
    assert visit.faults == []
    visit.close()


def test_whoever_signs_out_leaves_nothing_in_the_browser(browser: Browser, shared: SharedApi) -> None:
    program = created(shared.staff["editor"])
    visit = entered(browser, shared.listener, "editor", f"/studio/programs/{program['id']}")
    page = visit.page
    write(page, "durationSec", "long")
    expect(page.locator("#saving")).to_have_text(re.compile("Some fields are wrong"))
    assert kept(page) == 1
    page.once("dialog", lambda dialog: dialog.accept())
    press(page, "Sign out")
    expect(page).to_have_url(re.compile("/sign-in"))
    assert (kept(page), visit.faults) == (0, [])
    visit.close()


@pytest.mark.parametrize("language", ["ar", "en"])
def test_no_page_of_the_editor_is_closed_to_anybody(
    language: str, browser: Browser, shared: SharedApi
) -> None:
    person = shared.staff["admin"]
    program = created(
        person, title="قهوة", tags=["one"], people=[{"name": "Amal"}], mediaUrl="https://x.example/a"
    )
    at = f"/studio/programs/{program['id']}"
    person.post(f"/catalog/programs/{program['id']}/publish", **{"If-Match": '"1"'})
    person.patch(f"/catalog/programs/{program['id']}/pending", {"title": "Waits", "tags": []})
    visit = entered(browser, shared.listener, "admin", "/studio/programs/new", language)
    thread = person.post(f"/catalog/programs/{program['id']}/comments", {"body": "Why?", "field": "tags"})
    person.post(
        f"/catalog/programs/{program['id']}/comments/{thread.json()['data']['id']}/replies", {"body": "So."}
    )
    paths = (
        "",
        "/do/pending_reject",
        "/do/archive",
        "/history?from=1&to=2",
        "/history/1/restore",
        "/preview/ar",
    )
    for path in ("/studio/programs/new", *(f"{at}{path}" for path in paths)):
        visit.page.set_viewport_size(DESKTOP)
        visit.page.goto(path)
        assert visit.closed_to_anybody() == [], path
    assert visit.faults == []
    visit.close()
