"""The steps of a program at its page: offered to whoever may take them, about what was read, asked once."""

import pytest
from redis import Redis

from api.web.studio.editor.deciding.found import Room
from tests.support.editorial import created
from tests.support.filled import submit
from tests.support.pages import Page, read
from tests.support.product import sending
from tests.support.shared import SharedApi
from tests.support.staff import send, signed_in_at_pages, token_of
from tests.support.studio import at, offered, save, says, take, the_form
from tests.support.waiting import eventually


def published(shared: SharedApi, **changed: object) -> int:
    program = created(shared.staff["reviewer"], **changed)
    answer = shared.staff["reviewer"].post(f"/catalog/programs/{program['id']}/publish")
    assert answer.status_code == 200, answer.text
    return int(program["id"])


def status_of(shared: SharedApi, program_id: object) -> str:
    return str(shared.staff["editor"].get(f"/catalog/programs/{program_id}").json()["data"]["status"])


def test_steps_are_offered_to_whoever_may_take_them(shared: SharedApi) -> None:
    editor, reviewer = (signed_in_at_pages(shared.listener, role) for role in ("editor", "reviewer"))
    program_id = created(shared.staff["editor"])["id"]
    assert offered(read(editor, at(program_id))) == {"submit"}
    assert offered(read(reviewer, at(program_id))) == {"submit", "publish", "schedule", "archive", "delete"}
    assert take(editor, program_id, "submit") == says("editor_done.submit")
    assert offered(read(editor, at(program_id))) == set()
    for name in ("publish", "approve"):
        # Whoever knows the address may not either.
        answer = editor.get(f"{at(program_id)}/do/{name}")
        assert answer.headers["location"] == f"{at(program_id)}?done=not_now"
        token = token_of(read(editor, "/sign-in"))
        assert send(editor, f"{at(program_id)}/do/{name}", token=token, seen="2").status_code == 403
    assert status_of(shared, program_id) == "in_review"
    assert take(reviewer, program_id, "approve") == says("editor_done.approve")
    page = read(reviewer, at(program_id))
    assert offered(page) == {"unpublish", "archive", "delete"}
    assert page.one("p", id="found").get("data-ask") == f"{at(program_id)}/searchable"


@pytest.mark.slow
def test_a_program_is_led_through_every_state(shared: SharedApi) -> None:
    reviewer = signed_in_at_pages(shared.listener, "reviewer")
    program_id = created(shared.staff["reviewer"])["id"]
    told = {"at": "2100-05-01T09:30", "zone": "Asia/Riyadh"}
    assert take(reviewer, program_id, "schedule", **told) == says("editor_done.schedule")
    found = shared.staff["editor"].get(f"/catalog/programs/{program_id}").json()["data"]
    assert found["scheduledPublishAt"] == "2100-05-01T06:30:00Z"
    page = read(reviewer, at(program_id))
    assert "1 May 2100, 09:30" in page.texts("time")
    for step, status in (
        ("unschedule", "draft"),
        ("publish", "published"),
        ("unpublish", "draft"),
        ("archive", "archived"),
        ("restore", "draft"),
    ):
        assert take(reviewer, program_id, step) == says(f"editor_done.{step}"), step
        assert status_of(shared, program_id) == status
    answer = submit(
        reviewer,
        (asked := read(reviewer, f"{at(program_id)}/do/delete")),
        asked.one("form", action=f"{at(program_id)}/do/delete"),
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/studio/programs")
    assert reviewer.get(at(program_id)).status_code == 404


def test_a_step_is_about_what_was_read(shared: SharedApi) -> None:
    reviewer = signed_in_at_pages(shared.listener, "reviewer")
    program_id = created(shared.staff["editor"], title="Read")["id"]
    asked = read(reviewer, f"{at(program_id)}/do/publish")
    shared.staff["editor"].patch(f"/catalog/programs/{program_id}", {"title": "Changed since"})
    answer = Page(
        submit(reviewer, asked, asked.one("form", action=f"{at(program_id)}/do/publish"), comment="I like it")
    )
    assert answer.texts("p", role="alert") == [says("editor_step.code_stale_revision")]
    assert answer.texts("textarea") == ["I like it"]
    assert status_of(shared, program_id) == "draft"


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"at": "", "zone": "Asia/Riyadh"}, "no_time"),
        ({"at": "soon", "zone": "Asia/Riyadh"}, "no_time"),
        ({"at": "2100-05-01T09:30", "zone": "Mars"}, "no_time"),
        ({"at": "2001-05-01T09:30", "zone": "Asia/Riyadh"}, "code_validation_failed"),
    ],
)
def test_a_wrong_time_is_said_and_stays(fields: dict[str, str], text: str, shared: SharedApi) -> None:
    reviewer = signed_in_at_pages(shared.listener, "reviewer")
    program_id = created(shared.staff["reviewer"])["id"]
    page = take(reviewer, program_id, "schedule", **fields)
    assert isinstance(page, Page)
    assert page.texts("p", role="alert") == [says(f"editor_step.{text}")]
    assert [page.one("input", name=name).get("value") for name in ("at", "zone")] == [*fields.values()]
    assert status_of(shared, program_id) == "draft"


