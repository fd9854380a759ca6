"""The vocabulary has the words of what is published, whatever changed it."""

from collections import Counter

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from catalog.programs import editing, lifecycle
from catalog.taxonomy import joining
from catalog.taxonomy.models import Tag
from catalog.vocabulary import queries
from catalog.vocabulary.models import VocabularyWord
from catalog.vocabulary.rollup import roll_up
from tests.support.programs import EDITOR, make


def counted(session: Session) -> dict[str, int]:
    """Work off every mark; return what the vocabulary has."""
    session.commit()
    while roll_up(session, batch=2):
        session.commit()
    session.commit()
    return {
        row.word: row.programs
        for row in session.execute(select(VocabularyWord.word, VocabularyWord.programs))
        if row.programs
    }


def unpublished(session: Session) -> dict[str, int]:
    """Return the words of programs that listeners do not see, after `counted`."""
    rows = session.execute(select(VocabularyWord.word, VocabularyWord.drafts))
    return {row.word: row.drafts for row in rows if row.drafts}


def version(session: Session) -> int:
    return int(session.scalar(queries.VERSION) or 0)


def test_words_of_published_programs_are_counted(session: Session) -> None:
    make(session, "published", title="قهوة المساء", tags=["قهوة"], people=[("host", "Omar Haddad")])
    make(session, "published", title="Morning coffee", description="never counted")
    make(session, "draft", title="Unseen")
    assert counted(session) == Counter(["قهوه", "المسا", "مسا", "omar", "haddad", "morning", "coffee"])


def test_what_is_withdrawn_or_renamed_is_counted_out(session: Session) -> None:
    one = make(session, "published", title="Evening coffee")
    make(session, "published", title="Evening tea")
    assert counted(session) == {"evening": 2, "coffee": 1, "tea": 1}
    editing.edit(session, one.id, {"title": "Evening walk"}, EDITOR)
    assert counted(session) == {"evening": 2, "walk": 1, "tea": 1}
    lifecycle.transition(session, one.id, "unpublish", EDITOR)
    assert counted(session) == {"evening": 1, "tea": 1}


def test_a_repeated_step_counts_nothing_twice(session: Session) -> None:
    make(session, "published", title="Evening coffee")
    before = counted(session)
    session.execute(text("INSERT INTO vocabulary_marks (program_id) SELECT id FROM programs"))
    known = version(session)
    assert counted(session) == before
    assert version(session) == known


def test_the_version_tells_that_words_changed(session: Session) -> None:
    make(session, "published", title="Evening coffee")
    counted(session)
    known = version(session)
    make(session, "published", title="Morning")
    counted(session)
    assert version(session) == known + 1


@pytest.mark.parametrize(
    "statement", ["UPDATE people SET name = 'Omar Nasser'", "UPDATE tags SET name = 'tea'"]
)
def test_names_that_change_by_hand_are_counted_anew(session: Session, statement: str) -> None:
    make(session, "published", title="One", tags=["coffee"], people=[("host", "Omar Haddad")])
    before = counted(session)
    session.execute(text(statement))
    after = counted(session)
    assert set(after) - set(before) == ({"nasser"} if "people" in statement else {"tea"})
    assert set(before) - set(after) == ({"haddad"} if "people" in statement else {"coffee"})


def test_a_mark_made_while_it_is_worked_off_stays(session: Session) -> None:
    make(session, "published", title="Evening coffee")
    session.commit()
    assert roll_up(session) == 1
    # Another writer would have to wait for its own mark only; here the mark is made anew in between.
    session.rollback()
    session.execute(text("UPDATE vocabulary_marks SET seq = nextval('vocabulary_seq')"))
    assert counted(session) == {"evening": 1, "coffee": 1}
    assert session.scalar(text("SELECT count(*) FROM vocabulary_marks")) == 0


def test_words_of_what_listeners_do_not_see_are_counted_apart(session: Session) -> None:
    draft = make(session, title="Evening coffee", tags=["warm"])
    make(session, "published", title="Evening tea")
    assert counted(session) == {"evening": 1, "tea": 1}
    before = version(session)
    assert unpublished(session) == {"evening": 1, "coffee": 1, "warm": 1}
    editing.edit(session, draft.id, {"tags": ["cold"]}, EDITOR)
    counted(session)
    assert unpublished(session) == {"evening": 1, "coffee": 1, "cold": 1}
    tag = session.scalars(select(Tag).where(Tag.name == "cold")).one()
    joining.rename(session, Tag, tag.id, "icy", EDITOR)
    counted(session)
    assert unpublished(session) == {"evening": 1, "coffee": 1, "icy": 1}
    # Listeners' words are the same: no process reads them again.
    assert version(session) == before
    lifecycle.transition(session, draft.id, "publish", EDITOR)
    assert counted(session) == {"evening": 2, "tea": 1, "coffee": 1, "icy": 1}
    assert unpublished(session) == {}
    lifecycle.transition(session, draft.id, "delete", EDITOR)
    assert counted(session) == {"evening": 1, "tea": 1}
    assert unpublished(session) == {}
