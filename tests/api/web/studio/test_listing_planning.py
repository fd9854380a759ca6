"""The review inbox and the calendar of editors, without a browser."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import text

from api.web.rendering.locales import texts
from catalog.core.actor import Actor
from catalog.core.db import session_factory
from catalog.core.fields import camel
from catalog.programs import lifecycle, pending, rules
from catalog.review import comments
from catalog.review import pending as review
from catalog.taxonomy import categories, series
from catalog.taxonomy.pending import SERIES
from tests.support.client import Client
from tests.support.pages import Page, read, text_of
from tests.support.programs import EDITOR, make
from tests.support.shared import SharedApi
from tests.support.staff import signed_in_at_pages, visitor

OTHER = Actor("account", 2, "other@example.com", "req-2")
PAGES = ("/studio/review", "/studio/calendar")


@pytest.fixture(scope="module")
def found(shared: SharedApi) -> dict[str, int]:
    """What waits for a decision, in another order than that of ids, and what happens by itself in March 2090."""
    riyadh = "2090-03-{:02} 20:59:59+00"
    with session_factory(shared.database).begin() as session:
        ids = {name: make(session, title=name).id for name in ("Second", "First")}
        live = make(session, "published", title="Third")
        pending.propose(session, live.id, {"title": "Third, changed"}, OTHER)
        review.submit(session, pending.PROGRAMS, live.id, OTHER)
        comments.begin(session, live.id, "Why?", OTHER, comments.About(live.rev))
        show = series.create(session, {"title": "Fourth", "language": "en"}, EDITOR)
        review.propose(session, SERIES, show.id, {"title": "Fourth, changed"}, EDITOR)
        review.submit(session, SERIES, show.id, EDITOR)
        for days, name in ((3, "First"), (2, "Second")):
            lifecycle.transition(session, ids[name], "submit", EDITOR)
            session.execute(
                text(
                    "UPDATE program_revisions SET at = now() - make_interval(days => :d) WHERE program_id = :id"
                ),
                {"d": days, "id": ids[name]},
            )
        session.execute(
            text(
                "UPDATE pending_revisions SET updated_at = now() - interval '1 day' WHERE entity = 'program'"
            )
        )
        back = make(session, "in_review", title="Given back")
        lifecycle.transition(session, back.id, "reject", OTHER, comment="Too short.")
        for name, day in (("Late in the evening", 9), ("Late, the day after", 10)):
            at = datetime.fromisoformat(riyadh.format(day)) + timedelta(seconds=day == 10)
            ids[name] = make(session, title=name).id
            lifecycle.transition(session, ids[name], "schedule", EDITOR, at=at)
        ends = datetime(2090, 3, 10, 6, tzinfo=UTC)
        ids["Ends"] = make(session, "published", title="Ends", expire_at=ends).id
        make(session, "archived", title="Ended", expire_at=ends)
        ids |= {"Third": live.id, "Given back": back.id}
    return ids


@pytest.fixture(scope="module")
def editor(shared: SharedApi, found: dict[str, int]) -> Client:
    """An editor at the pages."""
    return signed_in_at_pages(shared.listener, "editor")


@pytest.mark.parametrize("path", PAGES)
def test_the_pages_are_for_editors(path: str, shared: SharedApi) -> None:
    assert visitor(shared.listener).get(path).headers["location"].startswith("/sign-in?next=")
    for role, status in (("ops", 403), ("editor", 200), ("reviewer", 200), ("admin", 200)):
        assert Page(signed_in_at_pages(shared.listener, role).get(path)).status == status, role


@pytest.mark.slow
@pytest.mark.parametrize("language", ["ar", "en"])
def test_the_pages_are_valid_html_in_their_language(
    language: str, shared: SharedApi, found: dict[str, int]
) -> None:
    for role in ("editor", "reviewer"):
        browser = signed_in_at_pages(shared.listener, role)
        browser.get(f"/language/{language}")
        for path in (*PAGES, "/studio/calendar?day=2090-03-15", "/studio/calendar?view=week&day=2090-03-09"):
            page = read(browser, path)
            assert (page.status, page.root.get("lang")) == (200, language), path
            ids = [element.get("id") for element in page.root.iter() if element.get("id")]
            assert len(ids) == len(set(ids)), path
            assert not [e for e in page.root.iter() if e.get("style")]
            assert len(page.all("h1")) == 1, path


def test_every_field_that_may_wait_has_words() -> None:
    fields = {camel(name) for name in (*rules.FIELDS, *series.FIELDS, *categories.FIELDS)}
    assert {f"inbox_field.{name}" for name in fields} == {
        n for n in texts("ar") if n.startswith("inbox_field.")
    }


def section(page: Page, heading: str) -> list[str]:
    """The rows of a part of the inbox."""
    for found in page.all("section"):
        if heading in [text_of(h) for h in page.within(found, "h2")]:
            return [text_of(row) for row in page.within(found, "li")]
    return []


def test_what_waits_longest_comes_first(shared: SharedApi, found: dict[str, int]) -> None:
    page = read(signed_in_at_pages(shared.listener, "reviewer"), "/studio/review")
    queue = section(page, "Waiting for a decision")
    assert [row.partition(" ")[0] for row in queue] == ["First", "Second", "Third", "Fourth"]
    assert "A program" in queue[0]
    assert "For 3 days" in queue[0]
    assert "editor@example.com" in queue[0]
    assert all(
        words in queue[2]
        for words in ("A change of a program", "title", "1 open comment", "other@example.com")
    )
    assert "A change of a series" in queue[3]
    assert page.all("a", href=f"/studio/programs/{found['First']}")
    assert section(page, "Your submissions") == []


def test_editors_see_where_their_submissions_are(editor: Client) -> None:
    page = read(editor, "/studio/review")
    own = section(page, "Your submissions")
    assert [row.partition(" ")[0] for row in own] == ["First", "Second", "Fourth"]
    assert "place 2 of 4" in own[1]
    (back,) = section(page, "Back with you")
    assert back.startswith("Given back")
    assert "1 open comment" in back
    assert "Reviewers decide" in " ".join(page.texts("p", class_="total"))


def test_an_address_of_the_inbox_has_no_parameters(editor: Client) -> None:
    assert editor.get("/studio/review", page="2").headers["location"] == "/studio/review"


def test_the_api_says_who_submitted_and_how_many_comments_are_open(
    shared: SharedApi, found: dict[str, int]
) -> None:
    reviewer = shared.staff["reviewer"]
    rows = {row["id"]: row for row in reviewer.get("/catalog/programs", limit=100).json()["data"]}
    assert rows[found["First"]]["submittedBy"] == "account:editor@example.com"
    at = datetime.fromisoformat(rows[found["First"]]["submittedAt"])
    assert timedelta(days=2) < datetime.now(UTC) - at < timedelta(days=4)
    assert (rows[found["Given back"]]["submittedBy"], rows[found["Given back"]]["submittedAt"]) == (
        None,
        None,
    )
    waiting = {row["title"]: row for row in reviewer.get("/catalog/pending").json()["data"]}
    assert (waiting["Third"]["openThreads"], waiting["Fourth"]["openThreads"]) == (1, 0)


def days(page: Page) -> dict[str, list[str]]:
    """The days of a calendar that have events, each with them."""
    found = {}
    for day in page.all("li", class_="day"):
        events = [text_of(event) for event in page.within(day, "li", class_="event")]
        if events:
            found[page.within(day, "time")[0].get("datetime") or ""] = events
    return found


def test_the_calendar_has_what_happens_by_itself_in_the_time_zone(editor: Client) -> None:
    march = days(read(editor, "/studio/calendar?day=2090-03-20"))
    assert march == {
        "2090-03-09": ["23:59 is published Late in the evening"],
        "2090-03-10": ["09:00 expires Ends"],
        "2090-03-11": ["00:00 is published Late, the day after"],
    }
    london = days(read(editor, "/studio/calendar?day=2090-03-20&tz=Europe/London"))
    assert london["2090-03-10"] == ["06:00 expires Ends", "21:00 is published Late, the day after"]
    # The browser remembers the zone until it is told another one.
    assert days(read(editor, "/studio/calendar?day=2090-03-20")) == london
    assert days(read(editor, "/studio/calendar?day=2090-03-20&tz=Asia/Riyadh")) == march
    assert days(read(editor, "/studio/calendar?day=2090-04-01")) == {}


def test_months_and_weeks_lead_to_those_beside_them(shared: SharedApi, found: dict[str, int]) -> None:
    browser = signed_in_at_pages(shared.listener, "editor")
    page = read(browser, "/studio/calendar?day=2090-03-20")
    assert [len(page.all("li", class_="day")), page.texts("h2")] == [31, ["March 2090"]]
    assert page.one("a", rel="prev").get("href") == "/studio/calendar?day=2090-02-28"
    assert page.one("a", rel="next").get("href") == "/studio/calendar?day=2090-04-01"
    first = page.all("li", class_="day")[0]
    # 1 March 2090 is a Wednesday.
    assert "in-3" in (first.get("class") or "")
    week = read(browser, "/studio/calendar?view=week&day=2090-03-12")
    shown = [week.within(day, "time")[0].get("datetime") for day in week.all("li", class_="day")]
    assert (shown[0], shown[6], len(shown)) == ("2090-03-06", "2090-03-12", 7)
    assert week.one("a", rel="next").get("href") == "/studio/calendar?view=week&day=2090-03-13"
    browser.get("/language/ar")
    week = read(browser, "/studio/calendar?view=week&day=2090-03-12")
    # In Saudi Arabia a week begins on Sunday.
    assert week.within(week.all("li", class_="day")[0], "time")[0].get("datetime") == "2090-03-12"


def test_today_is_marked(editor: Client) -> None:
    page = read(editor, "/studio/calendar?tz=UTC")
    (today,) = [day for day in page.all("li", class_="day") if day.get("aria-current") == "date"]
    shown = date.fromisoformat(page.within(today, "time")[0].get("datetime") or "")
    assert abs(shown - datetime.now(UTC).date()) <= timedelta(days=1)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("view=year&day=2090-03-01", "?day=2090-03-01"),
        ("day=tomorrow", ""),
        ("day=2090-02-30&view=week", "?view=week"),
        ("day=0001-01-01", ""),
        ("day=9999-12-31", ""),
        ("tz=Nowhere&day=2090-03-01", "?day=2090-03-01"),
        ("unheard=1&view=week", "?view=week"),
        ("day=&tz=UTC", "?tz=UTC"),
        ("day=2090-03-01&day=2090-03-02", ""),
    ],
)
def test_a_wrong_parameter_leads_to_the_calendar_without_it(sent: str, kept: str, editor: Client) -> None:
    answer = editor.ask("GET", f"/studio/calendar?{sent}")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/studio/calendar{kept}")


def test_no_link_leads_beyond_the_ends_of_the_calendar(editor: Client) -> None:
    for view in ("month", "week"):
        for day, there, missing in (("1900-01-01", "next", "prev"), ("2999-12-31", "prev", "next")):
            page = Page(editor.get("/studio/calendar", day=day, view=view))
            (link,) = page.all("a", rel=there)
            assert page.all("a", rel=missing) == []
            # No redirect to the present day.
            assert editor.ask("GET", link.get("href") or "").status_code == 200
    week = Page(editor.get("/studio/calendar", day="1900-01-09", view="week"))
    assert editor.ask("GET", week.one("a", rel="prev").get("href") or "").status_code == 200


def test_what_a_calendar_cannot_show_is_in_a_week_or_in_the_list(editor: Client, shared: SharedApi) -> None:
    with shared.database.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO programs (slug, title, language, media_type, kind, status, scheduled_publish_at) "
            "SELECT 'many-' || n, 'Many', 'en', 'audio', 'episode', 'scheduled', '2095-05-04 10:00+00' "
            "FROM generate_series(1, 501) n"
        )
    month = read(editor, "/studio/calendar?day=2095-05-04")
    (link,) = [a for a in month.all("a") if text_of(a) == "Choose a week"]
    assert link.get("href") == "/studio/calendar?view=week&day=2095-05-04"
    week = read(editor, link.get("href") or "")
    assert [a for a in week.all("a") if text_of(a) == "Choose a week"] == []
    (every,) = [a for a in week.all("a") if text_of(a) == "Everything planned"]
    shown = read(editor, every.get("href") or "")
    assert "501" in " ".join(shown.texts("p", class_="total"))


@pytest.mark.parametrize("day", ["1900-01-01", "2999-12-31"])
def test_the_ends_of_the_calendar_are_days(day: str, editor: Client) -> None:
    for view in ("month", "week"):
        assert Page(editor.get("/studio/calendar", day=day, view=view)).status == 200
