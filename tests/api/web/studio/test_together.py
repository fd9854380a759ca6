"""Several people at one program, without a browser's scripts: two who write at once, comments, the history, sources."""

import json

import pytest
from sqlalchemy import text

from tests.support.editorial import created
from tests.support.filled import fields, submit
from tests.support.pages import Page, read, text_of
from tests.support.shared import SharedApi
from tests.support.staff import send, signed_in_at_pages, token_of
from tests.support.studio import at, save, says, the_form

SCRIPT = {"Accept": "application/json"}


def program_of(shared: SharedApi, program_id: object) -> dict[str, object]:
    found: dict[str, object] = shared.staff["editor"].get(f"/catalog/programs/{program_id}").json()["data"]
    return found


def test_two_who_write_at_once_see_both_versions_and_lose_nothing(shared: SharedApi) -> None:
    editor, reviewer = (signed_in_at_pages(shared.listener, role) for role in ("editor", "reviewer"))
    program_id = created(shared.staff["editor"], title="Was", description="Was", tags=["was"])["id"]
    page = read(editor, at(program_id))
    save(reviewer, at(program_id), title="Theirs", description="Theirs")
    answer = Page(
        submit(editor, page, page.one("form", id="program"), title="Mine", tags="mine", durationSec="1:00")
    )
    assert answer.status == 412
    assert answer.texts("p", role="alert") == [says("editor_merge.why").format(who="reviewer@example.com")]
    form = answer.one("form", id="merge")
    assert [text_of(legend) for legend in answer.within(form, "legend")] == [
        says(f"editor_field.{name}") for name in ("title", "description", "durationSec", "tags")
    ]
    chosen = {name: value for name, value in fields(answer, form).items() if name.startswith("choose.")}
    # A field that both changed waits for a choice; the others have one.
    assert chosen == {"choose.description": "theirs", "choose.durationSec": "mine", "choose.tags": "mine"}
    assert {
        radio.get("name") for radio in answer.all("input", type="radio") if radio.get("required") is not None
    }
    assert program_of(shared, program_id)["title"] == "Theirs"
    # A third change meanwhile leads to the choice once more.
    save(reviewer, at(program_id), tags="third")
    again = Page(submit(editor, answer, form, **{"choose.title": "mine"}))
    assert again.status == 412
    form = again.one("form", id="merge")
    assert "choose.tags" not in fields(again, form)
    done = submit(editor, again, form, **{"choose.tags": "mine"})
    assert done.headers["location"] == f"{at(program_id)}?done=merged"
    found = program_of(shared, program_id)
    assert (found["title"], found["description"]) == ("Mine", "Theirs")
    assert (found["tags"], found["durationSec"]) == (["mine"], 60)


def test_the_other_version_can_be_chosen_and_wrong_choices_are_refused(shared: SharedApi) -> None:
    editor, reviewer = (signed_in_at_pages(shared.listener, role) for role in ("editor", "reviewer"))
    program_id = created(shared.staff["editor"], title="Was")["id"]
    page = read(editor, at(program_id))
    save(reviewer, at(program_id), title="Theirs")
    created(shared.staff["editor"], slug="somebody-elses")
    answer = Page(submit(editor, page, page.one("form", id="program"), title="Mine", slug="somebody-elses"))
    form = answer.one("form", id="merge")
    refused = Page(submit(editor, answer, form, **{"choose.title": "mine"}))
    assert refused.status == 422
    assert text_of(refused.one("p", data_fault="slug")) == says("editor_fault.slug_conflict")
    assert (the_form(refused)["title"], the_form(refused)["slug"]) == ("Mine", "somebody-elses")
    done = submit(editor, answer, form, **{"choose.title": "theirs", "choose.slug": "theirs"})
    assert done.headers["location"] == f"{at(program_id)}?done=merged"
    assert program_of(shared, program_id)["title"] == "Theirs"
    for wrong in ({"mine": "x"}, {"base": "[]"}):
        assert send(editor, f"{at(program_id)}/merge", **fields(answer, form) | wrong).status_code == 400


