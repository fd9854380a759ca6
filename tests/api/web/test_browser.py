"""The pages in a real browser: what a listener does, with a keyboard alone, and what no page may do."""

import json
import re

import pytest
from playwright.sync_api import Browser, expect
from redis import Redis
from sqlalchemy import Engine as Database

from catalog.core.db import session_factory
from indexer.jobs.views import apply_pending
from tests.support import demo
from tests.support.beside import give
from tests.support.browser import DESKTOP, IN_A_BROWSER, Visit
from tests.support.client import Client
from tests.support.pages import read
from tests.support.pipeline import Pipeline
from tests.support.programs import make
from tests.support.recordings import part, silence
from tests.support.sites import site
from tests.support.waiting import eventually

pytestmark = IN_A_BROWSER
# A headless browser calls itself so, and views of bots do not count.
_LISTENER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/150.0 Safari/537.36"
# A page of every template.
_TEMPLATES = (
    "",
    "/search?q=coffee",
    "/search?q=zzzzzz",
    "/programs/a-tape",
    "/programs/the-coffee-film",
    "/series/coffee-talks",
    "/categories/society",
    "/nothing/here",
)


def test_a_listener_mistypes_finds_and_plays_with_the_keyboard_alone(
    browser: Browser,
    listener: Client,
    catalogue: dict[str, int],
    database: Database,
    pipeline: Pipeline,
    cache_redis: "Redis",
) -> None:
    with site() as publisher:
        publisher.pages["/a.wav"] = lambda _, headers: part(silence(60), headers.get("range"))
        with session_factory(database).begin() as session:
            program = make(
                session,
                "published",
                title="رحلة إلى القمر",
                language="ar",
                media_url=publisher.url("/a.wav"),
                duration_sec=60,
            )
        demo.count_words(pipeline)
        demo.wait_for_words(listener)
        eventually(lambda: "رحلة إلى القمر" in read(listener, "/ar/search", q="رحله").titles)
        visit = Visit(browser, listener.base, viewport=DESKTOP, locale="ar", user_agent=_LISTENER)
        visit.allow(publisher.url())
        page = visit.page
        page.goto("/")
        expect(page).to_have_url(re.compile("/ar$"))
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="تخطَّ إلى المحتوى")).to_be_focused()
        box = page.get_by_role("combobox")
        box.focus()
        # Two letters are wrong. A fast typist causes few requests, and the last answer stands.
        page.keyboard.type("رحله الي القمز", delay=30)
        # What may have been meant comes first, then the program itself.
        option = page.get_by_role("option", name="رحلة إلى القمر هل تقصد")
        expect(option).to_be_visible()
        expect(page.get_by_role("option", name="رحلة إلى القمر برنامج")).to_be_visible()
        assert len([address for address in visit.asked if "/suggest" in address]) < 3
        page.keyboard.press("ArrowDown")
        expect(option).to_have_attribute("aria-selected", "true")
        expect(box).to_have_attribute("aria-activedescendant", "offer-1")
        page.keyboard.press("Escape")
        expect(box).to_have_attribute("aria-expanded", "false")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("نتائج «رحله الي القمز»")
        expect(box).to_have_value("رحله الي القمز")
        page.get_by_role("link", name="رحلة إلى القمر", exact=True).focus()
        with page.expect_request("**/discovery/events") as opened:
            page.keyboard.press("Enter")
        (event,) = json.loads(opened.value.post_data or "")["events"]
        assert {"type": "click", "query": "رحله الي القمز", "position": 1}.items() <= event.items()
        play = page.locator("[data-media] button")
        expect(play).to_have_text("استمع الآن")
        play.focus()
        with page.expect_request("**/views", timeout=60_000) as counted:
            page.keyboard.press("Enter")
            # The player stays, and plays on, while the page changes.
            expect(page.locator("#deck")).to_be_visible()
            expect(play).to_have_text("أوقف مؤقتًا")
            page.get_by_role("link", name="ثمانية").first.focus()
            page.keyboard.press("Enter")
            expect(page.get_by_role("heading", level=1)).to_have_text("حكايات تُسمع وتُشاهد")
            expect(page.locator("#deck [data-do=toggle]")).to_have_attribute("aria-label", "أوقف مؤقتًا")
        assert counted.value.url.endswith(f"/discovery/programs/{program.id}/views")
        assert float(page.evaluate("document.querySelector('#deck audio').currentTime")) >= 10
        page.locator("#deck [data-do=forward]").focus()
        page.keyboard.press("Enter")
        page.locator("#deck [data-do=close]").focus()
        page.keyboard.press("Enter")
        expect(page.locator("#deck")).to_be_hidden()
        # The next visit begins where this one ended.
        page.goto(f"/ar/programs/{program.slug}")
        expect(play).to_have_text(re.compile("^أكمل من ٠:[٤٥]"))
        assert visit.faults == []
        visit.close()
        prefix = pipeline.settings.indexer.redis_prefix
        eventually(lambda: apply_pending(cache_redis, prefix, database) == 1, what="the view is counted")


