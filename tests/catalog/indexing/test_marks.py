"""The dirty set: whatever changes a document marks it, in the same transaction, in order."""

import threading

import pytest
from sqlalchemy import Engine as Database
from sqlalchemy import text
from sqlalchemy.orm import Session

from catalog.core.db import session_factory
from catalog.indexing import leadership
from catalog.indexing import marks as index_marks
from catalog.programs.models import Program
from tests.support.programs import dirty, make, settle

CHANGES = {
    "a title by plain SQL": "UPDATE programs SET title = 'New' WHERE id = {id}",
    "unpublishing by plain SQL": "UPDATE programs SET status = 'draft' WHERE id = {id}",
    "a deletion": "DELETE FROM programs WHERE id = {id}",
    "a category's name": "UPDATE categories SET name_en = 'Other'",
    "a series' title": "UPDATE series SET title = 'Other'",
    "a tag's name": "UPDATE tags SET name = 'Other'",
    "a person's name": "UPDATE people SET name = 'Other'",
    "a tag taken away": "DELETE FROM program_tags",
    "a deleted tag": "DELETE FROM tags",
    "a person taken away": "DELETE FROM program_people",
    "a hundred views": "UPDATE programs SET view_count = view_count + 100",
}


def claim(session: Session, epoch: int) -> list[index_marks.Mark]:
    found = index_marks.claim(session, 1, epoch, 10)
    assert found is not None
    return found


@pytest.fixture
def program(session: Session) -> Program:
    session.execute(text("INSERT INTO categories (slug, name_ar, name_en) VALUES ('c', 'ت', 'C')"))
    session.execute(text("INSERT INTO series (slug, title, language) VALUES ('s', 'S', 'en')"))
    found = make(session, "published", category_id=1, series_id=1, tags=["tag"], people=[("host", "Ann")])
    session.commit()
    assert list(dirty(session)) == [found.id]
    settle(session)
    return found


@pytest.mark.parametrize("what", CHANGES)
def test_what_changes_a_document_marks_it(session: Session, program: Program, what: str) -> None:
    session.execute(text(CHANGES[what].format(id=program.id)))
    session.commit()
    assert list(dirty(session)) == [program.id]


@pytest.mark.parametrize("what", CHANGES)
def test_what_is_rolled_back_marks_nothing(session: Session, program: Program, what: str) -> None:
    session.execute(text(CHANGES[what].format(id=program.id)))
    session.rollback()
    assert dirty(session) == {}


def test_a_draft_and_one_view_mark_nothing(session: Session, program: Program) -> None:
    session.execute(text("UPDATE programs SET view_count = 1234"))
    settle(session)
    session.execute(text("UPDATE programs SET view_count = view_count + 1"))
    make(session, title="only a draft")
    session.commit()
    assert dirty(session) == {}


def test_plain_sql_moves_the_revision_and_views_do_not(session: Session, program: Program) -> None:
    before = program.rev
    session.execute(text("UPDATE programs SET view_count = view_count + 7"))
    session.refresh(program)
    assert (program.rev, program.view_count) == (before, 7)
    session.execute(text("UPDATE programs SET title = 'Other'"))
    session.refresh(program)
    assert program.rev == before + 1


@pytest.mark.parametrize(
    ("views", "rounded"), [(0, 0), (7, 7), (99, 99), (123, 120), (1999, 1900), (987_654, 980_000)]
)
def test_popularity_keeps_two_digits(session: Session, views: int, rounded: int) -> None:
    assert session.scalar(text("SELECT catalog_popularity(:views)"), {"views": views}) == rounded


@pytest.mark.slow
def test_renaming_a_category_marks_all_its_programs_in_one_statement(session: Session) -> None:
    session.execute(text("INSERT INTO categories (slug, name_ar, name_en) VALUES ('c', 'ت', 'C')"))
    session.execute(
        text(
            "INSERT INTO programs (slug, title, language, media_type, kind, status, category_id) "
            "SELECT 'p' || n, 'P', 'en', 'audio', 'episode', 'published', 1 FROM generate_series(1, 10000) n"
        )
    )
    settle(session)
    session.execute(text("UPDATE categories SET name_ar = 'غير'"))
    session.commit()
    assert len(dirty(session)) == 10_000
    assert session.scalar(text("SELECT count(*) FROM programs WHERE rev <> 1")) == 0


