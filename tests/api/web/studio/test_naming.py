"""The studio's pages of names, without a browser: what a change affects is said before it is done, and what waits is told."""

import pytest
from sqlalchemy import Engine as Database
from sqlalchemy import text

from catalog.core.db import session_factory
from catalog.taxonomy import categories, series
from catalog.taxonomy.models import Person, Tag
from tests.support.client import Client
from tests.support.pages import Page, read
from tests.support.programs import EDITOR, make
from tests.support.shared import SharedApi
from tests.support.staff import send, signed_in_at_pages, token_of, visitor
from tests.support.studio_forms import fields_of, fill, valid

HERE = "/studio/names"
LISTS = ("series", "categories", "tags", "people")


def scalar(database: Database, statement: str) -> object:
    with database.connect() as connection:
        return connection.execute(text(statement)).scalar_one()


@pytest.mark.parametrize("name", LISTS)
def test_the_lists_are_for_editors(name: str, shared: SharedApi) -> None:
    path = f"{HERE}/{name}"
    answer = visitor(shared.listener).get(path)
    assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/sign-in")
    for role, status in (("ops", 403), ("editor", 200), ("reviewer", 200), ("admin", 200)):
        assert Page(signed_in_at_pages(shared.listener, role).get(path)).status == status, role
    assert signed_in_at_pages(shared.listener, "editor").get(HERE).headers["location"] == f"{HERE}/series"


@pytest.mark.parametrize(("plural", "noun"), [("tags", "tag"), ("people", "person")])
def test_a_name_is_created_found_and_renamed_merged_and_deleted_by_reviewers(
    plural: str, noun: str, staff: dict[str, Client], listener: Client, database: Database
) -> None:
    editor, reviewer = (signed_in_at_pages(listener, role) for role in ("editor", "reviewer"))
    with session_factory(database).begin() as session:
        for status in ("published", "draft"):
            make(session, status, tags=["Qahwa"], people=[("host", "Qahwa")])
        make(session, tags=["Qahwa", "Coffee"], people=[("host", "Qahwa"), ("guest", "Coffee")])
        model = Tag if noun == "tag" else Person
        found = {row.name: row.id for row in session.query(model)}
    here = f"{HERE}/{plural}"
    made = fill(editor, here, here, name="  صباح  ")
    page = read(editor, made.headers["location"])
    assert (page.texts("h1"), page.texts("p", role="status")) == (["صباح"], ["Done: it is created."])
    assert "0 programs have it" in page.texts("li")
    taken = Page(fill(editor, here, here, name="QAHWA"))
    assert (taken.status, fields_of(taken, here)["name"]) == (409, "QAHWA")
    assert [row.split()[0] for row in read(editor, here, q="qah").texts("tr")[1:]] == ["Qahwa3qahwa"]
    one = f"{here}/{found['Qahwa']}"
    page = read(reviewer, one)
    assert {"3 programs have it", "One of them is published", "0 deleted programs have it, too"} <= set(
        page.texts("li")
    )
    assert f"/studio/programs?{noun}=Qahwa" in page.links()
    # Only reviewers are offered what listeners see at once, and others may not.
    assert not [a for a in read(editor, one).links() if a.startswith(f"{one}/")]
    token = token_of(read(editor, here))
    for step in ("rename", "merge", "delete"):
        refused = send(editor, f"{one}/{step}", token=token, name="Other", into=str(found["Coffee"]))
        assert refused.status_code == 403
    assert editor.get(f"{one}/delete").status_code == 403
    assert Page(fill(reviewer, one, f"{one}/rename", name="Coffee")).status == 409
    refused = Page(fill(reviewer, one, f"{one}/rename", name="!!"))
    assert (refused.status, fields_of(refused, f"{one}/rename")["name"]) == (422, "!!")
    assert fill(reviewer, one, f"{one}/rename", name="Qahwah").headers["location"] == f"{one}?done=renamed"
    merge = f"{one}/merge?into={found['Coffee']}"
    assert merge in read(reviewer, one, q="cof").links()
    asked = read(reviewer, merge)
    assert asked.texts("h1") == ["Merge “Qahwah” into “Coffee”?"]
    assert "One program has both, and keeps the one that stays" in asked.texts("li")
    assert Page(reviewer.get(f"{one}/merge", into=str(found["Qahwa"]))).status == 422
    merged = fill(reviewer, merge, f"{one}/merge")
    assert merged.headers["location"] == f"{here}/{found['Coffee']}?done=merged"
    page = read(reviewer, merged.headers["location"])
    assert "3 programs have it" in page.texts("li")
    asked = read(reviewer, f"{here}/{found['Coffee']}/delete")
    assert "3 programs have it" in asked.texts("li")
    gone = fill(reviewer, f"{here}/{found['Coffee']}/delete", f"{here}/{found['Coffee']}/delete")
    assert gone.headers["location"] == f"{here}?done=deleted"
    assert scalar(database, f"SELECT count(*) FROM program_{plural}") == 0
    assert reviewer.get(one).status_code == 404