def test_a_script_saves_the_same_form_and_is_told_what_is_wrong(shared: SharedApi) -> None:
    editor, reviewer = (signed_in_at_pages(shared.listener, role) for role in ("editor", "reviewer"))
    form = the_form(read(editor, "/studio/programs/new"))

    def tell(path: str, **sent: str) -> tuple[int, dict[str, object]]:
        answer = editor.ask("POST", path, data=form | sent, headers=SCRIPT)
        assert answer.headers["cache-control"] == "no-store"
        return answer.status_code, answer.json()

    status, kept = tell("/studio/programs/new", title="", durationSec="x")
    assert (status, kept["id"]) == (422, None)
    status, kept = tell("/studio/programs/new", title="By a script")
    assert (status, kept["code"], kept["faults"]) == (200, "saved", {})
    path = at(kept["id"])
    form |= {"title": "By a script", "slug": "by-a-script"}
    begun = {"seen": str(kept["seen"]), "base": json.dumps(kept["base"])}
    # What is right is saved, whatever is wrong beside it.
    status, kept = tell(path, **begun, description="Right", durationSec="x", slug="!!!", mediaUrl="ftp://x")
    assert (status, kept["code"]) == (200, "saved")
    faults = kept["faults"]
    assert isinstance(faults, dict)
    assert set(faults) == {"durationSec", "slug", "mediaUrl"}
    found = program_of(shared, kept["id"])
    assert (found["description"], found["slug"]) == ("Right", "by-a-script")
    # A request whose answer got lost is sent again.
    status, again = tell(path, **begun, description="Right")
    assert (status, again["seen"]) == (200, kept["seen"])
    save(reviewer, path, title="Theirs")
    now = {"seen": str(kept["seen"]), "base": json.dumps(kept["base"])}
    assert tell(path, **now, title="Mine")[0] == 412
    assert program_of(shared, kept["id"])["title"] == "Theirs"
    shared.staff["reviewer"].delete(f"/catalog/programs/{kept['id']}")
    assert tell(path, **now, title="Mine")[0] == 404


def test_threads_begin_are_replied_to_resolved_and_opened_again(shared: SharedApi) -> None:
    editor, reviewer = (signed_in_at_pages(shared.listener, role) for role in ("editor", "reviewer"))
    program_id = created(shared.staff["editor"])["id"]

    def say(browser: object, action: str, **said: str) -> Page | str:
        person = editor if browser == "editor" else reviewer
        page = read(person, at(program_id))
        answer = submit(person, page, page.one("form", action=f"{at(program_id)}/comments{action}"), **said)
        return answer.headers["location"] if answer.status_code == 303 else Page(answer)

    assert say("reviewer", "", body="Which\r\ncafé?", field="tags") == f"{at(program_id)}?done=said#talk"
    page = read(editor, at(program_id))
    (thread,) = page.all("article", class_="thread")
    assert [text_of(e) for e in page.within(thread, "span")] == [says("editor_field.tags")]
    number = shared.staff["editor"].get(f"/catalog/programs/{program_id}/comments").json()["data"][0]["id"]
    assert say("editor", f"/{number}/reply", body="That one.") == f"{at(program_id)}?done=said#talk"
    # Whoever did not begin it settles nothing, unless it is a reviewer.
    assert not read(editor, at(program_id)).all("form", action=f"{at(program_id)}/comments/{number}/resolve")
    path = f"{at(program_id)}/comments/{number}"
    token = token_of(read(editor, "/sign-in"))
    assert send(editor, f"{path}/resolve", token=token).status_code == 403
    assert send(editor, f"{path}/explode", token=token).status_code == 404
    assert say("reviewer", f"/{number}/resolve") == f"{at(program_id)}?done=resolve#talk"
    assert says("editor_talk.none") in read(editor, at(program_id)).texts("p", class_="hint")
    assert say("reviewer", f"/{number}/reopen") == f"{at(program_id)}?done=reopen#talk"
    for action in ("", f"/{number}/reply"):
        for body in ("", "a" * 2001):
            refused = say("editor", action, body=body, **({"field": "title"} if not action else {}))
            assert isinstance(refused, Page)
            assert (refused.status, refused.texts("p", role="alert")) == (422, [says("editor_talk.refused")])
            assert body.strip() in refused.texts("textarea")
    (found,) = shared.staff["editor"].get(f"/catalog/programs/{program_id}/comments").json()["data"]
    assert (found["body"], [r["body"] for r in found["replies"]]) == ("Which\ncafé?", ["That one."])


