"""The feed of changes: the recipe of a mirror, cursors, and that nothing unpublished is shown."""

import asyncio
import random
import re
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from sqlalchemy import Engine as Database
from sqlalchemy import Executable, RowMapping, text
from sqlalchemy.orm import Session

from api.answers.cache import Cache
from api.discovery.lookups.changes import Changes
from api.discovery.lookups.replica import Replica
from api.http.schemas import program_detail
from catalog.core.actor import Actor
from catalog.core.db import session_factory
from catalog.journal import entries, queries
from catalog.programs import lifecycle
from catalog.programs.models import Program
from catalog.programs.queries import VISIBLE, detail
from tests.support.around import check_manners, scatter
from tests.support.journal import write_journal
from tests.support.paths import ROOT
from tests.support.programs import EDITOR, make
from tests.support.shared import SharedApi

PATH = "/discovery/changes"
Mirror = dict[int, dict[str, Any]]


def record(database: Database) -> Mirror:
    """Return the visible programs, as lookups show them, without their views."""
    with session_factory(database)() as session:
        rows = session.execute(detail().where(*VISIBLE)).mappings()
        found = {row["id"]: msgspec.json.decode(msgspec.json.encode(program_detail(row))) for row in rows}
    return {program_id: without_views(program) for program_id, program in found.items()}


def without_views(program: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in program.items() if name != "viewCount"}


def recipe(limit: int = 100) -> Callable[..., str]:
    """Return the mirror that docs/discovery.md shows, with pages of this size."""
    page = (ROOT / "docs" / "discovery.md").read_text()
    found = re.search(r"```python\n(import requests.*?)```", page, re.DOTALL)
    assert found
    names: dict[str, Any] = {}
    code = found[1].replace('"limit": 100', f'"limit": {limit}')
    assert f'"limit": {limit}' in code
    exec(code, names)  # the page's own code is what is tested
    follow: Callable[..., str] = names["follow"]
    return follow


def change_at_random(database: Database, chance: random.Random, ids: list[int]) -> None:
    """Publish, edit, withdraw, delete or rename something."""
    with session_factory(database).begin() as session:
        program = session.get_one(Program, chance.choice(ids))
        text_ = f"Text {chance.random()}"
        match chance.choice(("edit", "turn", "turn", "make", "delete", "drop", "tag", "series")):
            case "edit":
                _run(session, "UPDATE programs SET title = :text WHERE id = :id", text=text_, id=program.id)
            case "turn" if program.deleted_at is None and program.status in ("published", "draft"):
                action = "unpublish" if program.status == "published" else "publish"
                lifecycle.transition(session, program.id, action, EDITOR)
            case "make":
                ids.append(make(session, "published", title=text_, tags=["a"]).id)
            case "delete" if program.deleted_at is None:
                lifecycle.transition(session, program.id, "delete", EDITOR)
            case "drop" if len(ids) > 5:
                ids.remove(program.id)
                _run(session, "DELETE FROM programs WHERE id = :id", id=program.id)
            case "tag":
                _run(session, "UPDATE tags SET name = :text WHERE id = 1", text=text_)
            case "series":
                _run(session, "UPDATE series SET title = :text WHERE id = 1", text=text_)


def _run(session: Session, statement: str, **values: object) -> None:
    session.execute(text(statement), values)


def test_a_mirror_that_follows_the_feed_equals_the_record(shared: SharedApi) -> None:
    database, chance, follow, mirror = (
        shared.database,
        random.Random(5),
        recipe(),
        dict[int, dict[str, Any]](),
    )
    ids = scatter(database, 130, seed=3)
    write_journal(database)
    since = follow(shared.listener.base, mirror)
    assert len(mirror) > 40
    for step in range(6):
        for _ in range(15):
            change_at_random(database, chance, ids)
            if chance.random() < 0.4:
                write_journal(database)
        write_journal(database)
        since = follow(shared.listener.base, mirror, since)
        expected = record(database)
        found = {program_id: without_views(program) for program_id, program in mirror.items()}
        assert found == expected, f"step {step}"
    # Pages of a size that nobody has asked for yet, so no cache has them.
    fresh: Mirror = {}
    recipe(limit=99)(shared.listener.base, fresh)
    assert {program_id: without_views(program) for program_id, program in fresh.items()} == record(database)


def place(database: Database) -> tuple[str, int]:
    """Write the journal; return its epoch and its highest position."""
    write_journal(database)
    with session_factory(database)() as session:
        found = session.execute(queries.PLACES).one()
    return found.epoch, found.head