def test_a_mark_made_during_the_send_stays(database: Database, session: Session, program: Program) -> None:
    session.execute(text("UPDATE programs SET title = 'One'"))
    session.commit()
    epoch = leadership.take(session, 1)
    claimed = claim(session, epoch)
    session.commit()
    with session_factory(database).begin() as other:
        other.execute(text("UPDATE programs SET title = 'Two'"))
    index_marks.settle(session, 1, epoch, claimed)
    session.commit()
    (still,) = claim(session, epoch)
    assert still.seq > claimed[0].seq
    index_marks.settle(session, 1, epoch, [still])
    session.commit()
    assert dirty(session) == {}


def test_an_uncommitted_mark_survives_a_settlement_that_waits_for_it(
    database: Database, session: Session, program: Program
) -> None:
    session.execute(text("UPDATE programs SET title = 'One'"))
    session.commit()
    epoch = leadership.take(session, 1)
    claimed = claim(session, epoch)
    session.commit()
    with database.connect() as writer:
        writer.execute(text("UPDATE programs SET title = 'Two'"))

        def settle_now() -> None:
            with session_factory(database).begin() as own:
                index_marks.settle(own, 1, epoch, claimed)

        waiting = threading.Thread(target=settle_now)
        waiting.start()
        waiting.join(0.3)
        assert waiting.is_alive()
        writer.commit()
        waiting.join(60)
    assert list(dirty(session)) == [program.id]


def test_who_lost_the_place_settles_nothing(session: Session, program: Program) -> None:
    session.execute(text("UPDATE programs SET title = 'One'"))
    old = leadership.take(session, 1)
    claimed = claim(session, old)
    leadership.take(session, 1)
    with pytest.raises(leadership.LeadershipLost):
        index_marks.settle(session, 1, old, claimed)
    assert list(dirty(session)) == [program.id]


def test_a_parked_program_is_freed_by_content_not_by_views(session: Session, program: Program) -> None:
    session.execute(text("UPDATE programs SET title = 'Bad'"))
    epoch = leadership.take(session, 1)
    (claimed,) = claim(session, epoch)
    index_marks.park(session, 1, epoch, claimed, "refused")
    session.execute(text("UPDATE programs SET view_count = 5000"))
    assert claim(session, epoch) == []
    session.execute(text("UPDATE programs SET title = 'Good'"))
    assert [m.program_id for m in claim(session, epoch)] == [program.id]


@pytest.mark.slow
def test_writers_that_mark_the_same_programs_do_not_deadlock(database: Database, session: Session) -> None:
    session.execute(
        text(
            "INSERT INTO programs (slug, title, language, media_type, kind, status) "
            "SELECT 'p' || n, 'P', 'en', 'audio', 'episode', 'published' FROM generate_series(1, 200) n"
        )
    )
    session.execute(text("INSERT INTO tags (slug, name) VALUES ('t', 't'), ('u', 'u')"))
    session.execute(text("INSERT INTO program_tags SELECT id, 1 + id % 2 FROM programs"))
    session.execute(text("INSERT INTO program_tags SELECT id, 2 - id % 2 FROM programs"))
    session.commit()
    failures: list[Exception] = []

    def rename(tag: int) -> None:
        try:
            for n in range(20):
                with database.begin() as connection:
                    connection.execute(
                        text("UPDATE tags SET name = :name WHERE id = :id"), {"name": str(n), "id": tag}
                    )
        except Exception as error:
            failures.append(error)

    writers = [threading.Thread(target=rename, args=(tag,)) for tag in (1, 2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert failures == []
    assert len(dirty(session)) == 200
