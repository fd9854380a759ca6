"""The editor of a program in a real browser: slow and lost answers, several tabs, refusals, and what is kept meanwhile."""

import json
import re

from playwright.sync_api import Browser, Page, Route, expect

from tests.support.browser import IN_A_BROWSER
from tests.support.editorial import created
from tests.support.shared import SharedApi
from tests.support.studio import at, says
from tests.support.studio_browser import entered, kept, press, write

pytestmark = IN_A_BROWSER
SAVED = re.compile("Saved at")
LATE = "AbortSignal.timeout = () => { const c = new AbortController(); setTimeout(() => c.abort(), 50); return c.signal; }"


def program_of(shared: SharedApi, program_id: object) -> dict[str, object]:
    found: dict[str, object] = shared.staff["editor"].get(f"/catalog/programs/{program_id}").json()["data"]
    return found


def held_back(page: Page, address: str, method: str) -> list[Route]:
    """Hold the first request back until somebody lets it go on."""
    held: list[Route] = []

    def hold(route: Route) -> None:
        if route.request.method == method and not held:
            held.append(route)
        else:
            route.continue_()

    page.route(address, hold)
    return held


def offline(page: Page, is_offline: bool) -> None:
    page.context.set_offline(is_offline)


def test_what_is_typed_while_a_save_is_on_its_way_is_saved_too(browser: Browser, shared: SharedApi) -> None:
    program_id = created(shared.staff["editor"], title="Was")["id"]
    visit = entered(browser, shared.listener, "editor", at(program_id))
    page, saving = visit.page, visit.page.locator("#saving")
    held = held_back(page, f"**{at(program_id)}", "POST")
    with page.expect_request(lambda asked: asked.method == "POST"):
        write(page, "title", "First")
    write(page, "title", "Second")
    held[0].continue_()
    expect(page.locator("[name=base]")).to_have_value(re.compile("Second"))
    expect(saving).to_have_text(SAVED)
    assert program_of(shared, program_id)["title"] == "Second"
    assert (kept(page), visit.faults) == (0, [])
    visit.close()


def test_a_request_that_nobody_answers_is_sent_again(browser: Browser, shared: SharedApi) -> None:
    program_id = created(shared.staff["editor"], title="Was")["id"]
    visit = entered(browser, shared.listener, "editor", at(program_id))
    page, saving = visit.page, visit.page.locator("#saving")
    page.evaluate(LATE)
    held = held_back(page, f"**{at(program_id)}", "POST")
    write(page, "title", "At last")
    expect(saving).to_have_text(re.compile("The server does not answer"))
    assert held
    page.evaluate("AbortSignal.timeout = () => new AbortController().signal")
    expect(saving).to_have_text(SAVED)
    assert program_of(shared, program_id)["title"] == "At last"
    visit.close()


def test_a_wrong_field_does_not_take_over_what_somebody_else_wrote(
    browser: Browser, shared: SharedApi
) -> None:
    program_id = created(shared.staff["editor"], title="Was", description="Was")["id"]
    visit = entered(browser, shared.listener, "editor", at(program_id))
    page = visit.page
    shared.staff["reviewer"].patch(f"/catalog/programs/{program_id}", {"description": "Theirs"})
    write(page, "durationSec", "long")
    expect(page.get_by_role("alert")).to_contain_text("Somebody has changed the program")
    write(page, "durationSec", "1:00")
    press(page, "Compare both")
    # The address of a form with two versions is that of the program.
    expect(page.get_by_role("heading", level=1)).to_have_text("Two versions")
    assert program_of(shared, program_id)["description"] == "Theirs"
    visit.close()


def test_a_live_change_under_a_draft_comes_into_the_inputs(browser: Browser, shared: SharedApi) -> None:
    program_id = created(shared.staff["reviewer"], title="Live", description="Live")["id"]
    shared.staff["reviewer"].post(f"/catalog/programs/{program_id}/publish")
    visit = entered(browser, shared.listener, "editor", at(program_id))
    page = visit.page
    write(page, "title", "Waits")
    expect(page.locator("#saving")).to_have_text(SAVED)
    shared.staff["reviewer"].patch(f"/catalog/programs/{program_id}", {"description": "Live again"})
    write(page, "title", "Waits longer")
    expect(page.locator("[name=description]")).to_have_value("Live again")
    write(page, "title", "Waits longest")
    expect(page.locator("[name=base]")).to_have_value(re.compile("longest"))
    changes = shared.staff["editor"].get(f"/catalog/programs/{program_id}/pending").json()["data"]["changes"]
    assert changes == {"title": "Waits longest"}
    visit.close()


