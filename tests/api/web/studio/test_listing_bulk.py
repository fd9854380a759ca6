"""One step with many programs at the studio: it asks once, says what became of each, and how it is taken back."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from api.editorial.schemas import BULK_STEPS
from api.web.rendering.locales import texts
from api.web.studio.listing.steps import STEPS
from tests.support.client import Client
from tests.support.pages import Page, read, text_of
from tests.support.shared import SharedApi
from tests.support.staff import send, signed_in_at_pages, token_of, visitor
from tests.support.studio_bulk import DO, asked, done, made, now, undone, yes


@pytest.fixture(scope="module")
def reviewer(shared: SharedApi) -> Client:
    """A reviewer at the pages."""
    return signed_in_at_pages(shared.listener, "reviewer")


def statuses(shared: SharedApi, ids: list[str]) -> list[object]:
    return [program.get("status") for program in now(shared, ids)]


def test_every_step_of_the_api_is_one_of_the_studio_or_of_the_review() -> None:
    assert set(STEPS) == {*BULK_STEPS, "tag", "untag", "categorise"} - {"approve", "reject"}
    for name in STEPS:
        assert {f"bulk_act.{name}", f"bulk_effect.{name}"} <= texts("ar").keys()


@pytest.mark.slow
@pytest.mark.parametrize("language", ["ar", "en"])
def test_the_pages_are_valid_html_and_name_the_programs(language: str, shared: SharedApi) -> None:
    browser = signed_in_at_pages(shared.listener, "reviewer")
    browser.get(f"/language/{language}")
    for step in STEPS:
        ids = made(shared, "draft", "published", title=f"Named by {step}")
        page = asked(browser, step, [*ids, "999999:1"])
        assert (page.status, page.root.get("lang")) == (200, language)
        assert page.texts("h1") == [texts(language)[f"bulk_act.{step}"]]
        assert [text_of(item) for item in page.all("a") if "Named by" in text_of(item)] == [
            f"Named by {step}"
        ] * 2
        filled = {
            "schedule": {"at": "2090-01-01T10:00"},
            "categorise": {"category": "none"},
            "tag": {"tags": "a"},
            "untag": {"tags": "a"},
        }
        outcome = Page(yes(browser, page, **filled.get(step, {})))
        assert (outcome.status, len(outcome.all("li", class_="failed")) >= 1) == (200, True), step


def test_each_program_has_its_own_outcome(shared: SharedApi, reviewer: Client) -> None:
    draft, live, stale = made(shared, "draft", "published", "draft")
    page = asked(reviewer, "publish", [draft, live, stale.replace(":1", ":9")])
    warned = [text_of(item) for item in page.all("span", class_="bad")]
    assert len(warned) == 2
    outcome = Page(yes(reviewer, page))
    items = [text_of(item) for item in outcome.all("ul", class_="subjects")[0]]
    assert "Done" in items[0]
    assert "Its state does not allow this." in items[1]
    assert "It was changed since the list was loaded." in items[2]
    assert outcome.texts("p", role="status") == ["It worked with 1 program."]
    assert outcome.texts("p", role="alert") == ["2 programs were refused and stayed as they were."]
    assert statuses(shared, [draft, live, stale]) == ["published", "published", "draft"]


@pytest.mark.parametrize(
    ("step", "before", "after"),
    [
        ("publish", "draft", "published"),
        ("unpublish", "published", "draft"),
        ("archive", "draft", "archived"),
        ("restore", "archived", "draft"),
        ("schedule", "draft", "scheduled"),
        ("unschedule", "scheduled", "draft"),
        ("delete", "draft", None),
    ],
)
def test_a_step_is_taken_back_by_one_step(
    step: str, before: str, after: str | None, shared: SharedApi, reviewer: Client
) -> None:
    ids = made(shared, before, before)
    was = now(shared, ids)
    filled = {"at": "2090-01-01T10:00"} if step == "schedule" else {}
    page = done(reviewer, step, ids, **filled)
    assert statuses(shared, ids) == [after, after]
    assert all("It worked with" in outcome.texts("p", role="status")[0] for outcome in undone(reviewer, page))
    kept = ("status", "scheduledPublishAt", "tags", "category")
    assert [[one[k] for k in kept] for one in now(shared, ids)] == [[one[k] for k in kept] for one in was]


@pytest.mark.parametrize(
    ("step", "before"),
    [
        ("archive", "published"),
        ("archive", "in_review"),
        ("publish", "in_review"),
        ("publish", "scheduled"),
        ("delete", "published"),
    ],
)
def test_what_no_single_step_takes_back_is_said(
    step: str, before: str, shared: SharedApi, reviewer: Client
) -> None:
    ids = made(shared, before, title="Only there")
    page = done(reviewer, step, ids)
    assert "It worked with 1 program." in page.texts("p", role="status")
    assert page.all("form", action=DO) == []
    (said,) = page.texts("p", class_="hint")
    assert said.startswith("No single step leads 1 program back")
    assert said.endswith("Only there")


@pytest.mark.parametrize("step", ["archive", "delete"])
def test_a_draft_that_has_a_time_is_not_said_to_be_taken_back(
    step: str, shared: SharedApi, reviewer: Client
) -> None:
    number = made(shared, "draft")[0].partition(":")[0]
    with shared.database.begin() as connection:
        connection.execute(
            text("UPDATE programs SET scheduled_publish_at = '2090-01-01' WHERE id = :id"), {"id": number}
        )
    page = done(reviewer, step, [f"{number}:{now(shared, [number])[0]['rev']}"])
    assert "It worked with 1 program." in page.texts("p", role="status")
    assert page.all("form", action=DO) == []
    assert len(page.all("p", class_="hint")) == 1


def test_tags_and_categories_are_given_back_as_they_were(shared: SharedApi, reviewer: Client) -> None:
    one, two = [*made(shared, "draft", tags=["a,b", "c"]), *made(shared, "draft", tags=["c"])]
    shelf = shared.staff["reviewer"].post("/catalog/categories", {"nameAr": "رف", "nameEn": "One shelf"})
    was = [program["tags"] for program in now(shared, [one, two])]
    page = done(reviewer, "tag", [one, two], tags=r"c، d\,e")
    assert [program["tags"] for program in now(shared, [one, two])] == [["a,b", "c", "d,e"], ["c", "d,e"]]
    undone(reviewer, page)
    assert [program["tags"] for program in now(shared, [one, two])] == was
    # Not the last one: no step puts it in front again.
    fresh = [f"{p['id']}:{p['rev']}" for p in now(shared, [one, two])]
    page = done(reviewer, "untag", fresh, tags=r"a\,b")
    assert [program["tags"] for program in now(shared, [one, two])] == [["c"], ["c"]]
    assert page.all("form", action=DO) == []
    assert len(page.all("p", class_="hint")) == 1
    fresh = [f"{p['id']}:{p['rev']}" for p in now(shared, [one, two])]
    page = done(reviewer, "categorise", fresh, category=str(shelf.json()["data"]["id"]))
    assert all("One shelf" in str(p["category"]) for p in now(shared, [one, two]))
    undone(reviewer, page)
    assert [p["category"] for p in now(shared, [one, two])] == [None, None]


def test_times_that_differed_are_given_back_each_to_its_programs(shared: SharedApi, reviewer: Client) -> None:
    ids = made(shared, "draft", "draft")
    for one, at in zip(ids, ("2090-01-01T10:00:00.123456Z", "2091-01-01T10:00:00Z"), strict=True):
        answer = shared.staff["reviewer"].post(
            f"/catalog/programs/{one.partition(':')[0]}/schedule",
            {"scheduledPublishAt": at},
            **{"If-Match": '"1"'},
        )
        assert answer.status_code == 200, answer.text
    was = [program["scheduledPublishAt"] for program in now(shared, ids)]
    fresh = [f"{p['id']}:{p['rev']}" for p in now(shared, ids)]
    page = done(reviewer, "schedule", fresh, at="2095-05-05T10:00", tz="Asia/Dubai")
    planned = [datetime.fromisoformat(str(p["scheduledPublishAt"])) for p in now(shared, ids)]
    assert planned == [datetime(2095, 5, 5, 6, tzinfo=UTC)] * 2
    assert len(page.all("form", action=DO)) == 2
    undone(reviewer, page)
    assert [program["scheduledPublishAt"] for program in now(shared, ids)] == was


def test_a_form_is_taken_once(shared: SharedApi, reviewer: Client) -> None:
    ids = made(shared, "draft")
    page = asked(reviewer, "tag", ids)
    answers = [yes(reviewer, page, tags="once") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert [program["rev"] for program in now(shared, ids)] == [2]


@pytest.mark.parametrize(
    ("step", "filled", "said"),
    [
        ("schedule", {"at": "tomorrow"}, "Give a day and a time."),
        ("schedule", {"at": ""}, "Give a day and a time."),
        ("tag", {"tags": " , "}, "Give 1 to 50 tags"),
        ("tag", {"tags": "a" * 4000}, "Give 1 to 50 tags"),
        ("categorise", {"category": "x"}, "There is no such category."),
    ],
)
def test_what_was_filled_in_wrongly_is_asked_again_with_everything_else(
    step: str, filled: dict[str, str], said: str, shared: SharedApi, reviewer: Client
) -> None:
    ids = made(shared, "draft", "draft")
    page = Page(yes(reviewer, asked(reviewer, step, ids, list="status=draft"), **filled))
    assert page.status == 422
    assert page.texts("p", role="alert")[0].startswith(said)
    assert [field.get("value") for field in page.all("input", name="id")] == ids
    assert page.one("input", name="list").get("value") == "status=draft"
    assert [program["rev"] for program in now(shared, ids)] == [1, 1]
    tags = page.all("input", name="tags")
    assert not tags or tags[0].get("value") == filled["tags"]


def offered(browser: Client) -> list[str | None]:
    page = read(browser, "/studio/programs")
    return [option.get("value") for option in page.within(page.one("select", name="step"), "option")]


def test_editors_are_offered_what_they_may_do(shared: SharedApi, reviewer: Client) -> None:
    editor = signed_in_at_pages(shared.listener, "editor")
    ids = made(shared, "draft")
    assert offered(editor) == ["submit", "tag", "untag", "categorise"]
    assert len(offered(reviewer)) == len(STEPS) - 1
    for name, step in STEPS.items():
        assert asked(editor, name, ids).status == (403 if step.of_reviewers else 200)
    assert "It worked with 1 program." in done(editor, "submit", ids).texts("p", role="status")
    assert statuses(shared, ids) == ["in_review"]
    own = token_of(read(editor, "/studio/programs"))
    assert send(editor, DO, token=own, step="publish", id=ids[0]).status_code == 403
    assert statuses(shared, ids) == ["in_review"]


def test_only_a_form_of_the_session_is_taken(shared: SharedApi, reviewer: Client) -> None:
    ids, other = made(shared, "draft"), signed_in_at_pages(shared.listener, "reviewer")
    theirs = token_of(read(other, "/studio/programs"))
    for token in ("", theirs, "a" * 64):
        assert send(reviewer, DO, token=token, step="publish", id=ids[0]).status_code == 403
    assert send(visitor(shared.listener), DO, token=theirs, step="publish", id=ids[0]).status_code == 303
    assert statuses(shared, ids) == ["draft"]


@pytest.mark.parametrize(
    "query",
    [
        "step=explode&id=1:1",
        "step=withdraw&id=1:1",
        "id=1:1",
        "step=publish&id=1",
        "step=publish&id=0:1",
        "step=publish&id=1:99999999999999999",
        "step=publish&id=1:1&tz=Nowhere",
    ],
)
def test_what_makes_no_sense_is_refused(query: str, reviewer: Client) -> None:
    assert Page(reviewer.ask("GET", f"{DO}?{query}")).status == 400


def test_nothing_ticked_is_said(reviewer: Client) -> None:
    page = asked(reviewer, "publish", [], list="status=draft")
    assert page.status == 400
    assert page.texts("p", role="alert") == ["No program is ticked. Go back to the list and tick some."]
    assert page.all("a", href="/studio/programs?status=draft")


def test_the_way_back_leads_to_a_list_alone(reviewer: Client, shared: SharedApi) -> None:
    page = asked(reviewer, "archive", made(shared, "draft"), list="//example.com&status=draft&unheard=1")
    assert [a.get("href") for a in page.all("a") if text_of(a) == "No, back to the list"] == [
        "/studio/programs?status=draft"
    ]


def test_every_box_of_the_page_is_ticked_by_a_link(shared: SharedApi, reviewer: Client) -> None:
    made(shared, "draft", "draft")
    page = read(reviewer, "/studio/programs?status=draft&limit=2")
    boxes = page.all("input", name="id")
    assert [box.get("checked") for box in boxes] == [None, None]
    (link,) = [a for a in page.all("a") if text_of(a) == "Tick all on this page"]
    ticked = read(reviewer, link.get("href") or "")
    assert [box.get("checked") for box in ticked.all("input", name="id")] == ["", ""]
    (list_of_form,) = ticked.within(ticked.one("form", id="bulk"), "input", name="list")
    assert list_of_form.get("value") == "limit=2&status=draft"


def test_the_trash_gives_programs_back(shared: SharedApi, reviewer: Client) -> None:
    ids = made(shared, "published", title="From the trash")
    done(reviewer, "delete", ids)
    page = read(reviewer, "/studio/trash")
    form = page.all("form", class_="act")[0]
    fields = [(f.get("name") or "", f.get("value") or "") for f in page.within(form, "input")]
    question = Page(reviewer.ask("GET", DO, params=fields))
    assert question.texts("h1") == ["Restore from the trash"]
    outcome = Page(yes(reviewer, question))
    assert "It worked with 1 program." in outcome.texts("p", role="status")
    assert statuses(shared, ids) == ["draft"]
    assert (
        read(signed_in_at_pages(shared.listener, "editor"), "/studio/trash").all("form", class_="act") == []
    )