def test_an_editors_change_of_a_live_series_waits_and_is_told_in_words(
    staff: dict[str, Client], listener: Client, database: Database
) -> None:
    editor, reviewer = (signed_in_at_pages(listener, role) for role in ("editor", "reviewer"))
    lists = f"{HERE}/series"
    made = fill(editor, lists, lists, title="Nights", language="en", description="One\r\ntwo")
    here = made.headers["location"].partition("?")[0]
    number = int(here.rpartition("/")[2])
    assert fill(editor, here, here).headers["location"] == f"{here}?done=unchanged"
    assert fill(editor, here, here, title="Nights of old").headers["location"] == f"{here}?done=changed"
    with session_factory(database).begin() as session:
        make(session, "published", series_id=number)
    assert fill(editor, here, here, title="Evenings").headers["location"] == f"{here}?done=waits"
    page = read(editor, here)
    assert page.texts("h1") == ["Nights of old"]
    assert "One program shows it." in page.texts("p", class_="hint")
    assert page.texts("section", id="pending")[0].startswith("A change is being written")
    assert [page.texts(tag)[0] for tag in ("del", "ins")] == ["Nights of old", "Evenings"]
    # The form goes on with what waits, so that saving another field does not take it back.
    assert fields_of(page, here)["title"] == "Evenings"
    assert fill(editor, here, here, description="Three").headers["location"] == f"{here}?done=waits"
    waiting = staff["editor"].get(f"/catalog/series/{number}/pending").json()["data"]["changes"]
    assert waiting == {"title": "Evenings", "description": "Three"}
    steps = f"{here}/pending"
    assert "publish" not in [b.get("value") for b in page.all("button")]
    assert fill(editor, here, steps, step="publish").status_code == 403
    assert fill(editor, here, steps, step="explode").status_code == 422
    assert fill(editor, here, steps, step="submit").headers["location"] == f"{here}?done=submitted"
    page = read(reviewer, here)
    assert page.texts("section", id="pending")[0].startswith("A change waits for a reviewer")
    stale = fields_of(page, steps) | {"rev": "1", "step": "approve"}
    assert Page(send(reviewer, steps, **stale)).status == 412
    rejected = fill(reviewer, here, steps, step="reject", comment="Why?")
    assert rejected.headers["location"] == f"{here}?done=rejected"
    assert "Why?" in " ".join(read(editor, here).texts("p", class_="quoted"))
    assert fill(editor, here, steps, step="submit").status_code == 303
    assert fill(reviewer, here, steps, step="approve").headers["location"] == f"{here}?done=published"
    page = read(reviewer, here)
    assert (page.texts("h1"), page.all("section", id="pending")) == (["Evenings"], [])
    assert "Change published" in " ".join(page.texts("ol"))
    # Somebody who had an older page open does not write over it.
    old = fields_of(page, here) | {"rev": "1", "title": "Mornings"}
    refused = Page(send(reviewer, here, **old))
    assert (refused.status, fields_of(refused, here)["title"]) == (412, "Mornings")
    asked = read(reviewer, f"{here}/delete")
    assert "Only what no program has can be deleted." in " ".join(asked.texts("p"))
    assert not asked.all("form", action=f"{here}/delete")
    assert Page(send(reviewer, f"{here}/delete", token=token_of(page))).status == 412
    rev = fields_of(page, here)["rev"]
    assert send(reviewer, f"{here}/delete", token=token_of(page), seen=f"{rev}:").status_code == 409


