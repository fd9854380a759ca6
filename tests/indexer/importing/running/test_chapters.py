"""Files of chapters that a feed names: read once, limited, guarded, and no failure of the import."""

import json
from collections.abc import Iterator
from typing import Any, cast

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from catalog.core.changes import ProgramChange
from catalog.imports.beside import chapters
from indexer.importing.errors import ImportFailed
from indexer.importing.running import chapters as running
from indexer.importing.running.runner import Runner
from indexer.importing.sources.feeds import chapters as files
from indexer.stores.invalidation import Invalidator
from tests.support.importing import Importer, counts, episode, rss
from tests.support.sites import Site, raw, silent, site

INTRO = {"version": "1.2.0", "chapters": [{"startTime": 0, "title": "المقدمة"}]}


@pytest.fixture
def stranger(importer: Importer) -> Iterator[Site]:
    """A server that imports may ask although it is on loopback."""
    with site() as found:
        importer.settings = importer.settings.model_copy(
            update={"trusted": found.trusted, "max_chapters": 200}
        )
        yield found


def named(*urls: str) -> bytes:
    """A feed whose items name these files of chapters."""
    return rss(*(episode(n, more=f"<podcast:chapters url='{url}'/>") for n, url in enumerate(urls)))


def answer(document: Any) -> tuple[int, dict[str, str], bytes]:
    """A file of chapters as a server sends it."""
    return 200, {"Content-Type": "application/json+chapters"}, json.dumps(document).encode()


def stored(session: Session) -> list[tuple[str, int, str]]:
    """All chapters, as (item, seconds, title)."""
    session.rollback()
    rows = session.execute(
        text(
            "SELECT external_id, start_sec, c.title FROM program_chapters c JOIN programs p ON p.id = program_id "
            "ORDER BY external_id, position"
        )
    )
    return [(row[0].rpartition(":")[2], row[1], row[2]) for row in rows]


def counted(session: Session) -> dict[str, float]:
    """The files of chapters of all runs, by what became of them."""
    rows = session.execute(text("SELECT name, total FROM import_totals WHERE name LIKE 'chapters%'"))
    return {row.name.removeprefix("chapters_"): row.total for row in rows}


def test_chapters_are_read_once_for_each_address(
    importer: Importer, session: Session, stranger: Site
) -> None:
    stranger.pages |= {"/a": answer(INTRO), "/b": answer({"chapters": [{"startTime": 7.9, "title": "B"}]})}
    run = importer.go("feed", named(stranger.url("/a")), namespace="n")
    assert (run.status, counts(run)) == ("succeeded", {"created": 1})
    assert stored(session) == [("ep-0", 0, "المقدمة")]
    importer.go("feed", named(stranger.url("/a")), namespace="n")
    assert stranger.paths() == ["/a"]
    # Another address is another file; none is none.
    importer.go("feed", named(stranger.url("/b")), namespace="n")
    assert stored(session) == [("ep-0", 7, "B")]
    importer.go("feed", rss(episode(0)), namespace="n")
    assert stored(session) == []
    assert stranger.paths() == ["/a", "/b"]
    # What names no file is none.
    assert counted(session) == {"read": 2}


class Heard:
    """What the caches are told."""

    def __init__(self) -> None:
        self.changes: list[ProgramChange] = []

    def programs_changed(self, changes: list[ProgramChange]) -> None:
        """Note the changes of a commit."""
        self.changes += changes


def test_caches_forget_a_program_whose_links_or_chapters_change(importer: Importer, stranger: Site) -> None:
    stranger.pages["/a"] = answer(INTRO)
    importer.go("feed", rss(episode(0)), namespace="n", policy="publish")
    (program,) = importer.programs()
    line = "<podcast:transcript url='https://cdn.example/t.vtt' type='text/vtt'/>"
    body = rss(episode(0, more=f"{line}<podcast:chapters url='{stranger.url('/a')}'/>"))
    for expected in ([ProgramChange(program.id, program.rev, True)] * 2, []):
        heard, run_id = Heard(), importer.start("feed", body, namespace="n", policy="publish")
        told = cast("Invalidator", heard)
        Runner(importer.database, importer.settings, invalidator=told).run(run_id)
        assert heard.changes == expected


def test_what_is_still_to_be_read_is_found_by_its_index(session: Session) -> None:
    session.execute(text("SET LOCAL enable_seqscan = off"))
    query = chapters.unread("feed", "n", 1).compile(
        dialect=session.get_bind().dialect, compile_kwargs={"literal_binds": True}
    )
    plan = session.connection().exec_driver_sql(f"EXPLAIN {query}")
    assert "imported_programs_unread_idx" in " ".join(plan.scalars())


