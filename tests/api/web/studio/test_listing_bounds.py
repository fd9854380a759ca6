"""What the studio's lists take at most, and whose time zone they read days in."""

from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest
from litestar.datastructures import MultiDict

from api.http.query import QueryString
from api.web.listener.reading import right
from api.web.signin.forms import MOST_FIELDS
from api.web.studio.listing import address, steps
from catalog.programs.listing.saved import MAX_QUERY
from catalog.programs.rules import MAX_PEOPLE
from tests.support.client import Client
from tests.support.pages import Page, read, text_of
from tests.support.shared import SharedApi
from tests.support.staff import send, signed_in_at_pages, token_of
from tests.support.studio_bulk import DO, asked, done, made, now

LIST = "/studio/programs"


@pytest.fixture(scope="module")
def reviewer(shared: SharedApi) -> Client:
    """A reviewer at the pages."""
    return signed_in_at_pages(shared.listener, "reviewer")


def in_london(shared: SharedApi) -> Client:
    """A reviewer whose browser remembers a zone."""
    browser = signed_in_at_pages(shared.listener, "reviewer")
    browser.get("/studio/calendar", tz="Europe/London")
    return browser


def form_of(page: Page) -> dict[str, str]:
    """What the form below a list sends besides the boxes."""
    form = page.one("form", id="bulk")
    return {str(f.get("name")): f.get("value") or "" for f in page.within(form, "input")}


@pytest.mark.parametrize(
    ("query", "hour"), [("", 10), ("?tz=Asia/Dubai", 6), ("?tz=Asia/Riyadh", 7), ("?tz=UTC", 10)]
)
def test_a_step_reads_times_in_the_zone_of_the_list_or_of_the_browser(
    query: str, hour: int, shared: SharedApi
) -> None:
    browser, ids = in_london(shared), made(shared, "draft")
    page = asked(browser, "schedule", ids, **form_of(read(browser, LIST + query)))
    form = page.one("form", action=DO)
    zones = page.within(form, "select", name="tz")[0]
    (zone,) = [o for o in page.within(zones, "option") if o.get("selected") is not None]
    fields = {str(f.get("name")): f.get("value") or "" for f in page.within(form, "input")}
    answer = send(browser, DO, **fields | {"at": "2090-01-01T10:00", "tz": text_of(zone)})
    assert answer.status_code == 200
    (program,) = now(shared, ids)
    assert datetime.fromisoformat(str(program["scheduledPublishAt"])) == datetime(
        2090, 1, 1, hour, tzinfo=UTC
    )


def test_a_form_without_a_zone_means_that_of_the_browser(shared: SharedApi) -> None:
    browser, ids = in_london(shared), made(shared, "draft")
    token = token_of(read(browser, LIST))
    send(browser, DO, token=token, step="schedule", id=ids[0], at="2090-07-01T10:00")
    (program,) = now(shared, ids)
    assert datetime.fromisoformat(str(program["scheduledPublishAt"])) == datetime(2090, 7, 1, 9, tzinfo=UTC)


def test_a_list_has_the_days_of_the_zone_that_the_browser_remembers(shared: SharedApi) -> None:
    ids = made(shared, "draft", title="Half past ten in the evening")
    done(in_london(shared), "schedule", ids, at="2091-05-05T22:30", tz="Europe/London")
    query = "?scheduledAfter=2091-05-05&scheduledBefore=2091-05-05"
    page = read(in_london(shared), LIST + query)
    assert page.texts("a", class_="title") == ["Half past ten in the evening"]
    riyadh = signed_in_at_pages(shared.listener, "reviewer")
    assert read(riyadh, LIST + query).texts("a", class_="title") == []
    # What is saved says in which zone it was meant, and is read in it everywhere.
    form = page.one("form", class_="keep")
    fields = {str(f.get("name")): f.get("value") or "" for f in page.within(form, "input")}
    browser = in_london(shared)
    fields |= {"token": token_of(read(browser, LIST)), "name": "In London"}
    assert send(browser, "/studio/filters", **fields).status_code == 303
    links = {text_of(a): a.get("href") or "" for a in read(riyadh, LIST).all("a")}
    assert read(riyadh, links["In London"]).texts("a", class_="title") == ["Half past ten in the evening"]


