"""The studio's pages of curation, without a browser: an order by buttons, and what a pin or a synonym changes before it is saved."""

import pytest
from sqlalchemy import Engine as Database
from sqlalchemy import text

from catalog.core.db import session_factory
from tests.support.client import Client
from tests.support.pages import Page, read, text_of
from tests.support.programs import make
from tests.support.shared import SharedApi
from tests.support.staff import send, signed_in_at_pages, token_of, visitor
from tests.support.studio_forms import fields_of, fill, valid

HERE = "/studio/curation"
LISTS = ("collections", "pins", "synonyms")


def events(database: Database) -> int:
    with database.connect() as connection:
        return int(connection.execute(text("SELECT count(*) FROM audit_events")).scalar_one())


def order(page: Page) -> list[str]:
    """Return the titles of a collection's programs, as the page has them."""
    return [text_of(page.within(row, "a")[0]) for row in page.within(page.one("ol", class_="order"), "li")]


@pytest.mark.parametrize("name", [*LISTS, "pins/new", "synonyms/new"])
def test_the_pages_are_for_editors(name: str, shared: SharedApi) -> None:
    path = f"{HERE}/{name}"
    answer = visitor(shared.listener).get(path)
    assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/sign-in")
    for role, status in (("ops", 403), ("editor", 200), ("reviewer", 200), ("admin", 200)):
        assert Page(signed_in_at_pages(shared.listener, role).get(path)).status == status, role


def test_searches_are_for_those_who_edit_and_operate(shared: SharedApi) -> None:
    for role, status in (("ops", 403), ("editor", 403), ("reviewer", 403), ("admin", 200)):
        browser = signed_in_at_pages(shared.listener, role)
        assert Page(browser.get(f"{HERE}/searches")).status == status, role
        offered = f"{HERE}/searches" in browser.get(f"{HERE}/pins").text
        assert offered == (status == 200)


@pytest.mark.slow
def test_a_collection_is_made_ordered_by_buttons_and_published_by_a_reviewer(
    staff: dict[str, Client], listener: Client, database: Database
) -> None:
    with session_factory(database).begin() as session:
        ids = [make(session, "published", title=f"Evening {n}").id for n in "abc"]
    editor, reviewer = (signed_in_at_pages(listener, role) for role in ("editor", "reviewer"))
    lists = f"{HERE}/collections"
    refused = Page(fill(editor, lists, lists, titleAr="مساء", titleEn=" "))
    assert (refused.status, fields_of(refused, lists)["titleAr"]) == (422, "مساء")
    made = fill(editor, lists, lists, titleAr="أمسيات", titleEn="Evenings")
    assert made.status_code == 303, Page(made).texts("main")
    here = made.headers["location"].partition("?")[0]
    steps = f"{here}/programs"
    found = read(editor, here, q="evening")
    assert len([b for b in found.all("button") if (b.get("value") or "").startswith("add:")]) == 3
    for program in ids:
        added = send(editor, steps, do=f"add:{program}", **fields_of(read(editor, here, q="evening"), steps))
        assert added.headers["location"] == f"{here}#program-{program}"
    assert order(read(editor, here)) == ["Evening a", "Evening b", "Evening c"]
    for do, places, expected in (
        (f"up:{ids[1]}", {}, "bac"),
        (f"down:{ids[0]}", {}, "bca"),
        (f"place:{ids[0]}", {f"place-{ids[0]}": "1"}, "abc"),
        (f"out:{ids[1]}", {}, "ac"),
    ):
        assert fill(editor, here, steps, do=do, **places).status_code == 303
        assert "".join(title[-1] for title in order(read(editor, here))) == expected
    for do in ("up:9000000", "sideways:1", "up:", "place:x", f"place:{ids[0]}"):
        wrong = fill(editor, here, steps, do=do, **{f"place-{ids[0]}": "900"})
        assert wrong.status_code in (404, 422), do
    stale = fields_of(read(editor, here), steps) | {"rev": "1", "do": f"down:{ids[0]}"}
    assert Page(send(editor, steps, **stale)).status == 412
    # Listeners see it from eight in the evening in Riyadh.
    when = {"startsAt": "2030-01-01T20:00", "endsAt": "2030-01-02T20:00"}
    assert (
        fill(editor, here, here, **when, descriptionEn="Long\r\nones").headers["location"]
        == f"{here}?done=changed"
    )
    number = here.rpartition("/")[2]
    stored = staff["editor"].get(f"/catalog/collections/{number}").json()["data"]
    assert (stored["startsAt"], stored["descriptionEn"]) == ("2030-01-01T17:00:00Z", "Long\nones")
    shown = read(editor, here)
    assert fields_of(shown, here)["startsAt"] == "2030-01-01T20:00"
    assert "published" not in [o.get("value") for o in shown.all("option")]
    for typed, status in (
        ({"endsAt": "2029-01-01T20:00"}, 422),
        ({"startsAt": "tomorrow"}, 422),
        ({"startsAt": "0001-01-01T00:00"}, 422),
        ({"sortOrder": "many"}, 422),
        ({"status": "published"}, 403),
    ):
        assert fill(editor, here, here, **typed).status_code == status, typed
    assert fill(reviewer, here, here, status="published").status_code == 303
    page = read(editor, here)
    assert "Listeners see it, so reviewers change it." in page.texts("p", class_="hint")
    assert not page.all("form", action=here)
    refused = send(editor, steps, token=token_of(read(editor, lists)), do=f"up:{ids[2]}", rev="9")
    assert refused.status_code in (403, 412)
    assert "stay" in " ".join(read(reviewer, f"{here}/delete").texts("p"))
    gone = fill(reviewer, f"{here}/delete", f"{here}/delete")
    assert gone.headers["location"] == f"{lists}?done=deleted"
    assert reviewer.get(here).status_code == 404