def test_a_chapter_is_played_without_loading_the_page_and_is_marked(
    browser: Browser, listener: Client, catalogue: dict[str, int], database: Database
) -> None:
    transcript = {"url": "https://cdn.example/t.vtt", "type": "text/vtt", "language": "ar"}
    with site() as publisher:
        publisher.pages["/a.wav"] = lambda _, headers: part(silence(60), headers.get("range"))
        with session_factory(database).begin() as session:
            tape = make(session, "published", title="A tape", media_url=publisher.url("/a.wav"))
            give(session, tape.id, (0, "Intro"), (20, "Middle"), (40, "End"), transcripts=[transcript])
        visit = Visit(browser, listener.base, viewport=DESKTOP)
        page = visit.page
        page.goto("/en/programs/a-tape")
        page.evaluate("window.stayed = true")
        middle, end = page.get_by_role("link", name="Middle"), page.get_by_role("link", name="End")
        expect(middle).to_have_attribute("href", "/en/programs/a-tape#t=20")
        middle.focus()
        page.keyboard.press("Enter")
        expect(middle).to_have_attribute("aria-current", "true")
        end.click()
        expect(end).to_have_attribute("aria-current", "true")
        expect(page.locator("[aria-current=true][data-at]")).to_have_count(1)
        assert float(page.evaluate("document.querySelector('#deck audio').currentTime")) >= 40
        assert page.evaluate("window.stayed") is True
        expect(page).to_have_url(re.compile("/en/programs/a-tape$"))
        assert visit.closed_to_anybody() == []
        page.locator("#deck [data-do=close]").click()
        expect(page.locator("[aria-current=true][data-at]")).to_have_count(0)
        visit.faults = [fault for fault in visit.faults if publisher.url() not in fault]
        assert visit.faults == []
        visit.close()


def test_a_list_grows_and_the_way_back_leads_to_the_same_place(
    browser: Browser, listener: Client, catalogue: dict[str, int], database: Database
) -> None:
    with session_factory(database).begin() as session:
        for n in range(60):
            make(session, "published", title=f"Tape {n:02}", duration_sec=60 * n)
    eventually(lambda: "60 results" in read(listener, "/en/search", q="tape").texts("p", class_="count"))
    visit = Visit(browser, listener.base, viewport=DESKTOP)
    page = visit.page
    page.goto("/en/search?q=tape&sort=longest")
    rows = page.locator("#list > li.row")
    expect(rows).to_have_count(24)
    page.locator("#following").scroll_into_view_if_needed()
    expect(rows).to_have_count(48)
    page.locator("#following").scroll_into_view_if_needed()
    expect(rows).to_have_count(60)
    tape = page.get_by_role("link", name="Tape 05", exact=True)
    tape.scroll_into_view_if_needed()
    before = page.evaluate("scrollY")
    assert before > 1000
    tape.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Tape 05")
    assert page.evaluate("document.activeElement.id") == "content"
    page.go_back()
    expect(rows).to_have_count(60)
    eventually(lambda: abs(page.evaluate("scrollY") - before) < 5, what="the scroll position")
    # A choice keeps the place and the focus.
    page.locator("#group-duration").scroll_into_view_if_needed()
    page.get_by_role("link", name="20 minutes to an hour").click()
    expect(page).to_have_url(re.compile("durationMin=1200&durationMax=3600"))
    expect(page.locator(".facets [aria-current]")).to_have_count(1)
    assert page.evaluate("document.activeElement.textContent").strip() == "20 minutes to an hour"
    assert visit.faults == []
    visit.close()


@pytest.mark.parametrize("language", ["ar", "en"])
def test_no_page_is_closed_to_anybody(
    language: str, browser: Browser, listener: Client, catalogue: dict[str, int], database: Database
) -> None:
    with session_factory(database).begin() as session:
        make(session, "published", title="A tape", media_url="http://127.0.0.1:1/a.mp3", tags=["coffee"])
    eventually(lambda: "A tape" in read(listener, "/en/search", q="tape").titles)
    visit = Visit(browser, listener.base, viewport=DESKTOP, reduced_motion="reduce")
    page = visit.page
    for path in _TEMPLATES:
        page.emulate_media(color_scheme="light")
        page.set_viewport_size(DESKTOP)
        page.goto(f"/{language}{path}")
        if path == "/programs/a-tape":
            page.locator("[data-media] button").click()
            expect(page.locator("#deck")).to_be_visible()
        assert visit.closed_to_anybody() == [], path
    page.goto(f"/{language}")
    page.get_by_role("combobox").fill("cof")
    expect(page.get_by_role("listbox")).to_be_visible()
    assert visit.violations() == []
    visit.faults = [fault for fault in visit.faults if "127.0.0.1:1/" not in fault]
    assert visit.faults == []
    visit.close()


def test_a_page_of_results_is_small(browser: Browser, listener: Client, catalogue: dict[str, int]) -> None:
    visit = Visit(browser, listener.base)
    sizes: dict[str, int] = {}
    devtools = visit.page.context.new_cdp_session(visit.page)
    devtools.send("Network.enable")
    names: dict[str, str] = {}
    devtools.on("Network.responseReceived", lambda e: names.update({e["requestId"]: e["response"]["url"]}))
    devtools.on(
        "Network.loadingFinished",
        lambda e: sizes.update({names.get(e["requestId"], ""): e["encodedDataLength"]}),
    )
    visit.page.goto("/ar/search?q=coffee", wait_until="networkidle")
    assert sum(sizes.values()) <= 100_000, sizes
    assert sum(size for name, size in sizes.items() if name.endswith(".js")) <= 60_000, sizes
    visit.close()