def test_a_comment_that_is_sent_twice_is_there_once(shared: SharedApi) -> None:
    editor = signed_in_at_pages(shared.listener, "editor")
    program_id = created(shared.staff["editor"])["id"]
    page = read(editor, at(program_id))
    form = page.one("form", action=f"{at(program_id)}/comments")
    for _ in range(2):
        assert submit(editor, page, form, body="Once").status_code == 303
    assert len(shared.staff["editor"].get(f"/catalog/programs/{program_id}/comments").json()["data"]) == 1


def test_the_history_says_who_changed_what_and_restores_it(shared: SharedApi) -> None:
    editor, reviewer = (signed_in_at_pages(shared.listener, role) for role in ("editor", "reviewer"))
    program_id = created(shared.staff["editor"], title="First", tags=["one"])["id"]
    save(reviewer, at(program_id), title="Second", tags="two", description="New")
    page = read(editor, f"{at(program_id)}/history")
    newer, older = page.all("li", class_="card")
    assert next(text_of(e) for e in page.within(newer, "header")).startswith(
        "Revision 2 written reviewer@example.com"
    )
    assert [text_of(e) for e in page.within(newer, "dt")] == [
        says(f"editor_field.{name}") for name in ("description", "tags", "title")
    ]
    assert not page.within(older, "dt")
    compared = read(editor, f"{at(program_id)}/history", **{"from": "1", "to": "2"})
    (section,) = compared.all("section", class_="card")
    assert [e.text for e in compared.within(section, "ins")] == ["Second"]
    asked = read(editor, f"{at(program_id)}/history/1/restore")
    assert says("editor_ask.effect_restore") in asked.texts("p")
    form = asked.one("form", action=f"{at(program_id)}/history/1/restore")
    save(reviewer, at(program_id), description="Newer")
    assert submit(editor, asked, form).headers["location"] == f"{at(program_id)}?done=not_now"
    asked = read(editor, f"{at(program_id)}/history/1/restore")
    form = asked.one("form", action=f"{at(program_id)}/history/1/restore")
    assert submit(editor, asked, form).headers["location"] == f"{at(program_id)}?done=restored"
    found = program_of(shared, program_id)
    assert (found["title"], found["tags"], found["description"]) == ("First", ["one"], "")
    for wrong, status in (
        ({"from": "x", "to": "1"}, 400),
        ({"from": "1", "to": "999"}, 404),
        ({"before": "0"}, 400),
    ):
        assert editor.get(f"{at(program_id)}/history", **wrong).status_code == status, wrong
    assert editor.get(f"{at(program_id)}/history/999/restore").status_code == 404


def test_a_long_history_has_pages(shared: SharedApi) -> None:
    editor = signed_in_at_pages(shared.listener, "editor")
    program_id = created(shared.staff["editor"])["id"]
    for n in range(24):
        shared.staff["editor"].patch(f"/catalog/programs/{program_id}", {"title": f"Title {n}"})
    page = read(editor, f"{at(program_id)}/history")
    assert len(page.all("li", class_="card")) == 20
    older = next(link for link in page.links() if "before=" in link)
    rest = read(editor, older)
    assert [text_of(e) for e in rest.all("h2")] == [f"Revision {n}" for n in range(5, 0, -1)]


