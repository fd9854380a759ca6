"""Tags and people that change while programs with them are written, and what waits for a reviewer meanwhile."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import Engine as Database
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from api.http.error_handlers import is_outage
from catalog.core.db import session_factory
from catalog.programs import editing, pending
from catalog.programs.pending import PROGRAMS
from catalog.review import pending as review
from catalog.taxonomy import joining, links, names
from catalog.taxonomy.models import Person, Tag
from tests.support.programs import EDITOR, make
from tests.support.waiting import eventually, waiting_for_a_lock

Change = Callable[[Session, int, int], object]
# What is done to a tag, and which tag a program has afterwards that names it.
CHANGES: list[Any] = [
    pytest.param(
        lambda session, tag, into: joining.merge(session, Tag, tag, into, EDITOR), ["into"], id="merge"
    ),
    pytest.param(lambda session, tag, into: joining.remove(session, Tag, tag, EDITOR), ["tag"], id="delete"),
    pytest.param(
        lambda session, tag, into: joining.rename(session, Tag, tag, "other", EDITOR), ["other"], id="rename"
    ),
]


def _two_tags(session: Session) -> tuple[int, int]:
    tag, into = names.get_or_create(session, Tag, ["tag", "into"]).values()
    return tag.id, into.id


@pytest.mark.parametrize(("change", "tags"), CHANGES)
def test_a_program_gets_a_tag_that_changes_meanwhile(
    change: Change, tags: list[str], database: Database, session: Session
) -> None:
    ids, program = _two_tags(session), make(session)
    session.commit()
    change(session, *ids)

    def edit() -> list[str]:
        with session_factory(database).begin() as other:
            editing.edit(other, program.id, {"tags": ["tag"]}, EDITOR)
            return links.tags_of(other, program.id)

    with ThreadPoolExecutor(1) as pool:
        edited = pool.submit(edit)
        eventually(lambda: waiting_for_a_lock(database), what="the edit waits for the tag")
        session.commit()
        assert edited.result() == tags


@pytest.mark.parametrize(("change", "tags"), CHANGES)
def test_a_change_of_a_tag_waits_for_an_edit_of_a_program_that_has_it(
    change: Change, tags: list[str], database: Database, session: Session
) -> None:
    ids, program = _two_tags(session), make(session, "published", tags=["tag"])
    session.commit()
    # The program is marked already when its tags are written.
    editing.edit(session, program.id, {"title": "Other"}, EDITOR)

    def changed() -> None:
        with session_factory(database).begin() as other:
            change(other, *ids)

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(changed)
        eventually(lambda: waiting_for_a_lock(database), what="the change waits for the edit")
        editing.edit(session, program.id, {"tags": ["tag", "more"]}, EDITOR)
        session.commit()
        waiting.result()
    left = [] if tags == ["tag"] else tags
    assert set(links.tags_of(session, program.id)) == {*left, "more"}


def test_a_merged_name_means_the_other_one_until_it_is_created_again(session: Session) -> None:
    program = make(session, tags=["tag", "into"], people=[("host", "Ann"), ("guest", "Ann"), ("host", "Bob")])
    people = names.get_or_create(session, Person, ["Ann", "Bob"])
    joining.merge(session, Tag, *_two_tags(session), EDITOR)
    joining.merge(session, Person, people["ann"].id, people["bob"].id, EDITOR)
    editing.edit(session, program.id, {"tags": ["new", "TAG", "into"], "people": [("host", "Ann")]}, EDITOR)
    assert links.tags_of(session, program.id) == ["new", "into"]
    assert links.people_of(session, program.id) == [{"role": "host", "name": "Bob"}]
    names.create(session, Tag, "tag", EDITOR)
    editing.edit(session, program.id, {"tags": ["tag", "into"]}, EDITOR)
    assert links.tags_of(session, program.id) == ["tag", "into"]


@pytest.mark.parametrize(("change", "tags"), CHANGES)
def test_what_waits_names_what_programs_name(change: Change, tags: list[str], session: Session) -> None:
    ids = _two_tags(session)
    had = make(session, "published", tags=["tag", "kept"])
    gets = make(session, "published", tags=["into"])
    pending.propose(session, had.id, {"tags": ["kept", "added"]}, EDITOR)
    pending.propose(session, gets.id, {"tags": ["tag", "into", "added"]}, EDITOR)
    assert joining.effects(session, Tag, ids[0]).pending == 2
    change(session, *ids)
    left = [] if tags == ["tag"] else tags
    for program, live, waiting in (
        (had, [*left, "kept"], ["kept", "added"]),
        (gets, ["into"], [*(name for name in left if name != "into"), "into", "added"]),
    ):
        found = review.get(session, PROGRAMS, program.id)
        assert (found.base["tags"], found.changes["tags"]) == (live, waiting)
        review.apply(session, PROGRAMS, program.id, "publish", EDITOR, found.rev)
        assert links.tags_of(session, program.id) == waiting


@pytest.mark.parametrize(
    ("state", "is_expected"), [("40P01", True), ("40001", True), ("57014", True), ("23505", False)]
)
def test_two_transactions_that_could_not_both_be_are_to_be_sent_again(
    state: str, is_expected: bool, session: Session
) -> None:
    with pytest.raises(DBAPIError) as raised:
        session.execute(text(f"DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{state}'; END $$"))
    assert is_outage(raised.value) == is_expected