def test_a_reviewer_gives_back_with_a_comment_alone(shared: SharedApi) -> None:
    editor, reviewer = (signed_in_at_pages(shared.listener, role) for role in ("editor", "reviewer"))
    program_id = created(shared.staff["editor"])["id"]
    take(editor, program_id, "submit")
    for comment, text in ((" ", "silent"), ("a" * 2001, "long")):
        page = take(reviewer, program_id, "reject", comment=comment)
        assert isinstance(page, Page)
        assert page.texts("p", role="alert") == [says(f"editor_step.{text}")]
    assert take(reviewer, program_id, "reject", comment="No\r\nguest.") == says("editor_done.reject")
    assert status_of(shared, program_id) == "draft"
    assert read(editor, at(program_id)).texts("p", class_="words") == ["No guest."]


def waiting(shared: SharedApi, program_id: int) -> dict[str, object] | None:
    found = shared.staff["editor"].get(f"/catalog/programs/{program_id}/pending")
    return found.json()["data"] if found.status_code == 200 else None


def test_what_waits_stands_beside_what_listeners_see(shared: SharedApi) -> None:
    program_id = published(shared, title="Coffee of the evening", tags=["one"], description="Text")
    editor, reviewer = (signed_in_at_pages(shared.listener, role) for role in ("editor", "reviewer"))
    # Whoever writes, listeners see nothing of it.
    for person, title in ((reviewer, "Coffee of the morning"), (editor, "Tea of the <b>morning</b>")):
        assert save(person, at(program_id), title=title) == f"{at(program_id)}?done=saved"
    assert shared.listener.get(f"/discovery/programs/{program_id}").json()["data"]["title"] == (
        "Coffee of the evening"
    )
    page = read(editor, at(program_id))
    (section,) = page.all("section", id="waiting")
    assert [e.text for e in page.within(section, "del")] == ["Coffee", "evening"]
    assert [e.text for e in page.within(section, "ins")] == ["Tea", "<b>morning</b>"]
    assert the_form(page)["title"] == "Tea of the <b>morning</b>"
    assert offered(page) == {"pending_submit", "pending_discard"}
    assert take(editor, program_id, "pending_submit") == says("editor_done.pending_submit")
    assert take(reviewer, program_id, "pending_reject", comment="Which tea?") == says(
        "editor_done.pending_reject"
    )
    assert "Which tea?" in " ".join(read(editor, at(program_id)).texts("section", id="waiting"))
    take(editor, program_id, "pending_submit")
    assert take(reviewer, program_id, "pending_approve") == says("editor_done.pending_approve")
    assert waiting(shared, program_id) is None
    save(editor, at(program_id), title="Another")
    assert take(editor, program_id, "pending_discard") == says("editor_done.pending_discard")
    assert waiting(shared, program_id) is None


def test_a_field_that_changed_on_both_sides_is_settled(shared: SharedApi) -> None:
    program_id = published(shared, title="Live", description="Live")
    reviewer = signed_in_at_pages(shared.listener, "reviewer")
    save(reviewer, at(program_id), title="Waits", description="Waits")
    shared.staff["reviewer"].patch(
        f"/catalog/programs/{program_id}", {"title": "Live again", "description": "Live again"}
    )
    page = take(reviewer, program_id, "pending_publish")
    assert isinstance(page, Page)
    assert page.texts("p", role="alert") == [says("editor_step.code_pending_conflict")]

    def settle(field: str, keep: str) -> str:
        page = read(reviewer, at(program_id))
        (form,) = (
            one
            for one in page.all("form", action=f"{at(program_id)}/disputed")
            if [page.within(one, "input", name=n)[0].get("value") for n in ("field", "keep")] == [field, keep]
        )
        return submit(reviewer, page, form).headers["location"]

    assert settle("title", "waiting") == f"{at(program_id)}?done=settled"
    assert settle("description", "live") == f"{at(program_id)}?done=settled"
    found = waiting(shared, program_id)
    assert found is not None
    assert (found["changes"], found["conflicts"]) == ({"title": "Waits"}, [])
    assert take(reviewer, program_id, "pending_publish") == says("editor_done.pending_publish")
    token = token_of(read(reviewer, "/sign-in"))
    answer = send(reviewer, f"{at(program_id)}/disputed", token=token, field="title", keep="live", seen="1")
    assert answer.headers["location"] == f"{at(program_id)}?done=not_now"
    for path in ("disputed", "sources"):
        assert send(reviewer, f"{at(program_id)}/{path}", token=token, field="rev").status_code == 400