def differ(shared: SharedApi, program_id: object, title: str) -> None:
    """Let a source of a program say another title."""
    with shared.database.begin() as connection:
        run = connection.execute(
            text("INSERT INTO import_runs (kind, namespace) VALUES ('json', 'any') RETURNING id")
        ).scalar_one()
        connection.execute(
            text(
                "INSERT INTO import_conflicts (program_id, field, source_value, run_id) "
                "VALUES (:p, 'title', to_jsonb(CAST(:t AS text)), :r) "
                "ON CONFLICT (program_id, field) DO UPDATE SET source_value = excluded.source_value"
            ),
            {"p": program_id, "t": title, "r": run},
        )


@pytest.mark.parametrize("keep", ["source", "mine"])
def test_a_conflict_with_a_source_is_settled(keep: str, shared: SharedApi) -> None:
    reviewer = signed_in_at_pages(shared.listener, "reviewer")
    program_id = created(shared.staff["reviewer"], title="Written here")["id"]
    shared.staff["reviewer"].post(f"/catalog/programs/{program_id}/publish")
    differ(shared, program_id, "From the <source>")
    page = read(reviewer, at(program_id))
    (form,) = (
        one
        for one in page.all("form", action=f"{at(program_id)}/sources")
        if page.within(one, "input", name="keep")[0].get("value") == keep
    )
    answer = submit(reviewer, page, form)
    if keep == "source":
        # Listeners would see it at once.
        asked = Page(answer)
        assert says("editor_ask.effect_sources") in asked.texts("p")
        assert asked.texts("span", class_="told") == ["Written here", "From the <source>"]
        assert program_of(shared, program_id)["title"] == "Written here"
        answer = submit(reviewer, asked, asked.one("form", action=f"{at(program_id)}/sources"))
    assert answer.headers["location"] == f"{at(program_id)}?done=settled"
    assert program_of(shared, program_id)["title"] == (
        "From the <source>" if keep == "source" else "Written here"
    )
    assert not read(reviewer, at(program_id)).all("section", id="sources")


@pytest.mark.parametrize("keep", ["source", "mine"])
def test_a_conflict_that_changed_since_it_was_read_is_not_settled(keep: str, shared: SharedApi) -> None:
    reviewer = signed_in_at_pages(shared.listener, "reviewer")
    program_id = created(shared.staff["reviewer"], title="Written here")["id"]
    shared.staff["reviewer"].post(f"/catalog/programs/{program_id}/publish")
    differ(shared, program_id, "Of the source")
    page = read(reviewer, at(program_id))
    (form,) = (
        one
        for one in page.all("form", action=f"{at(program_id)}/sources")
        if page.within(one, "input", name="keep")[0].get("value") == keep
    )
    if keep == "source":
        page = Page(submit(reviewer, page, form))
        form = page.one("form", action=f"{at(program_id)}/sources")
    differ(shared, program_id, "Of the source since")
    assert submit(reviewer, page, form).headers["location"] == f"{at(program_id)}?done=not_now"
    assert program_of(shared, program_id)["title"] == "Written here"
    assert read(reviewer, at(program_id)).all("section", id="sources")


def test_only_the_revision_that_is_open_has_its_words_compared(shared: SharedApi) -> None:
    editor = signed_in_at_pages(shared.listener, "editor")
    program_id = created(shared.staff["editor"], title="One two")["id"]
    for title in ("One three", "One four"):
        shared.staff["editor"].patch(f"/catalog/programs/{program_id}", {"title": title})
    page = read(editor, f"{at(program_id)}/history")
    assert [e.text for e in page.all("ins")] == ["four"]
    assert "One three" in page.texts("span", class_="told")