def sides(page: Page) -> list[list[str]]:
    """Return the titles before and after."""
    return [
        [text_of(link) for link in page.within(part, "a")] for part in page.all("ol", class_="found-list")
    ]


@pytest.mark.slow
def test_a_pin_is_tried_side_by_side_before_it_is_saved(
    staff: dict[str, Client], listener: Client, catalogue: dict[str, int], database: Database
) -> None:
    editor, reviewer = (signed_in_at_pages(listener, role) for role in ("editor", "reviewer"))
    new, before = f"{HERE}/pins/new", events(database)
    film = catalogue["The coffee film"]
    found = Page(fill(editor, new, new, query="morning", words="coffee film", do="find"))
    added = send(editor, new, **(fields_of(found, new) | {"do": f"add:{film}"}))
    page = Page(added)
    assert fields_of(page, new)["program-1"] == str(film)
    assert fields_of(page, new)["place-1"] == "1"
    assert "The coffee film" not in sides(page)[0]
    assert sides(page)[1][0] == "The coffee film"
    assert "pinned" in page.texts("span", class_="tag")
    assert "save" not in [b.get("value") for b in page.all("button")]
    refused = send(editor, new, **(fields_of(page, new) | {"do": "save"}))
    assert (refused.status_code, events(database)) == (403, before)
    typed = {"query": "morning", "program-1": str(film), "place-1": "1"}
    for wrong in ({"query": "!!"}, {"place-1": ""}, {"place-1": "99"}, {"program-1": "x"}, {"startsAt": "x"}):
        answer = fill(reviewer, new, new, **(typed | wrong), do="save")
        assert Page(answer).status in (400, 422), wrong
    assert events(database) == before
    saved = fill(reviewer, new, new, **typed, do="save")
    here = saved.headers["location"].partition("?")[0]
    page = read(reviewer, saved.headers["location"])
    assert page.texts("p", role="status") == ["Done: it is created."]
    assert sides(page)[1][0] == "The coffee film"
    assert "1. The coffee film" in read(editor, f"{HERE}/pins").texts("li")
    assert (
        fill(reviewer, here, here, query="mornings", do="save").headers["location"] == f"{here}?done=changed"
    )
    stale = fields_of(read(reviewer, here), here) | {"rev": "1", "do": "save"}
    assert send(reviewer, here, **stale).status_code == 412
    emptied = Page(fill(reviewer, here, here, do="out:1"))
    assert fields_of(emptied, here).get("program-1") == ""
    gone = fill(reviewer, f"{here}/delete", f"{here}/delete")
    assert gone.headers["location"] == f"{HERE}/pins?done=deleted"


