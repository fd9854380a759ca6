"""The board of operators, without a browser: who sees it, what it says is wrong, and that it asks before it acts."""

import re
from pathlib import Path

import pytest
from sqlalchemy import text

from api.web.board.actions import ACTIONS
from api.web.rendering.locales import texts
from catalog.core.db import session_factory
from catalog.imports.models import SOURCE_STATES, STATUSES
from catalog.indexing.models import ENGINE_STATES, JOB_STATES, REPORT_STATES
from catalog.indexing.states import TARGET_STATES
from catalog.programs import lifecycle
from catalog.review.states import PROGRAM_STATES
from tests.support.acting import act
from tests.support.pages import Page, read
from tests.support.programs import EDITOR, make
from tests.support.shared import SharedApi
from tests.support.staff import send, signed_in_at_pages, token_of, visitor

PAGES = ("", "/do/purge_all", "/programs?q=1", "/runbooks")


def test_the_text_of_a_runbook_is_that_of_the_documents() -> None:
    documents = Path("docs/reliability.md").read_text()
    found = re.findall(r"^### (\w+)\n(.*?)(?=^###|\Z)", documents, re.MULTILINE | re.DOTALL)
    known = {
        name: " ".join(re.sub(r"\[([^]]*)\]\([^)]*\)|[`*]", r"\1", said).split()) for name, said in found
    }
    own = {
        name.removeprefix("runbook."): said
        for name, said in texts("en").items()
        if name.startswith("runbook.")
    }
    assert {name: said for name, said in own.items() if name in known} == {
        name: said for name, said in known.items() if name in own
    }
    assert own.keys() - known.keys() == {"EngineDrained", "OtherSettings", "QueueAway"}


@pytest.mark.slow
@pytest.mark.parametrize("language", ["ar", "en"])
def test_every_page_is_valid_html_in_its_language(
    language: str, shared: SharedApi, reading: dict[str, int]
) -> None:
    browser = signed_in_at_pages(shared.listener, "ops")
    browser.get(f"/language/{language}")
    for path in (*PAGES, "?done=audit", "/programs?q=coffee", *(f"/do/{name}?{FILLED}" for name in ACTIONS)):
        page = read(browser, f"/ops/board{path}")
        assert (page.status, page.root.get("lang")) == (200, language), path
        ids = [element.get("id") for element in page.root.iter() if element.get("id")]
        assert len(ids) == len(set(ids)), path
        assert not [
            e for e in page.root.iter() if e.get("style") or any(n.startswith("on") for n in e.attrib)
        ]
        assert len(page.all("h1")) == 1, path
        anchors = [link for link in page.links() if link.startswith("#")]
        assert {anchor[1:] for anchor in anchors} <= set(ids), path


FILLED = "engine=default&program=1&rebuild=1&queue=reindex&job=x&import=1&source=1"


@pytest.mark.parametrize("path", PAGES)
def test_the_board_is_for_operators_alone(path: str, shared: SharedApi) -> None:
    answer = visitor(shared.listener).get(f"/ops/board{path}")
    assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/sign-in")
    assert "next=%2Fops%2Fboard" in answer.headers["location"]
    for role, status in (("editor", 403), ("reviewer", 403), ("ops", 200), ("admin", 200)):
        assert Page(signed_in_at_pages(shared.listener, role).get(f"/ops/board{path}")).status == status, role


def events(shared: SharedApi) -> int:
    with shared.database.connect() as connection:
        return int(connection.execute(text("SELECT count(*) FROM audit_events")).scalar_one())


def test_an_action_needs_the_role_and_a_form_of_the_session(shared: SharedApi) -> None:
    ops, editor = (signed_in_at_pages(shared.listener, role) for role in ("ops", "editor"))
    own, theirs = (token_of(read(browser, "/sign-in")) for browser in (ops, editor))
    before = events(shared)
    for browser, token in ((ops, ""), (ops, theirs), (editor, theirs), (editor, own)):
        for name in ACTIONS:
            path = f"/ops/board/do/{name}"
            answer = send(browser, path, **dict(pair.split("=") for pair in FILLED.split("&")), token=token)
            assert answer.status_code == 403, name
    assert send(visitor(shared.listener), "/ops/board/do/purge_all", token=own).status_code == 303
    assert events(shared) == before


