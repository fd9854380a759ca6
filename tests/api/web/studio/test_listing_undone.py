"""Steps with many programs: what has to be chosen, which times there are, and what no step brings back."""

from dataclasses import replace
from datetime import datetime

import pytest

from catalog.core.db import session_factory
from catalog.programs import pending
from catalog.review import pending as review
from tests.support.client import Client
from tests.support.pages import Page, read, text_of
from tests.support.product import serve
from tests.support.programs import EDITOR
from tests.support.shared import SharedApi, apart
from tests.support.staff import send, signed_in_at_pages, token_of
from tests.support.studio_bulk import DO, asked, done, made, now, sent_by, undone, yes

LIST = "/studio/programs"


@pytest.fixture(scope="module")
def reviewer(shared: SharedApi) -> Client:
    """A reviewer at the pages."""
    return signed_in_at_pages(shared.listener, "reviewer")


def shelf_of(shared: SharedApi, name: str) -> str:
    answer = shared.staff["reviewer"].post("/catalog/categories", {"nameAr": name, "nameEn": name})
    return str(answer.json()["data"]["id"])


def test_a_category_has_to_be_chosen_and_no_category_is_a_choice(shared: SharedApi, reviewer: Client) -> None:
    shelf = shelf_of(shared, "First")
    ids = made(shared, "draft", category_id=int(shelf))
    page = asked(reviewer, "categorise", ids)
    (choice,) = page.all("select", name="category")
    assert choice.get("required") is not None
    options = {text_of(o): o.get("value") for o in page.within(choice, "option")}
    assert (options["Choose a category"], options["No category"], options["First"]) == ("", "none", shelf)
    answer = Page(yes(reviewer, page))
    assert (answer.status, answer.texts("p", role="alert")) == (422, ["Choose a category, or “No category”."])
    assert [one["category"] is None for one in now(shared, ids)] == [False]
    outcome = Page(yes(reviewer, page, category="none"))
    assert outcome.status == 200
    assert [one["category"] for one in now(shared, ids)] == [None]
    undone(reviewer, outcome)
    assert [str(one["category"]["id"]) for one in now(shared, ids)] == [shelf]  # type: ignore[index]  # the answer is JSON of this shape


def test_the_category_that_is_asked_for_is_offered_behind_the_first_five_hundred(
    shared: SharedApi, reviewer: Client
) -> None:
    with shared.database.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO categories (slug, name_ar, name_en) SELECT 'many-' || n, 'ت', 'Many ' || n FROM generate_series(1, 500) n"
        )
    last = shelf_of(shared, "The last one")
    ids = made(shared, "draft")
    page = asked(reviewer, "categorise", ids, category=last)
    (selected,) = [o for o in page.all("option") if o.get("selected") is not None]
    assert (selected.get("value"), text_of(selected)) == (last, "The last one")
    assert asked(reviewer, "categorise", ids, category="99999999").status == 200


@pytest.mark.parametrize("name", ["ends\\", "a\\,b", "a،b\\"])
def test_a_tag_with_a_backslash_is_taken_back(name: str, shared: SharedApi, reviewer: Client) -> None:
    ids = made(shared, "draft", tags=["first", name, "last"])
    for typed in ("last", name.replace("\\", "\\\\").replace(",", "\\,").replace("،", "\\،")):
        fresh = [f"{one['id']}:{one['rev']}" for one in now(shared, ids)]
        before = now(shared, ids)[0]["tags"]
        outcome = done(reviewer, "untag", fresh, tags=typed)
        assert name == "last" or typed == "last" or name not in now(shared, ids)[0]["tags"]  # type: ignore[operator]  # the answer is JSON of this shape
        if typed == "last":
            undone(reviewer, outcome)
            assert now(shared, ids)[0]["tags"] == before
            fresh = [f"{one['id']}:{one['rev']}" for one in now(shared, ids)]
            done(reviewer, "untag", fresh, tags="last")
        else:
            undone(reviewer, outcome)
            assert now(shared, ids)[0]["tags"] == before


@pytest.mark.parametrize(
    "at", ["0001-01-01T00:00", "0001-01-01T00:00+14:00", "9999-12-31T23:59", "9999-12-31T23:59-12:00"]
)
def test_a_time_at_the_ends_of_the_calendar_is_asked_again(
    at: str, shared: SharedApi, reviewer: Client
) -> None:
    ids = made(shared, "draft")
    page = Page(yes(reviewer, asked(reviewer, "schedule", ids), at=at, tz="America/New_York"))
    assert (page.status, page.texts("p", role="alert")) == (422, ["Give a day and a time."])
    assert asked(reviewer, "schedule", ids, at=at).status == 200
    if datetime.fromisoformat(at).tzinfo is not None:
        number = ids[0].partition(":")[0]
        answer = shared.staff["reviewer"].post(
            f"/catalog/programs/{number}/schedule", {"scheduledPublishAt": at}, **{"If-Match": '"1"'}
        )
        assert answer.status_code == 422
    assert now(shared, ids)[0]["status"] == "draft"


@pytest.mark.slow
def test_a_submission_that_a_step_ended_is_said_to_have_no_way_back(
    shared: SharedApi, reviewer: Client
) -> None:
    shelf = int(shelf_of(shared, "Proposed"))
    ids = made(shared, "published", title="Ended there")
    number = int(ids[0].partition(":")[0])
    with session_factory(shared.database).begin() as session:
        pending.propose(session, number, {"category_id": shelf}, EDITOR)
        review.submit(session, pending.PROGRAMS, number, EDITOR)
    careful = shared.settings.api.model_copy(update={"review_direct_fields": ""})
    with serve(replace(apart(shared.settings), api=careful)) as (client, _):
        page = done(signed_in_at_pages(client, "editor"), "categorise", ids, category="none")
    with session_factory(shared.database).begin() as session:
        assert review.find(session, "program", number) is None
    assert "its pending changes have ended" in text_of(page.all("ul", class_="subjects")[0])
    assert page.all("form", action=DO) == []
    (said,) = page.texts("p", class_="hint")
    assert said.endswith("Ended there")


def test_a_delete_is_taken_back_to_the_list_that_it_was_on(shared: SharedApi, reviewer: Client) -> None:
    ids = made(shared, "draft")
    outcome = Page(yes(reviewer, asked(reviewer, "delete", ids, list="status=draft&sort=title")))
    (form,) = outcome.all("form", action=DO)
    question = Page(reviewer.ask("GET", DO, params=sent_by(outcome, form)))
    back = {text_of(a): a.get("href") for a in question.all("a")}
    assert back["No, back to the list"] == f"{LIST}?sort=title&status=draft"
    after = Page(yes(reviewer, question))
    assert f"{LIST}?sort=title&status=draft" in [a.get("href") for a in after.all("a")]
    assert now(shared, ids)[0]["status"] == "draft"


def test_a_form_of_the_trash_leads_back_to_the_trash(shared: SharedApi, reviewer: Client) -> None:
    ids = made(shared, "draft")
    done(reviewer, "delete", ids)
    token = token_of(read(reviewer, LIST))
    page = Page(send(reviewer, DO, token=token, step="undelete", id=ids[0], list="sort=title"))
    assert "/studio/trash?sort=title" in [a.get("href") for a in page.all("a")]
