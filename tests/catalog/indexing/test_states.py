"""The states of a target: the table of steps, and that every write goes by it."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from catalog.core.errors import IllegalStep
from catalog.indexing import initial_fill, leadership, marks, states, targets
from catalog.indexing.models import IndexTarget
from tests.support.programs import make


def target(session: Session, state: str, uid: str = "programs") -> IndexTarget:
    found = IndexTarget(engine="west", index_uid=uid, state=state)
    session.add(found)
    session.flush()
    return found


@pytest.mark.parametrize("name", states.STEPS)
@pytest.mark.parametrize("state", states.TARGET_STATES)
def test_a_step_leads_where_the_table_says_or_nowhere(name: str, state: str) -> None:
    after = states.STEPS[name].get(state)
    if after is None:
        with pytest.raises(IllegalStep):
            states.step(name, state)
    else:
        assert states.step(name, state) == after
        assert after in (*states.TARGET_STATES, states.REMOVED)


def test_an_index_is_live_when_the_engine_has_confirmed_everything(session: Session) -> None:
    program_id, found = make(session, "published").id, target(session, "empty")
    epoch = leadership.take(session, found.id)
    assert initial_fill.begin(session, found.id, epoch, exists=False) == "empty"
    assert not initial_fill.finish(session, found.id, epoch)
    marks.mark_target(session, found.id, [program_id])
    assert initial_fill.all_marked(session, found.id, epoch) == "filling"
    assert not initial_fill.finish(session, found.id, epoch)
    claimed = marks.claim(session, found.id, epoch, 10)
    assert claimed is not None
    marks.settle(session, found.id, epoch, claimed)
    assert initial_fill.finish(session, found.id, epoch)
    session.refresh(found)
    assert (found.state, found.fill_marked_at) == ("live", None)
    # Wiped: searches stay away until everything was confirmed once more.
    assert initial_fill.begin(session, found.id, epoch, exists=False) == "empty"
    assert not initial_fill.finish(session, found.id, epoch)


def test_indexes_beside_the_main_one_keep_their_role_while_they_are_filled(session: Session) -> None:
    for state in ("building", "previous"):
        found = target(session, state, state)
        epoch = leadership.take(session, found.id)
        assert initial_fill.begin(session, found.id, epoch, exists=False) == state
        assert initial_fill.all_marked(session, found.id, epoch) == state
        assert not initial_fill.finish(session, found.id, epoch)


def test_a_swap_exchanges_the_roles_and_the_main_index_is_not_removed(session: Session) -> None:
    live, building = target(session, "live"), target(session, "building", "programs_new")
    targets.swap(session, live.id, building.id, timedelta(hours=1))
    assert [(t.state, t.index_uid) for t in (live, building)] == [
        ("previous", "programs_new"),
        ("live", "programs"),
    ]
    with pytest.raises(IllegalStep):
        targets.remove(session, building.id)
    targets.remove(session, live.id)
    assert session.scalars(text("SELECT index_uid FROM index_targets WHERE engine = 'west'")).all() == [
        "programs"
    ]


def test_an_index_of_another_name_is_filled_from_the_beginning(session: Session) -> None:
    session.execute(text("INSERT INTO engines (name, url) VALUES ('west', 'http://west.example')"))
    found = target(session, "live")
    assert targets.ensure_live(session, "west", "other")
    assert (found.index_uid, found.state) == ("other", "empty")
