"""The rules of a program's life."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine as Database
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from catalog.core import changes
from catalog.core.audit import AuditEvent
from catalog.core.db import database_now, session_factory
from catalog.core.errors import Conflict, IllegalTransition, NotFound, StaleRevision, ValidationFailed
from catalog.programs import editing, lifecycle, pending, queries, snapshot
from catalog.programs.models import STATUSES, Program, ProgramRevision
from catalog.review.rights import EVERYTHING
from catalog.review.states import DELETED, PROGRAM
from tests.support.programs import EDITOR, VALUES, make

# What each step leads to from each state it may start from.
EXPECTED = {
    "submit": {"draft": "in_review"},
    "withdraw": {"in_review": "draft"},
    "approve": {"in_review": "published"},
    "reject": {"in_review": "draft"},
    "schedule": dict.fromkeys(("draft", "in_review", "scheduled"), "scheduled"),
    "unschedule": {"scheduled": "draft"},
    "publish": dict.fromkeys(("draft", "in_review", "scheduled"), "published"),
    "unpublish": {"published": "draft"},
    "archive": dict.fromkeys(("draft", "in_review", "scheduled", "published"), "archived"),
    "restore": {"archived": "draft"},
    "delete": dict.fromkeys(STATUSES, DELETED),
    "undelete": {DELETED: "draft"},
}


def test_the_table_has_every_step_and_no_other() -> None:
    assert {name: set(step.sources) for name, step in PROGRAM.items()} == {
        name: set(outcomes) for name, outcomes in EXPECTED.items()
    }


@pytest.mark.slow
@pytest.mark.parametrize("status", STATUSES)
def test_every_step_from_every_state(session: Session, status: str) -> None:
    at = database_now(session) + timedelta(hours=1)
    for action, outcomes in EXPECTED.items():
        # Deleting leaves the status, and what is deleted is found by `undelete` alone: a test of their own.
        if action in ("delete", "undelete"):
            continue
        program = make(session, status, title=f"{action} from {status}")
        rev = program.rev
        if status in outcomes:
            assert lifecycle.transition(session, program.id, action, EDITOR, at=at).status == outcomes[status]
            assert program.rev == rev + 1
            assert session.get(ProgramRevision, (program.id, rev + 1)).action == action
        else:
            with pytest.raises(IllegalTransition) as refused:
                lifecycle.transition(session, program.id, action, EDITOR, at=at)
            assert (refused.value.action, refused.value.status) == (action, status)
            session.refresh(program)
            assert (program.status, program.rev) == (status, rev)


def test_approving_keeps_the_time_that_was_planned(session: Session) -> None:
    program = make(session, "in_review")
    program.scheduled_publish_at = database_now(session) + timedelta(hours=1)
    session.flush()
    lifecycle.transition(session, program.id, "approve", EDITOR)
    assert (program.status, program.scheduled_publish_at is None) == ("scheduled", False)


@pytest.mark.parametrize("action", ["publish", "approve"])
def test_what_has_expired_cannot_be_published(session: Session, action: str) -> None:
    program = make(session, "in_review", expire_at=database_now(session) - timedelta(seconds=1))
    with pytest.raises(ValidationFailed) as refused:
        lifecycle.transition(session, program.id, action, EDITOR)
    assert [(error.field, error.code) for error in refused.value.errors] == [("expireAt", "in_the_past")]
    session.refresh(program)
    assert (program.status, program.rev, program.published_at) == ("in_review", 2, None)


def test_publishing_forgets_the_planned_time_and_says_so(session: Session) -> None:
    program = make(session, "scheduled")
    planned = program.scheduled_publish_at
    assert planned is not None
    lifecycle.transition(session, program.id, "publish", EDITOR)
    event = session.scalars(select(AuditEvent).order_by(AuditEvent.id.desc())).first()
    assert event is not None
    assert event.diff == {
        "status": ["scheduled", "published"],
        "scheduledPublishAt": [planned.isoformat(), None],
    }


def test_create_keeps_everything_and_says_who(session: Session) -> None:
    program = make(
        session,
        description="words",
        tags=["قهوة", "قهوه", "Sea"],
        people=[("host", "سارة"), ("guest", "سارة")],
    )
    found = session.execute(queries.BY_IDS, {"ids": [program.id]}).mappings().one()
    assert (found["status"], found["rev"], found["slug"]) == ("draft", 1, "a-title")
    assert found["tags"] == ["قهوة", "Sea"]
    assert found["people"] == [{"name": "سارة", "role": "host"}, {"name": "سارة", "role": "guest"}]
    event = session.scalars(select(AuditEvent)).one()
    assert (event.action, event.entity_id, event.actor_name, event.request_id) == (
        "program.create",
        program.id,
        "editor@example.com",
        "req-1",
    )


@pytest.mark.parametrize(
    ("values", "field", "code"),
    [
        ({"title": "  "}, "title", "required"),
        ({"title": "x" * 301}, "title", "too_long"),
        ({"title": "nul\x00"}, "title", "invalid"),
        ({"language": "arabic!"}, "language", "invalid"),
        ({"media_type": "smell"}, "mediaType", "invalid"),
        ({"kind": "sitcom"}, "kind", "invalid"),
        ({"duration_sec": -1}, "durationSec", "out_of_range"),
        ({"duration_sec": True}, "durationSec", "wrong_type"),
        ({"media_url": "javascript:alert(1)"}, "mediaUrl", "invalid"),
        ({"media_url": "http://[broken"}, "mediaUrl", "invalid"),
        ({"category_id": 404}, "categoryId", "not_found"),
        ({"series_id": 404}, "seriesId", "not_found"),
        ({"tags": ["ok", ""]}, "tags", "invalid"),
        ({"tags": ["!!!"]}, "tags", "invalid"),
        ({"people": [("boss", "Sam")]}, "people", "invalid"),
        ({"colour": "red"}, "colour", "unknown"),
    ],
)
def test_wrong_values_are_named_and_nothing_is_written(
    session: Session, values: dict[str, Any], field: str, code: str
) -> None:
    with pytest.raises(ValidationFailed) as refused:
        editing.create(session, VALUES | values, EDITOR)
    assert [(e.field, e.code) for e in refused.value.errors] == [(field, code)]
    assert session.scalar(select(func.count()).select_from(Program)) == 0


def test_an_edit_without_change_is_no_revision(session: Session) -> None:
    program = make(session, tags=["a", "b"])
    editing.edit(session, program.id, {"title": "A title", "tags": ["a", "b"]}, EDITOR)
    assert program.rev == 1
    assert session.scalar(select(func.count()).select_from(ProgramRevision)) == 1


def test_the_slower_of_two_editors_is_told(database: Database) -> None:
    make_session = session_factory(database)
    with make_session.begin() as first:
        program_id = make(first).id
    with make_session.begin() as fast:
        editing.edit(fast, program_id, {"title": "Fast"}, EDITOR, expected_rev=1)
    with make_session() as slow, pytest.raises(StaleRevision) as refused:
        editing.edit(slow, program_id, {"title": "Slow"}, EDITOR, expected_rev=1)
    assert refused.value.current == 2
    with make_session() as reader:
        assert reader.get_one(Program, program_id).title == "Fast"


def test_restoring_a_revision_gives_the_fields_back(session: Session) -> None:
    program = make(session, title="First", tags=["one"], people=[("host", "Ann")])
    editing.edit(session, program.id, {"title": "Second", "tags": ["two"], "people": []}, EDITOR)
    lifecycle.transition(session, program.id, "publish", EDITOR)
    pending.restore_revision(session, program.id, 1, EDITOR, EVERYTHING)
    now = snapshot.of(session, program)
    assert (now["title"], now["tags"], now["people"]) == ("First", ["one"], [{"role": "host", "name": "Ann"}])
    assert (program.status, program.rev) == ("published", 4)
    first, last = (session.get_one(ProgramRevision, (program.id, rev)).snapshot for rev in (1, 4))
    assert snapshot.difference(first, last) == {"status": ["draft", "published"]}
    with pytest.raises(NotFound):
        pending.restore_revision(session, program.id, 99, EDITOR, EVERYTHING)


def test_deleted_is_gone_until_undeleted(session: Session) -> None:
    program = make(session, "published")
    lifecycle.transition(session, program.id, "delete", EDITOR)
    with pytest.raises(NotFound):
        editing.edit(session, program.id, {"title": "x"}, EDITOR)
    assert session.execute(queries.VISIBLE_BY_IDS, {"ids": [program.id]}).all() == []
    assert lifecycle.transition(session, program.id, "undelete", EDITOR).status == "draft"


def test_slugs_are_unique_and_old_ones_lead_on(session: Session) -> None:
    first = make(session, "published", title="المرأة والبحر")
    second = make(session, title="المرأة والبحر")
    assert (first.slug, second.slug) == ("المرأة-والبحر", "المرأة-والبحر-2")
    editing.edit(session, first.id, {"slug": "sea"}, EDITOR)
    for slug in ("sea", "المرأة-والبحر"):
        assert session.execute(queries.VISIBLE_BY_SLUG, {"slug": slug}).mappings().one()["id"] == first.id
    with pytest.raises(Conflict) as refused:
        editing.edit(session, second.id, {"slug": "المرأة-والبحر"}, EDITOR)
    assert refused.value.field == "slug"
    assert make(session, title="2024").slug == "program-2024"
    assert make(session, title="؟؟؟").slug == "program"


def test_due_programs_are_published_and_expired_by_the_database_clock(session: Session) -> None:
    now = database_now(session)
    due, later, late = (make(session, title=name) for name in ("due", "later", "too late"))
    for program, at in (
        (due, now - timedelta(seconds=1)),
        (later, now + timedelta(hours=1)),
        (late, now - timedelta(hours=1)),
    ):
        program.status, program.scheduled_publish_at = "scheduled", at
    late.expire_at = now - timedelta(seconds=1)
    session.flush()
    assert lifecycle.publish_due(session, EDITOR) == [due.id]
    assert [p.status for p in (due, later, late)] == ["published", "scheduled", "archived"]
    due.expire_at = now
    session.flush()
    assert lifecycle.expire_due(session, EDITOR) == [due.id]
    assert due.status == "archived"


def test_two_clocks_publish_a_program_once(database: Database) -> None:
    make_session = session_factory(database)
    with make_session.begin() as session:
        program = make(session)
        program.status = "scheduled"
        program.scheduled_publish_at = database_now(session)
    with make_session() as one, make_session() as other:
        assert lifecycle.publish_due(one, EDITOR) == [program.id]
        assert lifecycle.publish_due(other, EDITOR) == []
        one.commit()
        assert lifecycle.publish_due(other, EDITOR) == []


def test_what_changed_is_told_to_the_edge_once(session: Session) -> None:
    program = make(session, "published")
    (change,) = changes.take(session)
    assert (change.id, change.visible) == (program.id, True)
    lifecycle.transition(session, program.id, "unpublish", EDITOR)
    (change,) = changes.take(session)
    assert (change.rev, change.visible) == (program.rev, False)
    assert changes.take(session) == []
