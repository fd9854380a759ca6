"""The studio's pages of imports, without a browser: a dry run and what is chosen of it, sources, conflicts, duplicates."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine as Database
from sqlalchemy import text

from catalog.core.db import session_factory
from catalog.imports.models import ImportConflict
from catalog.merging.models import MergeProposal
from tests.support.client import Client
from tests.support.import_requests import CSV, carry_out
from tests.support.importing import episode, rss
from tests.support.pages import Page, read
from tests.support.programs import make
from tests.support.shared import SharedApi
from tests.support.sites import site
from tests.support.staff import send, signed_in_at_pages, token_of, visitor
from tests.support.studio_forms import fields_of, fill, valid

HERE = "/studio/imports"
PAGES = ("", "/sources", "/conflicts", "/merges")


def number_in(location: str) -> int:
    """Return the id at the end of an address."""
    return int(location.partition("?")[0].rpartition("/")[2])


def upload(browser: Client, body: str, name: str = "episodes.csv", **typed: str) -> int:
    """Upload a file with the form of the page; return the id of the run."""
    filled = fields_of(read(browser, HERE), f"{HERE}/file") | {"do": "try"} | typed
    answer = browser.ask("POST", f"{HERE}/file", data=filled, files={"file": (name, body.encode())})
    assert answer.status_code == 303, answer.text
    return number_in(answer.headers["location"])


def count(database: Database, table: str) -> int:
    with database.connect() as connection:
        return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


@pytest.mark.parametrize("path", PAGES)
def test_the_pages_are_for_editors(path: str, shared: SharedApi) -> None:
    answer = visitor(shared.listener).get(HERE + path)
    assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/sign-in")
    for role, status in (("ops", 403), ("editor", 200), ("reviewer", 200), ("admin", 200)):
        assert Page(signed_in_at_pages(shared.listener, role).get(HERE + path)).status == status, role


def test_a_form_of_another_session_starts_nothing(shared: SharedApi) -> None:
    editor, other = (signed_in_at_pages(shared.listener, role) for role in ("editor", "reviewer"))
    theirs = token_of(read(other, HERE))
    before = count(shared.database, "import_runs")
    for path in ("/address", "/sources", "/1/cancel", "/1/apply", "/sources/1/delete", "/merges/1/merge"):
        for token in ("", theirs):
            answer = send(editor, HERE + path, token=token, url="http://feed.invalid/", sourceType="feed")
            assert answer.status_code == 403, path
    file = {"file": ("a.csv", b"title\nx\n")}
    for token in ("", theirs):
        answer = editor.ask("POST", f"{HERE}/file", data={"token": token}, files=file)
        assert answer.status_code == 403
    assert count(shared.database, "import_runs") == before


def test_a_dry_run_shows_what_would_change_and_the_chosen_items_are_imported(
    staff: dict[str, Client], listener: Client, database: Database
) -> None:
    editor = signed_in_at_pages(listener, "editor")
    run_id = upload(editor, CSV, tags="جديد، خاص")
    waits = read(editor, f"{HERE}/{run_id}")
    assert "Its items stand here as soon as they are read." in waits.texts("p", class_="hint")
    assert waits.one("section", id="run").get("data-events") == f"{HERE}/{run_id}/events"
    carry_out(database, run_id)
    assert count(database, "programs") == 0
    page = read(editor, f"{HERE}/{run_id}")
    assert page.texts("h1") == [f"Trial {run_id}"]
    assert page.one("section", id="run").get("data-events") is None
    first, *_, failed = page.texts("tr")[1:11]
    assert "would be created" in first
    assert "Episode 1" in first
    assert "would fail" in failed
    assert "There is none." in failed
    assert len(page.all("input", type="checkbox")) == 36
    # Nothing of what has no program to write can be chosen.
    assert not page.all("input", name="item-10")
    token = token_of(page)
    nothing = send(editor, f"{HERE}/{run_id}/apply", token=token, what="chosen")
    assert (nothing.status_code, "Choose an item." in nothing.text) == (422, True)
    answer = send(
        editor,
        f"{HERE}/{run_id}/apply",
        **{"token": token, "what": "chosen", "item-1": "yes", "item-3": "yes"},
    )
    real = number_in(answer.headers["location"])
    carry_out(database, real)
    done = read(editor, f"{HERE}/{real}")
    assert f"{HERE}/{run_id}" in done.links()
    assert f"{HERE}/{real}" in read(editor, f"{HERE}/{run_id}").links()
    # Enter in a row does nothing; the form sent twice is one import.
    (first_button, *_) = page.within(page.one("form", action=f"{HERE}/{run_id}/apply"), "button")
    assert first_button.get("disabled") is not None
    filled = fields_of(page, f"{HERE}/{run_id}/apply") | {"what": "chosen", "item-2": "yes", "item-4": "yes"}
    twice = [send(editor, f"{HERE}/{run_id}/apply", **filled).headers["location"] for _ in range(2)]
    assert twice[0] == twice[1]
    carry_out(database, number_in(twice[0]))
    assert [row.split()[0] for row in done.texts("tr")[1:]] == ["1", "3"]
    assert count(database, "programs") == 4
    rows = staff["editor"].get("/catalog/programs").json()["data"]
    assert {tuple(row["tags"]) for row in rows} == {("جديد", "خاص")}
    answer = send(editor, f"{HERE}/{run_id}/apply", token=token, what="all")
    carry_out(database, number_in(answer.headers["location"]))
    assert count(database, "programs") == 36
    last = number_in(answer.headers["location"])
    page = read(editor, f"{HERE}/{last}")
    assert f"{HERE}/{last}/errors" in page.links()
    assert editor.get(f"{HERE}/{last}/errors").text.count("No category 'Missing'.") == 4
    narrowed = read(editor, f"{HERE}/{last}", outcome="failed")
    assert len(narrowed.texts("tr")) == 5
    retried = send(editor, f"{HERE}/{last}/retry", token=token)
    assert read(editor, retried.headers["location"]).texts("h1") == [f"Import {last + 1}"]
    assert f"{last + 1}" in read(editor, HERE).texts("tr")[1]


def test_a_run_is_stopped_and_its_progress_is_streamed(listener: Client, staff: dict[str, Client]) -> None:
    editor = signed_in_at_pages(listener, "editor")
    run_id = upload(editor, CSV)
    page = read(editor, f"{HERE}/{run_id}")
    stopped = send(editor, f"{HERE}/{run_id}/cancel", token=token_of(page))
    assert stopped.headers["location"] == f"{HERE}/{run_id}?done=cancelled"
    page = read(editor, stopped.headers["location"])
    assert page.texts("p", role="status")[-1] == "Done: the import is stopped."
    assert "Somebody stopped it." in page.texts("p", class_="said")[0]
    again = send(editor, f"{HERE}/{run_id}/cancel", token=token_of(page))
    assert (again.status_code, "does not allow this" in again.text) == (409, True)
    stream = editor.get(f"{HERE}/{run_id}/events")
    assert stream.headers["content-type"].startswith("text/event-stream")
    assert "event: end" in stream.text


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"url": "ftp://example.com/a"}, "Must be an http(s) address."),
        ({"url": "http://feed.invalid/", "sourceType": "sms"}, "Invalid enum value 'sms'"),
        ({"url": "http://feed.invalid/", "policy": "publish"}, "Your roles do not allow this."),
        ({"url": "http://feed.invalid/", "policy": "other"}, "Invalid enum value 'other'"),
        ({"url": "http://feed.invalid/", "seriesId": "x"}, "Must be a whole number."),
        ({"url": "http://feed.invalid/", "mapping": "Name"}, "Each line must be a column"),
        ({"url": "http://feed.invalid/", "mapping": "Name = nothing"}, "No such field: nothing."),
        ({"url": "http://feed.invalid/", "language": "<b>"}, "language"),
    ],
)
def test_bad_input_names_its_field_and_is_kept(typed: dict[str, str], said: str, shared: SharedApi) -> None:
    editor = signed_in_at_pages(shared.listener, "editor")
    before = count(shared.database, "import_runs")
    answer = fill(editor, HERE, f"{HERE}/address", do="try", **typed)
    page = Page(answer)
    assert page.status in (403, 422)
    assert said in " ".join(page.texts("main"))
    assert fields_of(page, f"{HERE}/address")["url"] == typed["url"]
    assert count(shared.database, "import_runs") == before


def test_what_is_no_file_is_refused(shared: SharedApi) -> None:
    editor = signed_in_at_pages(shared.listener, "editor")
    filled = fields_of(read(editor, HERE), f"{HERE}/file")
    assert "Choose a file." in send(editor, f"{HERE}/file", **filled).text
    for name, body, status in (
        ("a.pdf", b"x", 422),
        ("a.csv", b"", 422),
        ("a\u2028.csv", b"title\nx\n", 400),
    ):
        answer = editor.ask("POST", f"{HERE}/file", data=filled, files={"file": (name, body)})
        assert Page(answer).status == status, name
    broken = {"Content-Type": "multipart/form-data; boundary=x"}
    for body in (b"--y", b'--x\r\nContent-Disposition: form-data; name="token"\r\n\r\n\xff\r\n--x--'):
        assert editor.ask("POST", f"{HERE}/file", data=body, headers=broken).status_code == 400
    assert editor.ask("POST", f"{HERE}/file", json={}).status_code == 415
    assert editor.ask("POST", f"{HERE}/address", files={"file": ("a.csv", b"x")}).status_code == 415


def test_a_file_that_is_too_large_is_refused(shared: SharedApi, monkeypatch: pytest.MonkeyPatch) -> None:
    editor = signed_in_at_pages(shared.listener, "editor")
    filled, before = fields_of(read(editor, HERE), f"{HERE}/file"), count(shared.database, "import_runs")
    monkeypatch.setenv("IMPORT_MAX_FILE_BYTES", "1000")
    # The second one is refused before it is read.
    for size in (2_000, 200_000):
        file = {"file": ("a.csv", b"x" * size)}
        page = Page(editor.ask("POST", f"{HERE}/file", data=filled, files=file))
        assert page.status == 413, page.texts("main")
    assert count(shared.database, "import_runs") == before


def test_what_is_beside_a_file_is_limited_and_the_role_is_checked_before_anything_is_read(
    shared: SharedApi,
) -> None:
    editor, operator = (signed_in_at_pages(shared.listener, role) for role in ("editor", "ops"))
    filled, before = fields_of(read(editor, HERE), f"{HERE}/file"), count(shared.database, "import_runs")
    file = {"file": ("a.csv", b"title\nx\n")}
    answer = editor.ask("POST", f"{HERE}/file", data=filled | {"tags": "x" * 200_000}, files=file)
    assert answer.status_code == 413
    unread = operator.ask("POST", f"{HERE}/file", data=b"{", headers={"Content-Type": "application/json"})
    assert unread.status_code == 403
    other = editor.ask("POST", f"{HERE}/file", data=b"{", headers={"Sec-Fetch-Site": "cross-site"})
    assert other.status_code == 403
    assert count(shared.database, "import_runs") == before


def test_the_page_of_a_list_follows_its_imports(shared: SharedApi) -> None:
    editor = signed_in_at_pages(shared.listener, "editor")
    body = '<opml><body><outline text="A" xmlUrl="https://a.invalid/f"/></body></opml>'
    run_id = upload(editor, body, "feeds.opml")
    part = read(editor, f"{HERE}/{run_id}").one("section", id="parts")
    assert part.get("data-live") is not None
    carry_out(shared.database, run_id)
    assert "each feed is fetched" in " ".join(read(editor, f"{HERE}/{run_id}").texts("p", class_="hint"))


def test_a_form_sent_twice_is_one_import(shared: SharedApi) -> None:
    editor = signed_in_at_pages(shared.listener, "editor")
    filled = fields_of(read(editor, HERE), f"{HERE}/address") | {"url": "http://feed.invalid/", "do": "try"}
    first, again, other = (
        send(editor, f"{HERE}/address", **(filled | more)).headers["location"]
        for more in ({}, {}, {"do": "import"})
    )
    assert first == again
    assert other != first


@pytest.mark.slow
def test_a_source_is_remembered_changed_and_each_step_is_asked_for(
    staff: dict[str, Client], listener: Client, database: Database
) -> None:
    editor = signed_in_at_pages(listener, "editor")
    sources = f"{HERE}/sources"
    assert "publish" not in [o.get("value") for o in read(editor, sources).all("option")]
    reviewer = signed_in_at_pages(listener, "reviewer")
    assert "publish" in [o.get("value") for o in read(reviewer, sources).all("option")]
    with site() as stranger:
        stranger.pages["/"] = (200, {}, rss(episode(1), episode(2)))
        made = fill(editor, sources, sources, url=stranger.url(), tags="صباح", language="ar")
        here = made.headers["location"].partition("?")[0]
        page = read(editor, made.headers["location"])
        assert page.texts("p", role="status") == ["Done: it is created."]
        assert fields_of(page, here)["tags"] == "صباح"
        twice = fill(editor, sources, sources, url=stranger.url())
        assert (twice.status_code, "is remembered already" in twice.text) == (409, True)
        for step, said in (
            ("pause", "is not refreshed"),
            ("delete", "is forgotten"),
            ("try", "Nothing is changed"),
        ):
            assert said in " ".join(read(editor, f"{here}/{step}").texts("p"))
        assert "well" in read(editor, sources).texts("span", class_="tag")
        assert fill(editor, f"{here}/pause", f"{here}/pause").headers["location"] == f"{here}?done=paused"
        assert "paused" in read(editor, here).texts("span", class_="tag")
        assert fill(editor, f"{here}/resume", f"{here}/resume").status_code == 303
        changed = fill(editor, here, here, title="Mornings", tags="")
        assert changed.headers["location"] == f"{here}?done=changed"
        assert read(editor, here).texts("h1") == ["Mornings"]
        begun = fill(editor, f"{here}/refresh", f"{here}/refresh")
        carry_out(database, number_in(begun.headers["location"]), trusted=stranger.trusted)
        assert read(editor, here).texts("td")[2] == "2 / 2"
    # Only a reviewer makes a source publish.
    refused = fill(editor, here, here, policy="publish")
    assert (refused.status_code, count(database, "import_sources")) == (403, 1)
    assert editor.get(f"{here}/explode").status_code == 404
    gone = fill(editor, f"{here}/delete", f"{here}/delete")
    assert gone.headers["location"] == f"{sources}?done=deleted"
    assert (count(database, "import_sources"), count(database, "programs")) == (0, 2)
    assert editor.get(here).status_code == 404


def test_a_conflict_is_shown_with_both_values_and_settled(
    staff: dict[str, Client], listener: Client, database: Database
) -> None:
    editor = signed_in_at_pages(listener, "editor")
    with session_factory(database).begin() as session:
        program = make(session, title="Ours <b>")
        run_id = session.execute(
            text("INSERT INTO import_runs (kind, namespace) VALUES ('csv', 'n') RETURNING id")
        ).scalar_one()
        for field, theirs in (("title", "Theirs"), ("description", "Their words")):
            session.add(
                ImportConflict(program_id=program.id, field=field, source_value=theirs, run_id=run_id)
            )
        program_id = program.id
    conflicts = f"{HERE}/conflicts"
    page = read(editor, conflicts)
    assert page.texts("p", class_="quoted")[:2] == ["Ours <b>", "Theirs"]
    sent = fields_of(page, conflicts)
    assert (sent["program"], sent["field"]) == (str(program_id), "title")
    assert Page(send(editor, conflicts, **sent, keep="both")).status == 422
    # Somebody changes the program, or its source says something else, after the page was read.
    for stale in ({"rev": "9"}, {"importId": str(run_id + 1)}, {"id": "9000000"}):
        assert Page(send(editor, conflicts, **(sent | stale), keep="source")).status == 412, stale
    done = f"{conflicts}?state=open&done=settled"
    assert send(editor, conflicts, **sent, keep="source").headers["location"] == done
    assert fill(editor, conflicts, conflicts, keep="mine").headers["location"] == done
    assert read(editor, conflicts).texts("p", class_="calm") == ["No conflicts here."]
    assert "Their words" in read(editor, conflicts, state="kept").texts("p", class_="quoted")
    assert send(editor, conflicts, **(sent | {"program": ""}), keep="mine").status_code == 422
    # Deciding leads back to the part of the list that was shown.
    there = send(
        editor, conflicts, **fields_of(read(editor, conflicts, state="kept"), conflicts), keep="source"
    )
    assert there.headers["location"] == f"{conflicts}?state=kept&done=settled"


def test_two_programs_stand_side_by_side_and_a_reviewer_merges_them(
    staff: dict[str, Client], listener: Client, database: Database
) -> None:
    with session_factory(database).begin() as session:
        pairs = []
        for n in range(2):
            one, two = (
                make(session, title=f"The same {n}", release_date=datetime(2024, 1, day, tzinfo=UTC))
                for day in (1, 2)
            )
            row = MergeProposal(program_id=one.id, other_id=two.id, reasons={})
            session.add(row)
            session.flush()
            pairs.append((row.id, one.id, two.id))
    editor, reviewer = (signed_in_at_pages(listener, role) for role in ("editor", "reviewer"))
    merges = f"{HERE}/merges"
    (first, _, other), (second, _, _) = pairs
    assert not read(editor, merges).all("input", type="radio")
    refused = fill(editor, merges, f"{merges}/{first}/merge")
    assert refused.status_code == 403
    page = read(reviewer, merges)
    assert page.texts("tr", class_="differs")[0].startswith("Release date1 January 20242 January 2024")
    stale = fields_of(page, f"{merges}/{first}/merge") | {"rev-1": "9", "keep": str(other)}
    assert Page(send(reviewer, f"{merges}/{first}/merge", **stale)).status == 412
    later = f"{merges}?state=open&after={first - 1}"
    merged = fill(reviewer, later, f"{merges}/{first}/merge", keep=str(other))
    assert merged.headers["location"] == f"{later}&done=merged".replace("&after=0", "")
    again = send(reviewer, f"{merges}/{first}/merge", **(stale | {"rev-1": "1"}))
    assert again.status_code == 409
    assert "stayed" in read(editor, merges, state="merged").texts("span", class_="tag")
    apart = send(
        editor, f"{merges}/{second}/dismiss", **fields_of(read(editor, merges), f"{merges}/{second}/merge")
    )
    assert apart.headers["location"] == f"{merges}?state=open&done=apart"
    assert read(editor, merges).texts("p", class_="calm") == ["No duplicates here."]


@pytest.mark.parametrize(
    "path", ["/9000000", "/sources/9000000", "/nowhere", "/0", "?before=x", "/99999999999999999999"]
)
def test_what_is_not_there_is_said_on_a_page(path: str, shared: SharedApi) -> None:
    answer = signed_in_at_pages(shared.listener, "editor").get(HERE + path)
    assert answer.status_code in (400, 404)
    if path != "/nowhere":
        assert len(Page(answer).all("h1")) == 1


@pytest.mark.parametrize("language", ["ar", "en"])
def test_every_page_is_valid_html_in_its_language(
    language: str, staff: dict[str, Client], listener: Client, database: Database
) -> None:
    editor = signed_in_at_pages(listener, "editor")
    editor.get(f"/language/{language}")
    waiting, ended = upload(editor, CSV), upload(editor, CSV)
    carry_out(database, ended)
    made = fill(editor, f"{HERE}/sources", f"{HERE}/sources", url="http://feed.invalid/")
    source = number_in(made.headers["location"])
    steps = [f"/sources/{source}/{name}" for name in ("refresh", "try", "pause", "resume", "delete")]
    for path in (*PAGES, f"/{waiting}", f"/{ended}", f"/sources/{source}", *steps):
        valid(read(editor, HERE + path), language)