def test_no_more_files_are_asked_for_than_a_run_may(importer: Importer, stranger: Site) -> None:
    stranger.pages |= {f"/{n}": answer(INTRO) for n in range(3)}
    body = named(*(stranger.url(f"/{n}") for n in range(3)))
    for asked in (["/2", "/1"], ["/2", "/1", "/0"]):
        importer.run(importer.start("feed", body, namespace="n"), max_chapters=2)
        assert stranger.paths() == asked


def test_a_dry_run_asks_for_no_file(importer: Importer, session: Session, stranger: Site) -> None:
    stranger.pages["/a"] = answer(INTRO)
    importer.go("feed", named(stranger.url("/a")), namespace="n", dry_run=True)
    assert (stranger.asked, stored(session)) == ([], [])


def test_a_file_that_fails_fails_no_import_and_is_asked_for_again(
    importer: Importer, session: Session, stranger: Site
) -> None:
    stranger.pages |= {
        "/large": (200, {}, b" " * files.MAX_BYTES + b"{}"),
        "/wrong": (200, {}, b"<html>"),
        "/away": (500, {}, b""),
        "/good": answer(INTRO),
    }
    urls = [stranger.url(path) for path in ("/large", "/wrong", "/away", "/good")]
    run = importer.go("feed", named(*urls), namespace="n")
    assert (run.status, counts(run)) == ("succeeded", {"created": 4})
    assert stored(session) == [("ep-3", 0, "المقدمة")]
    assert counted(session) == {"read": 1, "failed": 3}
    stranger.pages |= {"/wrong": answer(INTRO)}
    stranger.asked.clear()
    run = importer.go("feed", named(*urls), namespace="n")
    assert counts(run) == {"unchanged": 4}
    assert sorted(stranger.paths()) == ["/away", "/large", "/wrong"]
    assert stored(session) == [("ep-1", 0, "المقدمة"), ("ep-3", 0, "المقدمة")]
    assert counted(session) == {"read": 2, "failed": 5}


def test_what_fails_later_leaves_what_was_read(importer: Importer, session: Session, stranger: Site) -> None:
    stranger.pages |= {"/a": answer(INTRO), "/b": (500, {}, b"")}
    importer.go("feed", named(stranger.url("/a")), namespace="n")
    importer.go("feed", named(stranger.url("/b")), namespace="n")
    assert stored(session) == [("ep-0", 0, "المقدمة")]


def test_private_addresses_are_not_asked(importer: Importer, session: Session, stranger: Site) -> None:
    with raw(silent) as (port, connections):
        private = f"http://127.0.0.1:{port}/a"
        stranger.pages["/led"] = (302, {"Location": private}, b"")
        run = importer.go("feed", named(private, stranger.url("/led")), namespace="n")
        assert run.status == "succeeded"
        assert stranger.paths() == ["/led"]
        assert connections == []
    assert stored(session) == []


def test_servers_that_fail_are_not_asked_for_ever(
    importer: Importer, session: Session, stranger: Site
) -> None:
    urls = [stranger.url(f"/{n}") for n in range(8)]
    importer.go("feed", named(*urls), namespace="n")
    assert len(stranger.asked) == running.MAX_FAILURES
    # The next import begins with those that were not asked for.
    stranger.asked.clear()
    importer.go("feed", named(*urls), namespace="n")
    assert stranger.paths()[:3] == ["/2", "/1", "/0"]


def test_what_no_page_can_show_is_left_out() -> None:
    listed: list[object] = [
        {"startTime": 60, "title": "Two\n <b>words</b>"},
        {"startTime": 5.5, "title": "First"},
        {"startTime": 9, "title": "Hidden", "toc": False},
        {"startTime": -1, "title": "Before"},
        {"startTime": True, "title": "Yes"},
        {"startTime": "7", "title": "Words"},
        {"startTime": 10**30, "title": "Never"},
        {"startTime": 8, "title": "…"},
        {"startTime": 9},
        {"title": "No time"},
        "no chapter",
    ]
    found = files.read(json.dumps({"chapters": listed}).encode())
    assert found == [(5, "First"), (60, "Two words")]
    (long,) = files.read(json.dumps({"chapters": [{"startTime": 1, "title": "a" * 900}]}).encode())
    assert len(long.title) == 200
    many = [{"startTime": n, "title": f"Part {n}"} for n in range(files.MAX_CHAPTERS + 9)]
    assert len(files.read(json.dumps({"chapters": many}).encode())) == files.MAX_CHAPTERS


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{}", b'{"chapters": {}}', b"\xff", b"[" * 100_000, b'{"chapters": [{"startTime": NaN}]}'],
)
def test_a_file_that_is_no_list_of_chapters_is_refused(body: bytes) -> None:
    with pytest.raises(ImportFailed) as refusal:
        files.read(body)
    assert refusal.value.code == "bad_chapters"