def test_categories_are_created_and_changed_by_reviewers_and_proposed_by_editors(
    staff: dict[str, Client], listener: Client, database: Database
) -> None:
    editor, reviewer = (signed_in_at_pages(listener, role) for role in ("editor", "reviewer"))
    lists = f"{HERE}/categories"
    assert not read(editor, lists).all("form", action=lists, method="post")
    typed = {"nameAr": "مسرح", "nameEn": "Theatre"}
    refused = send(editor, lists, token=token_of(read(editor, lists)), **typed, sortOrder="0")
    assert refused.status_code == 403
    assert Page(fill(reviewer, lists, lists, **typed, sortOrder="x")).status == 422
    made = fill(reviewer, lists, lists, **typed, sortOrder="-3")
    here = made.headers["location"].partition("?")[0]
    assert fill(editor, here, here, nameEn="Stage").headers["location"] == f"{here}?done=waits"
    shown = read(reviewer, here)
    filled = {name: text for name, text in fields_of(shown, here).items() if not name.startswith("was-")}
    assert filled | {"token": ""} == {
        "token": "",
        "rev": "1",
        "pendingRev": "2",
        "nameAr": "مسرح",
        "nameEn": "Theatre",
        "slug": "theatre",
        "sortOrder": "-3",
        "isActive": "yes",
    }
    assert fill(reviewer, here, f"{here}/pending", step="publish").status_code == 303
    unticked = {k: v for k, v in fields_of(read(reviewer, here), here).items() if k != "isActive"}
    assert send(reviewer, here, **unticked).headers["location"] == f"{here}?done=changed"
    assert read(editor, lists, q="the").texts("td")[-1] == "no"
    assert fill(reviewer, f"{here}/delete", f"{here}/delete").headers["location"] == f"{lists}?done=deleted"
    assert reviewer.get(here).status_code == 404


@pytest.mark.parametrize("name", LISTS)
def test_a_form_of_another_session_changes_nothing(name: str, shared: SharedApi) -> None:
    reviewer, other = (signed_in_at_pages(shared.listener, role) for role in ("reviewer", "editor"))
    theirs = token_of(read(other, "/sign-in"))
    before = scalar(shared.database, "SELECT count(*) FROM audit_events")
    for path in ("", "/1", "/1/rename", "/1/merge", "/1/delete", "/1/pending"):
        for token in ("", theirs):
            answer = send(reviewer, f"{HERE}/{name}{path}", token=token, name="x", title="x", language="en")
            assert answer.status_code in (403, 404, 405), path
    assert scalar(shared.database, "SELECT count(*) FROM audit_events") == before


@pytest.mark.parametrize(
    "path", ["/tags/9000000", "/series/9000000/delete", "/people/0", "/categories?after=x"]
)
def test_what_is_not_there_is_said_on_a_page(path: str, shared: SharedApi) -> None:
    page = Page(signed_in_at_pages(shared.listener, "reviewer").get(HERE + path))
    assert (page.status in (400, 404), len(page.all("h1"))) == (True, 1)


@pytest.mark.parametrize("language", ["ar", "en"])
def test_every_page_is_valid_html_in_its_language(
    language: str, staff: dict[str, Client], listener: Client, database: Database
) -> None:
    with session_factory(database).begin() as session:
        show = series.create(session, {"title": "<A> show", "language": "en"}, EDITOR)
        shelf = categories.create(session, {"name_ar": "رف", "name_en": "A shelf"}, EDITOR)
        make(
            session,
            "published",
            series_id=show.id,
            category_id=shelf.id,
            tags=["a & b"],
            people=[("host", "<b>")],
        )
        ids = {"series": show.id, "categories": shelf.id}
        ids |= {"tags": session.query(Tag).one().id, "people": session.query(Person).one().id}
    for role in ("editor", "reviewer"):
        browser = signed_in_at_pages(listener, role)
        browser.get(f"/language/{language}")
        if role == "editor":
            fill(browser, f"{HERE}/series/{ids['series']}", f"{HERE}/series/{ids['series']}", title="Other")
        for name, row in ids.items():
            for path in ("", "?q=a", f"/{row}", f"/{row}?q=a"):
                valid(read(browser, f"{HERE}/{name}{path}"), language)
            if role == "reviewer":
                valid(read(browser, f"{HERE}/{name}/{row}/delete"), language)