def test_every_state_has_words() -> None:
    known = (
        *(ENGINE_STATES, TARGET_STATES, JOB_STATES, REPORT_STATES),
        *(STATUSES, SOURCE_STATES, PROGRAM_STATES),
    )
    states = {state for group in known for state in group}
    assert {f"state.{state}" for state in states} == {n for n in texts("ar") if n.startswith("state.")}


def test_a_drained_engine_is_told_and_can_be_resumed(shared: SharedApi) -> None:
    ops = signed_in_at_pages(shared.listener, "ops")
    name = shared.staff["ops"].get("/ops/engines").json()["data"][0]["name"]
    drained = shared.staff["ops"].post(f"/ops/engines/{name}/drain", {"force": True})
    assert drained.status_code == 200, drained.text
    page = read(ops, "/ops/board")
    assert f"An engine is drained: {name}." in page.texts("strong")
    assert texts("en")["state.draining"] in page.texts("span", **{"class": "state"})
    assert page.all("form", action="/ops/board/do/resume")
    assert act(ops, "resume", engine=name) == 303
    assert not read(ops, "/ops/board").all("form", action="/ops/board/do/resume")


@pytest.mark.slow
def test_every_action_asks_once_does_it_and_is_in_the_audit_log(
    shared: SharedApi, reading: dict[str, int]
) -> None:
    ops, api = signed_in_at_pages(shared.listener, "ops"), shared.staff["ops"]

    def last() -> tuple[str, str]:
        found = api.get("/ops/audit-log", limit=1).json()["data"][0]
        assert found["actor"] == "ops@example.com"
        return found["entity"], found["action"]

    program = str(next(iter(reading.values())))
    assert act(ops, "rebuild", engine="default") == 303
    assert last() == ("reindex_job", "reindex")
    job = api.get("/ops/reindex", limit=1).json()["data"][0]
    # One at a time, and what the state does not allow is said on a page.
    assert act(ops, "rebuild", engine="default") == 409
    assert act(ops, "roll_back", rebuild=str(job["id"])) == 409
    assert act(ops, "cancel_rebuild", rebuild=str(job["id"])) == 303
    assert last() == ("reindex_job", "cancel")
    assert act(ops, "drain", engine="default") == 409
    assert act(ops, "resume", engine="default") == 303
    for name, fields, event in (
        ("unpark", {"program": program}, ("index", "unpark")),
        ("unpark_all", {}, ("index", "unpark")),
        ("audit", {}, ("drift_report", "audit")),
        ("repair", {}, ("drift_report", "audit")),
        ("purge", {"program": program}, ("cache", "purge")),
        ("purge_all", {}, ("cache", "purge")),
        ("retry", {"queue": "imports", "job": "no-such-job"}, ("queue", "retry")),
        ("retry_all", {"queue": "imports"}, ("queue", "retry")),
        ("delete_job", {"queue": "imports", "job": "no-such-job"}, ("queue", "cancel")),
        ("empty", {"queue": "imports"}, ("queue", "cancel")),
    ):
        assert act(ops, name, **fields) == 303, name
        assert last() == event, name
    listed = api.get("/ops/audit-log", limit=100).json()
    assert [event["id"] for event in listed["data"]] == sorted(
        (e["id"] for e in listed["data"]), reverse=True
    )
    assert listed["data"][0]["diff"] == {"queue": [None, "imports"], "jobIds": [None, []]}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/do/explode", 404),
        ("/do/purge", 400),
        ("/do/purge?program=abc", 400),
        ("/do/purge?program=-1", 400),
        ("/do/purge?program=" + "9" * 30, 400),
        ("/do/drain?engine=" + "a" * 300, 400),
        ("/nowhere", 404),
    ],
)
def test_what_makes_no_sense_is_refused(path: str, status: int, shared: SharedApi) -> None:
    assert signed_in_at_pages(shared.listener, "ops").get(f"/ops/board{path}").status_code == status


