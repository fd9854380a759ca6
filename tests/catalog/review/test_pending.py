"""Pending revisions: what waits, what it becomes, and what refuses it."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from catalog.core import changes
from catalog.core.actor import SYSTEM, Actor
from catalog.core.audit import AuditEvent
from catalog.core.db import database_now
from catalog.core.errors import (
    Conflict,
    IllegalTransition,
    NotFound,
    PendingConflict,
    RevisionRequired,
    StaleRevision,
    ValidationFailed,
)
from catalog.merging import joining
from catalog.programs import editing, lifecycle, snapshot
from catalog.programs import pending as program_pending
from catalog.programs.models import Program, ProgramRevision
from catalog.programs.pending import PROGRAMS
from catalog.review import pending, previews
from catalog.review.models import PendingRevision
from catalog.review.rights import EVERYTHING, Rights
from catalog.review.states import APPLIED, DISCARDED, PENDING
from tests.support.programs import EDITOR, dirty, make, settle

REVIEWER = Actor("account", 2, "reviewer@example.com", "req-2")
OTHER = Actor("api_key", 3, "other", "req-3")
EDITORS = Rights(may_publish=False, direct=frozenset({"tags", "categoryId", "isFeatured"}))


def change(session: Session, program: Program, rights: Rights = EDITORS, **values: Any) -> None:
    program_pending.change(session, program.id, values, EDITOR, rights)


def waiting(session: Session, program: Program) -> PendingRevision:
    found = pending.find(session, "program", program.id)
    assert found is not None
    return found


def publish(session: Session, program: Program, actor: Actor = REVIEWER, action: str = "publish") -> None:
    pending.apply(session, PROGRAMS, program.id, action, actor, waiting(session, program).rev)


def test_what_an_editor_changes_of_a_live_program_waits(session: Session) -> None:
    program = make(session, "published", tags=["one"])
    session.commit()
    settle(session)
    change(session, program, title="Other", tags=["two"], is_featured=True)
    found = waiting(session, program)
    assert (found.state, found.authors, found.base_rev) == ("draft", [str(EDITOR)], 2)
    assert (found.base, found.changes) == ({"title": "A title"}, {"title": "Other"})
    # What needs no review was changed at once.
    now = snapshot.of(session, program)
    assert (now["title"], now["tags"], now["isFeatured"]) == ("A title", ["two"], True)
    change(session, program, title="A title")
    assert pending.find(session, "program", program.id) is None


def test_a_change_that_waits_leaves_no_trace_in_the_live_version(session: Session) -> None:
    program = make(session, "published")
    session.commit()
    settle(session)
    changes.take(session)
    before, revisions = snapshot.of(session, program), len(session.scalars(select(ProgramRevision)).all())
    change(session, program, title="Other", people=[("host", "Nobody knows")], slug="elsewhere")
    with previews.applied(session, PROGRAMS, program.id, EDITOR):
        assert snapshot.of(session, program)["title"] == "Other"
    session.commit()
    assert snapshot.of(session, program) == before
    assert (changes.take(session), dirty(session)) == ([], {})
    assert len(session.scalars(select(ProgramRevision)).all()) == revisions
    for table in ("people", "program_people"):
        assert session.scalar(text(f"SELECT count(*) FROM {table}")) == 0
    assert session.scalars(text("SELECT slug FROM program_slugs")).all() == ["a-title"]


def test_a_reviewer_makes_it_live_and_the_history_says_so(session: Session) -> None:
    program = make(session, "published")
    change(session, program, title="Other")
    pending.submit(session, PROGRAMS, program.id, EDITOR)
    publish(session, program, action="approve")
    assert (program.title, program.rev, program.status) == ("Other", 3, "published")
    assert session.get_one(ProgramRevision, (program.id, 3)).action == "apply_pending"
    (noted,) = changes.take(session)
    assert (noted.rev, noted.visible) == (3, True)
    assert pending.find(session, "program", program.id) is None
    events = session.scalars(select(AuditEvent).order_by(AuditEvent.id)).all()
    assert [(event.action, event.actor_name) for event in events][2:] == [
        ("program.pending_edit", "editor@example.com"),
        ("program.pending_submit", "editor@example.com"),
        ("program.pending_approve", "reviewer@example.com"),
        ("program.apply_pending", "reviewer@example.com"),
    ]
    assert events[2].diff == events[5].diff == {"title": ["A title", "Other"]}


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"title": ""}, ValidationFailed),
        ({"title": "fine", "series_id": 404}, ValidationFailed),
        ({"slug": "taken"}, Conflict),
    ],
)
def test_what_could_not_be_published_is_refused_when_it_is_written(
    session: Session, values: dict[str, Any], error: type[Exception]
) -> None:
    make(session, slug="taken")
    program = make(session, "published")
    session.commit()
    with pytest.raises(error):
        change(session, program, is_featured=True, **values)
    session.rollback()
    assert pending.find(session, "program", program.id) is None
    assert not program.is_featured


def test_a_change_after_the_submission_takes_it_back(session: Session) -> None:
    program = make(session, "published")
    change(session, program, title="Read this")
    pending.submit(session, PROGRAMS, program.id, EDITOR)
    read = waiting(session, program).rev
    change(session, program, title="Unread")
    assert waiting(session, program).state == "draft"
    with pytest.raises(StaleRevision):
        pending.apply(session, PROGRAMS, program.id, "approve", REVIEWER, read)
    pending.submit(session, PROGRAMS, program.id, EDITOR)
    for rev, error in ((read, StaleRevision), (None, RevisionRequired)):
        with pytest.raises(error):
            pending.apply(session, PROGRAMS, program.id, "approve", REVIEWER, rev)
    assert program.title == "A title"


def test_a_submitted_program_goes_back_to_draft_when_its_text_changes(session: Session) -> None:
    program = make(session, "in_review")
    change(session, program, tags=["needs no review"])
    assert program.status == "in_review"
    change(session, program, rights=EVERYTHING, title="By a reviewer")
    assert program.status == "in_review"
    change(session, program, title="By an editor")
    assert (program.status, program.title) == ("draft", "By an editor")
    with pytest.raises(IllegalTransition):
        lifecycle.transition(session, program.id, "approve", REVIEWER, program.rev)


def test_a_scheduled_program_is_published_as_it_was_reviewed(session: Session) -> None:
    program = make(session, "scheduled")
    change(session, program, title="Unread")
    program.scheduled_publish_at = database_now(session) - timedelta(seconds=1)
    session.flush()
    assert lifecycle.publish_due(session, SYSTEM) == [program.id]
    assert (program.status, program.title) == ("published", "A title")
    assert waiting(session, program).changes == {"title": "Unread"}


def test_an_older_revision_waits_as_any_other_change(session: Session) -> None:
    program = make(session, title="First", tags=["one"])
    editing.edit(session, program.id, {"title": "Second", "tags": []}, EDITOR)
    lifecycle.transition(session, program.id, "publish", EDITOR)
    program_pending.restore_revision(session, program.id, 1, EDITOR, EDITORS)
    now = snapshot.of(session, program)
    assert (now["title"], now["tags"]) == ("Second", ["one"])
    assert waiting(session, program).changes == {"title": "First"}


def test_fields_that_changed_meanwhile_are_named_and_others_are_merged(session: Session) -> None:
    program = make(session, "published")
    change(session, program, title="Pending", description="Pending words")
    editing.edit(session, program.id, {"title": "Live", "season": 3}, SYSTEM, action="import")
    found = waiting(session, program)
    assert found.conflicts(PROGRAMS.read(session, program.id)) == ["title"]
    with pytest.raises(PendingConflict) as refused:
        publish(session, program)
    assert [(error.field, error.code) for error in refused.value.errors] == [("title", "changed")]
    assert (program.title, program.description) == ("Live", "")
    # Whoever writes the field again has seen the new value.
    change(session, program, title="Pending")
    publish(session, program)
    assert (program.title, program.description, program.season) == ("Pending", "Pending words", 3)


def test_a_field_that_became_the_same_is_no_conflict(session: Session) -> None:
    program = make(session, "published")
    change(session, program, title="Both", description="More")
    editing.edit(session, program.id, {"title": "Both"}, SYSTEM)
    publish(session, program)
    assert (program.title, program.description) == ("Both", "More")


def test_whoever_alone_wrote_it_need_not_name_it(session: Session) -> None:
    program = make(session, "published")
    program_pending.propose(session, program.id, {"title": "Mine"}, REVIEWER)
    pending.apply(session, PROGRAMS, program.id, "publish", REVIEWER)
    assert program.title == "Mine"
    program_pending.propose(session, program.id, {"title": "Ours"}, REVIEWER)
    program_pending.propose(session, program.id, {"season": 1}, OTHER)
    assert waiting(session, program).authors == [str(REVIEWER), str(OTHER)]
    with pytest.raises(RevisionRequired):
        pending.apply(session, PROGRAMS, program.id, "publish", REVIEWER)


@pytest.mark.parametrize("action", ["publish", "schedule", "approve"])
def test_a_program_that_somebody_else_wrote_is_named_too(session: Session, action: str) -> None:
    program = make(session, "in_review")
    at = database_now(session) + timedelta(hours=1)
    with pytest.raises(RevisionRequired):
        lifecycle.transition(session, program.id, action, REVIEWER, at=at)
    with pytest.raises(StaleRevision):
        lifecycle.transition(session, program.id, action, REVIEWER, 1, at=at)
    assert lifecycle.transition(session, program.id, action, REVIEWER, 2, at=at).rev == 3


def test_a_revision_number_is_never_used_again(session: Session) -> None:
    program = make(session, "published")
    change(session, program, title="First")
    read = waiting(session, program).rev
    pending.discard(session, PROGRAMS, program.id, EDITOR)
    change(session, program, title="Second")
    with pytest.raises(StaleRevision):
        pending.apply(session, PROGRAMS, program.id, "publish", REVIEWER, read)
    event = session.scalars(select(AuditEvent).where(AuditEvent.action == "program.pending_discard")).one()
    assert event.diff == {"title": ["First", None]}


def test_only_live_programs_have_one(session: Session) -> None:
    for status in ("draft", "in_review", "archived"):
        program = make(session, status)
        with pytest.raises(IllegalTransition):
            program_pending.propose(session, program.id, {"title": "x"}, EDITOR)
    with pytest.raises(NotFound):
        pending.submit(session, PROGRAMS, program.id, EDITOR)


def test_it_waits_while_the_program_is_withdrawn_or_deleted(session: Session) -> None:
    program = make(session, "published")
    change(session, program, title="Pending")
    lifecycle.transition(session, program.id, "delete", EDITOR)
    with pytest.raises(NotFound):
        publish(session, program)
    lifecycle.transition(session, program.id, "undelete", EDITOR)
    publish(session, program)
    assert (program.title, program.status) == ("Pending", "draft")


@pytest.mark.slow
@pytest.mark.parametrize("state", ["draft", "in_review"])
def test_every_step_from_every_state(session: Session, state: str) -> None:
    steps: dict[str, Any] = {
        "edit": lambda p: change(session, p, title="Again"),
        "submit": lambda p: pending.submit(session, PROGRAMS, p.id, EDITOR),
        "reject": lambda p: pending.reject(session, PROGRAMS, p.id, REVIEWER, comment=" Too short. "),
        "approve": lambda p: publish(session, p, action="approve"),
        "publish": lambda p: publish(session, p),
        "discard": lambda p: pending.discard(session, PROGRAMS, p.id, EDITOR),
    }
    assert steps.keys() == PENDING.keys()
    for action, take in steps.items():
        program = make(session, "published", title=f"{action} from {state}")
        change(session, program, title="Pending")
        if state == "in_review":
            pending.submit(session, PROGRAMS, program.id, EDITOR)
        if state not in PENDING[action].sources:
            with pytest.raises(IllegalTransition):
                take(program)
            assert waiting(session, program).state == state
            continue
        take(program)
        target = PENDING[action].target
        found = pending.find(session, "program", program.id)
        assert (found.state if found is not None else None) == (
            None if target in (APPLIED, DISCARDED) else target
        )
        if action == "reject":
            assert waiting(session, program).comment == "Too short."


def test_a_merge_is_a_change_of_the_live_version_as_any_other(session: Session) -> None:
    staying, merged = make(session, "published"), make(session, "published", description="Of the other")
    change(session, staying, description="Pending", season=2)
    change(session, merged, title="Never seen")
    joining.join(session, staying, merged, REVIEWER)
    assert (staying.description, staying.season) == ("Of the other", None)
    with pytest.raises(PendingConflict) as refused:
        publish(session, staying)
    assert [error.field for error in refused.value.errors] == ["description"]
    with pytest.raises(NotFound):
        publish(session, merged)