def test_the_text_of_every_tab_is_kept_and_offered(browser: Browser, shared: SharedApi) -> None:
    visit = entered(browser, shared.listener, "editor", "/studio/programs/new")
    first = visit.page
    second, third = (first.context.new_page() for _ in range(2))
    second.goto("/studio/programs/new")
    offline(first, True)
    for page, title in ((first, "Of the first tab"), (second, "Of the second tab")):
        write(page, "title", title)
        expect(page.locator("#saving")).to_have_text(re.compile("The server does not answer"))
    assert kept(first) == 2
    offline(first, False)
    # What another tab has open is its own affair.
    expect(first.locator("#saving")).to_have_text(SAVED)
    expect(second.locator("#saving")).to_have_text(SAVED)
    expect(second).to_have_url(re.compile(r"/\d+$"))
    assert kept(first) == 0
    numbers = [page.url.rpartition("/")[2] for page in (first, second)]
    assert [program_of(shared, number)["title"] for number in numbers] == [
        "Of the first tab",
        "Of the second tab",
    ]
    offline(first, True)
    write(first, "title", "Typed before the crash")
    expect(first.locator("#saving")).to_have_text(re.compile("The server does not answer"))
    first.close(run_before_unload=False)
    offline(third, False)
    # Another save has happened: what was typed is older than the page, and yet nobody has seen it.
    third.goto(f"{at(numbers[0])}?done=saved")
    expect(third.get_by_role("alert")).to_contain_text("This browser has text that was not saved")
    expect(third).to_have_url(re.compile(rf"{at(numbers[0])}$"))
    # Typing while the offer stands keeps the other text.
    write(third, "description", "Typed while it is offered")
    expect(third.locator("#saving")).to_have_text(SAVED)
    assert kept(third) == 1
    press(third, "Put it back")
    expect(third.get_by_role("alert")).to_contain_text("Somebody has changed the program")
    expect(third.locator("[name=title]")).to_have_value("Typed before the crash")
    visit.close()


def test_controls_of_a_word_processor_are_taken_out_and_refusals_do_not_end_saving(
    browser: Browser, shared: SharedApi
) -> None:
    program_id = created(shared.staff["editor"], title="Was")["id"]
    visit = entered(browser, shared.listener, "editor", at(program_id))
    page, saving = visit.page, visit.page.locator("#saving")
    page.locator("[name=description]").focus()
    page.keyboard.insert_text("One\x0btwo\x07")
    expect(saving).to_have_text(SAVED)
    expect(page.locator("[name=description]")).to_have_value("One\ntwo")
    assert program_of(shared, program_id)["description"] == "One\ntwo"
    problem = json.dumps({"code": "bad_request", "status": 400})
    page.route(
        f"**{at(program_id)}",
        lambda route: route.fulfill(status=400, content_type="application/problem+json", body=problem),
    )
    write(page, "title", "Refused")
    expect(page.get_by_role("alert")).to_have_text(says("editor_live.failed"))
    assert kept(page) == 1
    page.unroute(f"**{at(program_id)}")
    write(page, "title", "Taken")
    expect(saving).to_have_text(SAVED)
    expect(page.get_by_role("alert")).to_have_count(0)
    assert program_of(shared, program_id)["title"] == "Taken"
    visit.close()


def test_a_series_is_created_when_somebody_presses_save(browser: Browser, shared: SharedApi) -> None:
    program_id = created(shared.staff["editor"], title="Was")["id"]
    visit = entered(browser, shared.listener, "editor", at(program_id))
    page = visit.page
    page.get_by_label("Create the series").or_(page.locator("[name='series.new']")).first.check()
    write(page, "series", "Half")
    expect(page.locator("#seriesId-fault")).to_have_text(says("editor_fault.seriesId_waits"))
    write(page, "series", "Half a title")
    press(page, "Save")
    expect(page.locator("[name=seriesWas]")).to_have_value("Half a title")
    expect(page.locator("[name='series.new']")).not_to_be_checked()
    expect(page.locator("#seriesId-fault")).to_be_hidden()
    found = shared.staff["editor"].get("/catalog/series", q="half").json()["data"]
    assert [row["title"] for row in found] == ["Half a title"]
    assert (kept(page), visit.faults) == (0, [])
    visit.close()