@pytest.mark.slow
def test_a_synonym_is_tried_on_a_query_before_it_is_saved(
    staff: dict[str, Client], listener: Client, catalogue: dict[str, int], database: Database
) -> None:
    editor, reviewer = (signed_in_at_pages(listener, role) for role in ("editor", "reviewer"))
    new, before = f"{HERE}/synonyms/new", events(database)
    asked = read(editor, f"{new}?terms=zibbet&finds=coffee&q=zibbet")
    assert fields_of(asked, new)["kind"] == "one_way"
    assert "It finds nothing." in asked.texts("p", class_="hint")
    assert "The coffee film" in sides(asked)[0]
    assert "by synonym" in asked.texts("span", class_="tag")
    refused = send(editor, new, **(fields_of(asked, new) | {"do": "save"}))
    assert (refused.status_code, events(database)) == (403, before)
    for wrong in ({"terms": "zibbet"}, {"terms": "!!، coffee"}, {"kind": "other"}, {"language": "ar"}):
        answer = fill(reviewer, new, new, **({"terms": "zibbet, coffee"} | wrong), do="save")
        assert Page(answer).status == 422, wrong
    assert Page(fill(editor, new, new, terms="zibbet", do="try")).status == 400
    saved = fill(reviewer, new, new, terms="zibbet، coffee", do="save")
    here = saved.headers["location"].partition("?")[0]
    assert fields_of(read(editor, here), here)["terms"] == "zibbet, coffee"
    assert "zibbet, coffee" in " ".join(read(editor, f"{HERE}/synonyms").texts("th"))
    assert (
        fill(reviewer, here, here, kind="one_way", terms="zibbet", finds="coffee", do="save").status_code
        == 303
    )
    gone = fill(reviewer, f"{here}/delete", f"{here}/delete")
    assert gone.headers["location"] == f"{HERE}/synonyms?done=deleted"
    assert editor.get(here).status_code == 404


def test_a_form_of_another_session_changes_nothing(shared: SharedApi) -> None:
    reviewer, other = (signed_in_at_pages(shared.listener, role) for role in ("reviewer", "editor"))
    theirs, before = token_of(read(other, "/sign-in")), events(shared.database)
    paths = ("collections", "collections/1", "collections/1/programs", "collections/1/delete")
    for path in (*paths, "pins/new", "pins/1", "pins/1/delete", "synonyms/new", "synonyms/1/delete"):
        for token in ("", theirs):
            answer = send(reviewer, f"{HERE}/{path}", token=token, titleAr="أ", titleEn="A", do="save")
            assert answer.status_code == 403, path
    assert events(shared.database) == before


def test_a_query_that_finds_nothing_leads_to_a_synonym(shared: SharedApi) -> None:
    with shared.database.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO query_daily (day, language, query, searches, empty) "
                "VALUES (current_date, 'en', 'zibbet', 9, 9)"
            )
        )
    page = read(signed_in_at_pages(shared.listener, "admin"), f"{HERE}/searches")
    assert f"{HERE}/synonyms/new?terms=zibbet&q=zibbet" in page.links()


@pytest.mark.parametrize("path", ["/collections/9000000", "/pins/9000000", "/synonyms/0", "/pins?after=x"])
def test_what_is_not_there_is_said_on_a_page(path: str, shared: SharedApi) -> None:
    page = Page(signed_in_at_pages(shared.listener, "reviewer").get(HERE + path))
    assert (page.status in (400, 404), len(page.all("h1"))) == (True, 1)


@pytest.mark.parametrize("language", ["ar", "en"])
def test_every_page_is_valid_html_in_its_language(
    language: str, staff: dict[str, Client], listener: Client, database: Database
) -> None:
    with session_factory(database).begin() as session:
        one, two = (make(session, "published", title=title).id for title in ("<A>", "B & C"))
    reviewer = staff["reviewer"]
    made = reviewer.post("/catalog/collections", {"titleAr": "م", "titleEn": "<C>"}).json()["data"]["id"]
    reviewer.ask("PUT", f"/catalog/collections/{made}/programs", json={"programIds": [two, one]})
    pin = {"query": "a", "programs": [{"programId": one, "place": 1}]}
    pinned = reviewer.post("/catalog/pins", pin).json()["data"]["id"]
    terms = {"kind": "two_way", "terms": ["قهوة", "coffee"]}
    joined = reviewer.post("/catalog/synonyms", terms).json()["data"]["id"]
    paths = [*LISTS, "pins/new", "synonyms/new?terms=a&finds=b", f"collections/{made}?q=b", f"pins/{pinned}"]
    for role in ("editor", "admin"):
        browser = signed_in_at_pages(listener, role)
        browser.get(f"/language/{language}")
        for path in (*paths, f"synonyms/{joined}", f"collections/{made}/delete"):
            valid(read(browser, f"{HERE}/{path}"), language)
    for path in ("searches", f"pins/{pinned}/delete", f"synonyms/{joined}/delete"):
        valid(read(browser, f"{HERE}/{path}"), language)