def test_a_form_has_room_for_every_program_of_a_step(shared: SharedApi, reviewer: Client) -> None:
    assert min(MOST_FIELDS - steps.MOST, MOST_FIELDS - 2 * MAX_PEOPLE) >= 100
    (one,) = made(shared, "draft")
    ids = [one, *(f"{900_000 + n}:1" for n in range(steps.MOST - 1))]
    page = done(reviewer, "tag", ids, tags="many")
    assert page.texts("p", role="status") == ["It worked with 1 program."]


@pytest.mark.parametrize("field", ["a" * 50_000, "&".join(f"u{n}=1" for n in range(4_000))])
def test_a_list_that_is_longer_than_any_is_refused(field: str, reviewer: Client) -> None:
    token = token_of(read(reviewer, LIST))
    for path in (DO, "/studio/filters"):
        answer = send(reviewer, path, token=token, step="archive", id="1:1", name="x", list=field)
        assert Page(answer).status == 400, path


def test_unknown_parameters_are_left_out_in_one_step() -> None:
    """Each step reads all parameters again: one for each name would be as many readings as names."""
    sent, readings = MultiDict([("q", "a"), *((f"u{n}", "1") for n in range(4_000))]), []

    def parse(parameters: MultiDict[str]) -> None:
        readings.append(len(parameters))
        QueryString(parameters, {"q"})

    assert right(sent, parse) == [("q", "a")]
    assert len(readings) == 2


@pytest.mark.parametrize("path", ["/en/search", "/studio/programs"])
def test_an_address_of_unknown_names_leads_to_the_page_without_them(
    path: str, shared: SharedApi, reviewer: Client
) -> None:
    query = "&".join(f"{'x' * (n % 150)}{n}=1" for n in range(30))
    answer = reviewer.ask("GET", f"{path}?q=a&{query}")
    assert (answer.status_code, answer.headers.get("location", "")) in ((302, "/en/search?q=a"), (200, ""))


@pytest.mark.parametrize("text", [" " * 20_000, ("a" + " " * 200 + ",") * 100, "\\" * 20_000, "a\\," * 9_000])
def test_names_are_read_in_one_pass(text: str) -> None:
    parts = list(address.NAME.finditer(text))
    assert sum(len(part[0]) for part in parts) <= len(text)
    assert all(part[0] for part in parts)


def test_a_text_of_names_that_is_longer_than_any_is_left_out(shared: SharedApi, reviewer: Client) -> None:
    page = Page(reviewer.ask("GET", LIST, params={"tag": " " * 6_000 + "a", "limit": "1"}))
    assert "tag" in " ".join(page.texts("p", class_="refusal"))
    token, (one,) = token_of(page), made(shared, "draft")
    answer = send(reviewer, DO, token=token, step="tag", id=one, tags=" " * 20_000 + "a")
    assert Page(answer).status == 422


@pytest.mark.parametrize(
    "names", [["a\\"], ["a\\", "b"], ["\\"], ["a,b", "c، d", "\\,"], ["C:\\dir", "\\\\"], ["a\\،b", " ، "]]
)
def test_names_stay_as_they_are_between_commas(names: list[str]) -> None:
    assert address.names(address.typed(names)) == [name.strip() for name in names]


def test_a_saved_filter_has_room_for_the_most_values_of_every_filter(
    shared: SharedApi, reviewer: Client
) -> None:
    words = [f"{n:02}" + "ق" * 118 for n in range(20)]
    ids = [str(2**53 - n) for n in range(20)]
    token = token_of(read(reviewer, LIST))
    query = {"tag": words, "person": words, "categoryId": ids, "seriesId": ids, "title": "ق" * 120}
    pairs = [(k, v) for k, vs in query.items() for v in ([vs] if isinstance(vs, str) else vs)]
    sent = urlencode([*pairs, ("q", "ق" * 512), ("createdAfter", "2026-01-01")])
    assert len(sent) < MAX_QUERY
    answer = send(reviewer, "/studio/filters", token=token, name="Everything", list=sent)
    assert answer.status_code == 303, answer.text[:2000]
    page = read(reviewer, LIST)
    links = {text_of(a): a.get("href") or "" for a in page.all("a")}
    assert Page(reviewer.ask("GET", links["Everything"])).status == 200
    longer = urlencode([("tag" if n < 20 else "person", f"{n:02}" + "😀" * 118) for n in range(29)])
    page = Page(send(reviewer, "/studio/filters", token=token, name="Too long", list=longer))
    assert (page.status, page.texts("p", role="alert")) == (
        422,
        ["This filter is too long to be saved: take some of it away."],
    )
