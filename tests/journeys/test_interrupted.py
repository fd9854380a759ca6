"""An editor writes while the server is killed: in a real browser, over real connections, with nothing lost."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.support.browser import IN_A_BROWSER, browsing
from tests.support.client import Client
from tests.support.running import RunningProduct
from tests.support.studio_browser import entered, kept, press
from tests.support.waiting import eventually

pytestmark = IN_A_BROWSER

TITLE = "منارات البلدة القديمة"
FIRST, SECOND, THIRD = "كُتب قبل الانقطاع. ", "كُتب والخادم لا يجيب. ", "وكُتب بعد أن عاد."


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for the tests of this module."""
    with browsing() as running:
        yield running


def description_of(api: Client, path: str) -> str | None:
    """Return what the server has of the text."""
    found: str | None = api.get(path).json()["data"]["description"]
    return found


def test_an_editor_is_interrupted_by_a_killed_server_and_loses_nothing(
    product: RunningProduct, browser: Browser
) -> None:
    api = product.sign_in("reviewer", 1)
    visit = entered(browser, product.listener(0), "reviewer", "/studio/programs/new")
    page, saving = visit.page, visit.page.locator("#saving")
    page.locator("[name=title]").focus()
    page.keyboard.type(TITLE)
    expect(page).to_have_url(re.compile(r"/studio/programs/\d+$"))
    number = int(page.url.rpartition("/")[2])
    path = f"/catalog/programs/{number}"
    description = page.locator("[name=description]")
    description.focus()
    page.keyboard.type(FIRST)
    eventually(lambda: (description_of(api, path) or "").strip() == FIRST.strip(), what="the first words")
    page.keyboard.type(SECOND[:8])
    product.kill()
    page.keyboard.type(SECOND[8:])
    expect(saving).to_have_text(re.compile("The server does not answer"))
    # The text is on the page, and kept by the browser should the page go, too.
    expect(description).to_have_value(FIRST + SECOND)
    assert kept(page) == 1
    product.start_again()
    expect(saving).to_have_text(re.compile("Saved at"))
    page.keyboard.type(THIRD)
    eventually(lambda: description_of(api, path) == FIRST + SECOND + THIRD, what="all of the words")
    expect(saving).to_have_text(re.compile("Saved at"))
    assert kept(page) == 0
    revisions = api.get(f"{path}/revisions").json()["data"]
    assert [row["action"] for row in revisions] == ["autosave", "create"]
    press(page, "Publish")
    press(page, "Yes, do it")
    expect(page.get_by_text("Published.", exact=True)).to_be_visible()
    expect(page.locator("#found")).to_have_text(re.compile(r"Searchable after \d+\.\d seconds\."))
    revisions = api.get(f"{path}/revisions").json()["data"]
    assert [row["action"] for row in revisions] == ["publish", "autosave", "create"]
    for n in (0, 1):
        found = product.listener(n).get("/discovery/search", q="منارات البلده القديمه").json()["data"]
        assert [row["id"] for row in found] == [number]
        shown = product.listener(n).get(f"/discovery/programs/{number}").json()["data"]
        assert (shown["title"], shown["description"]) == (TITLE, FIRST + SECOND + THIRD)
    assert [fault for fault in visit.faults if "ERR_CONNECTION_REFUSED" not in fault] == []
    visit.close()
