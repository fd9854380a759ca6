"""The link to the other language: it leads to the same page, whatever its address has, and after a form to a page."""

import pytest

from tests.support.client import Client
from tests.support.pages import Page, read
from tests.support.shared import SharedApi
from tests.support.staff import send, signed_in_at_pages, token_of
from tests.support.studio_bulk import DO, asked, made, yes

LIST = "/studio/programs"


@pytest.fixture(scope="module")
def reviewer(shared: SharedApi) -> Client:
    """A reviewer at the pages."""
    return signed_in_at_pages(shared.listener, "reviewer")


def other_language(browser: Client, page: Page) -> tuple[str, Page]:
    """Follow the link to the other language, and back to English; return where it led, and that page in English."""
    (link,) = [a for a in page.all("a", lang="ar") if a.get("hreflang")]
    answer = browser.ask("GET", link.get("href") or "")
    assert answer.status_code == 303
    browser.get("/language/en")
    place = answer.headers["location"]
    found = browser.ask("GET", place)
    while found.status_code in (302, 303):
        found = browser.ask("GET", found.headers["location"])
    return place, Page(found)


@pytest.mark.parametrize(
    "path",
    [
        f"{LIST}?status=draft&tag=a%5C%2Cb&title=%D9%82",
        "/studio/trash?sort=title",
        "/studio/calendar?view=week&day=2090-03-12",
        f"{DO}?step=archive&id=1:1&id=2:1&list=status%3Ddraft",
        f"{LIST}?title=a%20b+c&q=100%25",
    ],
)
def test_the_same_page_with_its_query_is_shown_in_the_other_language(path: str, reviewer: Client) -> None:
    place, page = other_language(reviewer, Page(reviewer.ask("GET", path)))
    assert (place, page.status) == (path, 200)


def test_a_backslash_that_a_browser_sends_as_it_is_leads_nowhere_else(reviewer: Client) -> None:
    page = Page(reviewer.ask("GET", f"{LIST}?tag=a\\,b"))
    assert other_language(reviewer, page)[0] == f"{LIST}?tag=a%5C,b"


def test_an_address_longer_than_a_link_leads_to_its_page(reviewer: Client) -> None:
    query = "&".join(f"tag={n:02}{'a' * 100}&person={n:02}{'%D9%82' * 70}" for n in range(20))
    assert other_language(reviewer, Page(reviewer.ask("GET", f"{LIST}?{query}")))[0] == LIST


def test_after_a_step_the_link_leads_to_the_list_or_to_the_question(
    shared: SharedApi, reviewer: Client
) -> None:
    ids = made(shared, "draft")
    page = Page(yes(reviewer, asked(reviewer, "tag", ids, list="status=draft"), tags=","))
    assert page.status == 422
    place, question = other_language(reviewer, page)
    assert place.startswith(f"{DO}?step=tag&id=")
    assert question.status == 200
    assert [field.get("value") for field in question.all("input", name="id")] == ids
    assert question.one("input", name="list").get("value") == "status=draft"
    outcome = Page(yes(reviewer, asked(reviewer, "tag", ids, list="status=draft"), tags="a"))
    assert other_language(reviewer, outcome)[0] == f"{LIST}?status=draft"


def test_after_a_name_that_is_refused_the_link_leads_to_the_list(reviewer: Client) -> None:
    token = token_of(read(reviewer, LIST))
    page = Page(send(reviewer, "/studio/filters", token=token, name=" ", list="status=draft"))
    place, found = other_language(reviewer, page)
    assert (page.status, place, found.status) == (422, f"{LIST}?status=draft", 200)


@pytest.mark.parametrize(
    ("path", "sent", "leads"),
    [
        ("{at}/comments", {"body": ""}, "{at}"),
        ("{at}/merge", {"mine": "x"}, "{at}"),
        ("{at}/disputed", {}, "{at}"),
        ("{at}/do/schedule", {"at": "x"}, "{at}/do/schedule"),
        ("{at}/do/nothing", {}, "{at}/do/nothing"),
        ("{at}", {"title": ""}, "{at}"),
        (DO, {"step": "explode"}, LIST),
        ("/studio/filters", {"token": "old"}, LIST),
        ("/studio/names/tags/999/rename", {"name": "x"}, "/studio/names/tags/999"),
        ("/studio/imports/address", {"url": "x"}, "/studio/imports"),
        ("/ops/board/do/retry", {"token": "old"}, "/ops/board"),
    ],
)
def test_after_a_form_that_is_refused_the_link_leads_to_a_page(
    path: str, sent: dict[str, str], leads: str, shared: SharedApi
) -> None:
    browser = signed_in_at_pages(shared.listener, "admin")
    at = f"{LIST}/{made(shared, 'draft')[0].partition(':')[0]}"
    form = {"token": token_of(read(browser, LIST))} | sent
    answer = send(browser, path.format(at=at), **form)
    assert answer.status_code >= 400, answer.headers
    (link,) = [a for a in Page(answer).all("a", lang="ar") if a.get("hreflang")]
    place = browser.ask("GET", link.get("href") or "").headers["location"]
    assert place == leads.format(at=at)
    assert browser.ask("GET", place).status_code != 405
