"""The journal has what was committed, in the order of commits, and nothing that listeners never saw."""

from collections.abc import Callable

import pytest
from sqlalchemy import Engine as Database
from sqlalchemy import text
from sqlalchemy.orm import Session

from catalog.core.db import session_factory
from catalog.journal import entries, queries
from catalog.journal.queries import FRESH, Reader
from catalog.programs import editing, lifecycle
from tests.support.programs import EDITOR, make

Told = list[tuple[int, str]]


def write(session: Session) -> None:
    """Commit, and work off every mark, as the clock does."""
    session.commit()
    while entries.write(session, batch=3):
        session.commit()
    session.commit()


def read(session: Session, reader: Reader, limit: int = 100) -> tuple[Told, Reader]:
    """Return what a reader is told, and how far it has come."""
    rows = session.execute(queries.page(reader, limit)).mappings().all()
    told = [(row["program_id"], queries.change_of(row).split(".")[1]) for row in rows if row["program_id"]]
    position = rows[-1]["position"] if len(told) == limit else rows[0]["head"]
    session.rollback()
    return told, reader._replace(position=position)


def head(session: Session) -> Reader:
    write(session)
    found = session.execute(queries.PLACES).one()
    session.rollback()
    return Reader(found.head)


def test_a_publication_and_the_last_change_are_told(session: Session) -> None:
    reader = head(session)
    program = make(session, "published", title="One")
    write(session)
    told, second = read(session, reader)
    assert told == [(program.id, "published")]
    editing.edit(session, program.id, {"title": "Two"}, EDITOR)
    write(session)
    assert read(session, reader)[0] == [(program.id, "published"), (program.id, "changed")]
    editing.edit(session, program.id, {"title": "Three"}, EDITOR)
    write(session)
    assert read(session, reader)[0] == [(program.id, "published"), (program.id, "changed")]
    told, third = read(session, second)
    assert told == [(program.id, "changed")]
    lifecycle.transition(session, program.id, "unpublish", EDITOR)
    write(session)
    assert {tuple(read(session, r)[0]) for r in (reader, second, third)} == {((program.id, "withdrawn"),)}
    last = head(session)
    lifecycle.transition(session, program.id, "publish", EDITOR)
    write(session)
    assert {tuple(read(session, r)[0]) for r in (reader, third, last)} == {((program.id, "published"),)}


def test_a_change_that_commits_late_comes_behind_the_cursor(session: Session, database: Database) -> None:
    reader = head(session)
    with session_factory(database)() as slow:
        late = make(slow, "published", title="Began first").id
        slow.flush()
        early = make(session, "published", title="Committed first").id
        write(session)
        told, reader = read(session, reader)
        assert told == [(early, "published")]
        slow.commit()
    write(session)
    assert read(session, reader)[0] == [(late, "published")]


def test_one_writer_at_a_time(session: Session, database: Database) -> None:
    reader = head(session)
    program = make(session, "published", title="One")
    session.commit()
    with session_factory(database)() as other:
        assert entries.write(other) > 0
        # Its positions are not visible yet, so nobody may write others.
        assert entries.write(session) == 0
        session.commit()
        assert read(session, reader)[0] == []
        other.commit()
    assert read(session, reader)[0] == [(program.id, "published")]


def test_what_was_never_seen_is_not_told(session: Session) -> None:
    reader = head(session)
    make(session, "draft", title="A draft")
    gone = make(session, "published", title="Gone at once")
    session.commit()
    lifecycle.transition(session, gone.id, "unpublish", EDITOR)
    write(session)
    assert read(session, reader)[0] == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE tags SET name = 'other'",
        "UPDATE people SET name = 'Another'",
        "UPDATE programs SET title = 'Plain SQL'",
        "DELETE FROM program_tags",
    ],
)
def test_what_belongs_to_a_program_changes_it(statement: str, session: Session) -> None:
    program = make(session, "published", title="One", tags=["tag"], people=[("host", "Somebody")])
    reader = head(session)
    session.execute(text(statement))
    write(session)
    assert read(session, reader)[0] == [(program.id, "changed")]


def _views(session: Session, program_id: int) -> None:
    session.execute(text("UPDATE programs SET view_count = 90000 WHERE id = :id"), {"id": program_id})


def _delete(session: Session, program_id: int) -> None:
    session.execute(text("DELETE FROM programs WHERE id = :id"), {"id": program_id})


def _expire(session: Session, program_id: int) -> None:
    session.execute(
        text("UPDATE programs SET expire_at = now() - interval '1 hour' WHERE id = :id"), {"id": program_id}
    )


@pytest.mark.parametrize(
    ("act", "expected"), [(_views, []), (_delete, ["withdrawn"]), (_expire, ["withdrawn"])]
)
def test_views_are_no_change_and_what_is_gone_is_withdrawn(
    act: Callable[[Session, int], None], expected: list[str], session: Session
) -> None:
    program_id = make(session, "published", title="One").id
    reader = head(session)
    act(session, program_id)
    write(session)
    assert read(session, reader)[0] == [(program_id, kind) for kind in expected]


def test_a_reader_that_begins_is_told_of_every_program_in_pages(session: Session) -> None:
    ids = [make(session, "published", title=f"Number {n}").id for n in range(5)]
    write(session)
    editing.edit(session, ids[0], {"title": "Moved behind the others"}, EDITOR)
    lifecycle.transition(session, ids[1], "unpublish", EDITOR)
    write(session)
    begun = head(session).position
    told, reader = read(session, Reader(0, FRESH), limit=2)
    reader = Reader(reader.position, begun)
    # Withdrawn while it reads: one that it has, and one that it does not have yet.
    lifecycle.transition(session, ids[2], "unpublish", EDITOR)
    write(session)
    rest, _ = read(session, reader)
    assert told == [(ids[0], "published"), (ids[2], "published")]
    assert rest == [(ids[3], "published"), (ids[4], "published"), (ids[2], "withdrawn")]


def test_who_begins_after_the_last_withdrawal_was_deleted_is_not_sent_away(session: Session) -> None:
    gone = make(session, "published", title="Gone")
    write(session)
    lifecycle.transition(session, gone.id, "unpublish", EDITOR)
    reader = head(session)
    session.execute(text("UPDATE journal SET at = at - interval '11 days'"))
    assert entries.prune(session, 10) == 1
    floor = session.execute(queries.PLACES).one().floor
    assert floor == reader.position == head(session).position == read(session, Reader(0, FRESH))[1].position
    assert head(session).is_kept(floor)


def test_old_withdrawals_are_deleted_and_readers_behind_them_are_known(session: Session) -> None:
    kept, gone = (make(session, "published", title=f"Number {n}") for n in range(2))
    before = head(session)
    lifecycle.transition(session, gone.id, "unpublish", EDITOR)
    after = head(session)
    assert entries.prune(session, 10) == 0
    session.execute(text("UPDATE journal SET at = at - interval '11 days'"))
    assert entries.prune(session, 10) == 1
    floor = session.execute(queries.PLACES).one().floor
    assert [r.is_kept(floor) for r in (before, after, Reader(0), Reader(0, after.position))] == [
        False,
        True,
        False,
        True,
    ]
    session.commit()
    assert read(session, Reader(0, FRESH))[0] == [(kept.id, "published")]