def test_pages_have_links_and_a_cursor_that_stays(shared: SharedApi) -> None:
    epoch, before = place(shared.database)
    with session_factory(shared.database).begin() as session:
        ids = [make(session, "published", title=f"Page {n}").id for n in range(3)]
    _, after = place(shared.database)
    first = shared.listener.get(PATH, since=f"{epoch}.{before}", limit=2)
    page = first.json()
    assert [change["id"] for change in page["data"]] == ids[:2]
    assert page["meta"] == {"limit": 2, "next": f"{epoch}.{after - 1}", "hasMore": True}
    assert first.headers["link"] == f'<{PATH}?limit=2&since={epoch}.{after - 1}>; rel="next"'
    assert first.headers["cache-control"] == "public, max-age=1, s-maxage=1"
    last = shared.listener.get(PATH, since=page["meta"]["next"], limit=2)
    assert [change["id"] for change in last.json()["data"]] == ids[2:]
    assert last.json()["meta"] == {"limit": 2, "next": f"{epoch}.{after}", "hasMore": False}
    assert "link" not in last.headers
    now = shared.listener.get(PATH, since="now", limit=7).json()
    assert now == {"data": [], "meta": {"limit": 7, "next": f"{epoch}.{after}", "hasMore": False}}


def test_what_is_withdrawn_is_an_id_and_a_time(shared: SharedApi) -> None:
    epoch, before = place(shared.database)
    with session_factory(shared.database).begin() as session:
        shown = make(session, "published", title="Shown").id
        hidden = make(session, "draft", title="Hidden").id
    write_journal(shared.database)
    since = f"{epoch}.{before}"
    assert [change["id"] for change in shared.listener.get(PATH, since=since).json()["data"]] == [shown]
    # The cached answer is not given once the program is withdrawn, whether the journal knows of it or not.
    taken = shared.staff["reviewer"].post(f"/catalog/programs/{shown}/unpublish")
    assert taken.status_code == 200
    for _ in range(2):
        (told,) = shared.listener.get(PATH, since=since).json()["data"]
        assert told.keys() == {"type", "id", "at"}
        assert (told["type"], told["id"]) == ("program.withdrawn", shown)
        write_journal(shared.database)
    assert hidden not in [change["id"] for change in shared.listener.get(PATH, limit=100).json()["data"]]


class Server(Replica):
    """The database as it is now, for ever: a replica that is behind."""

    def __init__(self, session: Session) -> None:
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        session.execute(queries.PLACES)
        self._session = session

    async def rows(self, statement: Executable, **_: object) -> Sequence[RowMapping]:
        return self._session.execute(statement).mappings().all()


def test_who_begins_and_meets_a_replica_that_is_behind_misses_nothing(database: Database) -> None:
    sessions = session_factory(database)
    with sessions.begin() as session:
        one, two, three = (make(session, "published", title=f"Number {n}").id for n in range(3))
    write_journal(database)
    with sessions() as before, sessions() as after:
        behind = Server(before)
        with sessions.begin() as session:
            _run(session, "UPDATE programs SET title = 'Other' WHERE id = :id", id=two)
            lifecycle.transition(session, three, "unpublish", EDITOR)
        write_journal(database)
        primary, told, since = Server(after), list[tuple[str, int]](), None
        for server in (primary, behind, behind, primary, primary):
            feed = Changes(server, Cache(None, "", max_bytes=10_000))
            answer, _ = asyncio.run(feed.changes(since, 1))
            page = msgspec.json.decode(answer.body)
            told += [(change["type"], change["id"]) for change in page["data"]]
            since = page["meta"]["next"]
    assert told == [
        ("program.published", one),
        ("program.published", two),
        ("program.published", three),
        ("program.changed", two),
        ("program.withdrawn", three),
    ]


def test_a_cursor_that_is_too_old_is_refused_with_a_code(shared: SharedApi) -> None:
    epoch, head = place(shared.database)
    with session_factory(shared.database).begin() as session:
        _run(session, "UPDATE journal_state SET floor = :floor", floor=head)
    for since in (f"{epoch}.{head - 1}", f"{epoch}.1.{head - 1}", f"00000000.{head}"):
        refused = shared.listener.get(PATH, since=since)
        assert (refused.status_code, refused.json()["code"]) == (410, "cursor_expired"), since
    for since in (f"{epoch}.{head}", f"{epoch}.1.{head}"):
        assert shared.listener.get(PATH, since=since).status_code == 200
    with session_factory(shared.database).begin() as session:
        _run(session, "UPDATE journal_state SET floor = 0")


def test_after_a_restore_readers_begin_again(shared: SharedApi) -> None:
    epoch, head = place(shared.database)
    with session_factory(shared.database).begin() as session:
        fresh = entries.begin_epoch(session, Actor("system", name="test"))
    assert fresh != epoch
    assert shared.listener.get(PATH, since=f"{epoch}.{head}", limit=3).status_code == 410
    assert shared.listener.get(PATH, since=f"{fresh}.{head}", limit=3).status_code == 200


def test_it_answers_as_public_routes_do(shared: SharedApi) -> None:
    wrong = [
        ("since=yesterday", "since", "invalid_cursor"),
        ("since=0123abcd.1.2.3", "since", "invalid_cursor"),
        ("limit=0", "limit", "invalid_parameter"),
        ("page=2", "page", "unknown_parameter"),
    ]
    check_manners(shared.listener, PATH, "limit=1", wrong)