def test_a_long_reason_is_refused(shared: SharedApi) -> None:
    ops = signed_in_at_pages(shared.listener, "ops")
    token = token_of(read(ops, "/sign-in"))
    answer = send(ops, "/ops/board/do/rebuild", token=token, engine="default", reason="a" * 300)
    assert answer.status_code == 400


def test_why_a_program_is_not_found(shared: SharedApi, reading: dict[str, int]) -> None:
    with session_factory(shared.database).begin() as session:
        draft = make(session, title="Lighthouse 100% draft")
        gone = make(session, title="Lighthouse deleted")
        lifecycle.transition(session, gone.id, "delete", EDITOR)
        draft_id = draft.id
    ops = signed_in_at_pages(shared.listener, "ops")
    number = reading["The coffee film"]
    shown, *_ = read(ops, "/ops/board/programs", q=str(number)).texts("ul", class_="verdicts")
    assert "Visible. The catalogue shows it to listeners." in shown
    assert "has its newest document." in shown
    assert "Right. Listeners get it at its address" in shown
    page = read(ops, "/ops/board/programs", q="LIGHTHOUSE")
    assert page.texts("h2") == ["Lighthouse deleted", "Lighthouse 100% draft"]
    deleted, drafted = page.texts("ul", class_="verdicts")
    assert "Hidden. It is deleted." in deleted
    assert "Hidden. It is a draft: nobody has published it." in drafted
    assert "does not have it, and should not." in drafted
    assert read(ops, "/ops/board/programs", q="100% d").texts("h2") == ["Lighthouse 100% draft"]
    assert read(ops, "/ops/board/programs", q="<b>").texts("p", role="status") == [
        "No program has the id “<b>” or a title with it."
    ]
    found = shared.staff["ops"].get("/ops/programs", q=str(draft_id)).json()["data"]
    assert (found[0]["id"], found[0]["visible"], found[0]["status"]) == (draft_id, False, "draft")
    for words, titles in (("قهوه المسا", ["قهوة المساء"]), ("ligHthouse\\", []), ("_ighthouse", [])):
        found = shared.staff["ops"].get("/ops/programs", q=words).json()["data"]
        assert [program["title"] for program in found] == titles
    assert shared.staff["ops"].get("/ops/programs").json()["code"] == "invalid_parameter"


def test_what_operators_read_over_http(shared: SharedApi, reading: dict[str, int]) -> None:
    ops = shared.staff["ops"]
    shared.listener.get("/discovery/browse")
    kinds = {row["kind"]: row for row in ops.get("/ops/caches").json()["data"]}
    assert 0 <= kinds["page"]["hitRate"] <= 1
    with shared.database.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO import_sources (kind, url, namespace, title, failures) "
                "VALUES ('feed', 'https://example.com/secret', 'n', 'Failing', 3)"
            )
        )
        connection.execute(
            text(
                "INSERT INTO import_runs (source_id, kind, namespace, url) SELECT id, kind, namespace, url FROM import_sources"
            )
        )
    found = ops.get("/ops/imports")
    (source,) = found.json()["data"]["sources"]
    assert (source["title"], source["failures"]) == ("Failing", 3)
    (run,) = found.json()["data"]["runs"]
    assert (run["source"], run["status"]) == ("Failing", "queued")
    # The address of a feed may be a secret.
    assert "secret" not in found.text
    page = read(signed_in_at_pages(shared.listener, "ops"), "/ops/board")
    assert any("Failing" in item for item in page.texts("li"))
    assert "secret" not in "".join(page.root.itertext())