def test_a_field_whose_live_value_changed_since_it_was_read_is_not_settled(shared: SharedApi) -> None:
    program_id = published(shared, title="Live")
    reviewer = signed_in_at_pages(shared.listener, "reviewer")
    save(reviewer, at(program_id), title="Waits")
    shared.staff["reviewer"].patch(f"/catalog/programs/{program_id}", {"title": "Live again"})
    page = read(reviewer, at(program_id))
    shared.staff["reviewer"].patch(f"/catalog/programs/{program_id}", {"title": "Live once more"})
    for form in page.all("form", action=f"{at(program_id)}/disputed"):
        assert submit(reviewer, page, form).headers["location"] == f"{at(program_id)}?done=not_now"
    found = waiting(shared, program_id)
    assert found is not None
    assert (found["changes"], found["conflicts"]) == ({"title": "Waits"}, ["title"])


def test_what_stands_beside_the_form_is_given_alone_and_asks_no_engine(shared: SharedApi) -> None:
    program_id = published(shared, title="Beside")
    reviewer = signed_in_at_pages(shared.listener, "reviewer")
    whole = read(reviewer, at(program_id))
    part = Page(reviewer.get(f"{at(program_id)}/side"))
    assert (part.status, part.all("form", id="program"), part.texts("h1")) == (200, [], [])
    assert offered(part) == offered(whole)
    beside = part.one("div", class_="side")
    assert beside.get("data-edition") == whole.one("form", id="program").get("data-edition")
    # Whether listeners find it is asked at an address of its own.
    assert part.one("p", id="found").get("data-ask") == f"{at(program_id)}/searchable"


def test_not_more_wait_for_a_program_than_there_is_room_for() -> None:
    room = Room(2)
    with room.entered() as first, room.entered() as second, room.entered() as third:
        assert (first, second, third) == (True, True, False)
    with room.entered() as again:
        assert again


def test_a_program_is_previewed_as_listeners_would_see_it(shared: SharedApi) -> None:
    program_id = published(shared, title="Live title", mediaUrl="https://media.example.com/a.mp3")
    editor = signed_in_at_pages(shared.listener, "editor")
    save(editor, at(program_id), title="Title that waits")
    draft_id = created(shared.staff["editor"], title="A draft")["id"]
    for number, title in ((program_id, "Title that waits"), (draft_id, "A draft")):
        for language, word in (("ar", "معاينة"), ("en", "Preview")):
            page = read(editor, f"{at(number)}/preview/{language}")
            assert (page.status, page.root.get("lang"), page.texts("h1")) == (200, language, [title])
            assert page.one("aside", class_="preview-mark").get("aria-label") == word
            assert (page.headers["cache-control"], page.headers["x-robots-tag"]) == ("no-store", "noindex")
            assert [meta.get("content") for meta in page.all("meta", name="robots")] == ["noindex"]
            # A play of it counts for no program, and the history of the pages does not keep it.
            plays = page.all("div", class_="play")
            assert [e.get("data-id") for e in plays] == ([None] if number == program_id else [])
            body = page.one("body")
            assert body.get("hx-history") == "false"
            assert not [name for name in body.attrib if name.startswith("hx-boost")]
    assert editor.get(f"{at(draft_id)}/preview/fr").status_code == 404
    ops = signed_in_at_pages(shared.listener, "ops")
    assert ops.get(f"{at(draft_id)}/preview/ar").status_code == 403


def test_whether_listeners_find_it_is_said(shared: SharedApi) -> None:
    reviewer = signed_in_at_pages(shared.listener, "reviewer")
    program_id = published(shared, title="Found soon")
    address = shared.settings.indexer.redis_cache_url
    with Redis.from_url(address) as redis, sending(shared.settings, redis):
        found = eventually(
            lambda: (
                (answer := reviewer.get(f"{at(program_id)}/searchable").json())["state"] == "yes" and answer
            ),
            what="searchable",
        )
    assert isinstance(found, dict)
    assert found["text"].startswith("Searchable after ")
    assert says("editor_found.yes") in read(reviewer, at(program_id)).texts("p", id="found")
    draft_id = created(shared.staff["editor"])["id"]
    assert reviewer.get(f"{at(draft_id)}/searchable").json()["state"] == "no"
    assert reviewer.get(f"{at(999_999)}/searchable").status_code == 404


def test_what_people_do_not_do_is_no_step(shared: SharedApi) -> None:
    reviewer = signed_in_at_pages(shared.listener, "reviewer")
    program_id = created(shared.staff["editor"])["id"]
    for action in ("withdraw", "undelete", "explode"):
        assert reviewer.get(f"{at(program_id)}/do/{action}").status_code == 404, action
