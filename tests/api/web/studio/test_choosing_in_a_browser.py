"""Items of a dry run are chosen across pages in a real browser: with the keyboard alone, and closed to nobody."""

import re

import pytest
from playwright.sync_api import Browser, expect

from tests.support.browser import DESKTOP, IN_A_BROWSER
from tests.support.import_requests import carry_out, upload
from tests.support.shared import SharedApi
from tests.support.studio_browser import entered

pytestmark = IN_A_BROWSER

HEAD = "externalId,title,language,mediaType\n"


@pytest.mark.parametrize("language", ["ar", "en"])
def test_items_are_chosen_on_two_pages_and_imported(
    language: str, browser: Browser, shared: SharedApi
) -> None:
    file = HEAD + "".join(f"{language}-{n},Episode {n},{language},audio\n" for n in range(1, 61))
    run_id = upload(shared.staff["editor"], file, dryRun="true")["id"]
    carry_out(shared.database, run_id)
    visit = entered(browser, shared.listener, "editor", "/studio/programs/new", language)
    page = visit.page
    page.goto(f"/studio/imports/{run_id}")
    count = page.locator("#chosen output")
    expect(count).to_have_text("٠" if language == "ar" else "0")
    for number in (3, 7):
        page.locator(f"[name=item-{number}]").focus()
        page.keyboard.press("Space")
    expect(count).to_have_text("٢" if language == "ar" else "2")
    assert visit.closed_to_anybody() == []
    page.set_viewport_size(DESKTOP)
    page.locator(".following button").focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("after=50.*#items$"))
    page.locator("[name=item-60]").focus()
    page.keyboard.press("Space")
    expect(count).to_have_text("٣" if language == "ar" else "3")
    page.locator("button[name=what][value=chosen]").focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/studio/imports/\d+$"))
    expect(page.locator("#run")).to_be_visible()
    real = int(page.url.rpartition("/")[2])
    assert real != run_id
    carry_out(shared.database, real)
    items = shared.staff["editor"].get(f"/catalog/imports/{real}/items").json()["data"]
    assert [item["position"] for item in items] == [3, 7, 60]
    assert visit.faults == []
    visit.close()
