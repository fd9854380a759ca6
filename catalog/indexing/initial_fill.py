"""The initial fill of a target: a new index gets every published program before searches may go to it.

    begin -> (the sender marks everything) -> all_marked -> (the engine confirms the marks) -> finish

Called by `indexer/sender/initial_fill.py`.
"""

from sqlalchemy.orm import Session

from catalog.core.db import database_now
from catalog.indexing import leadership, marks, states
from catalog.indexing.models import IndexTarget


def begin(session: Session, target_id: int, epoch: int, *, exists: bool) -> str | None:
    """Record that the index is empty or that its content is unknown: searches stay away from it.

    A rebuild pauses a target while the engine exchanges its index for another one, which looks like a wipe. Then nothing is
    recorded: after the exchange the sender has lost its leadership, and without one the pause ends. An index that does not
    exist was not exchanged.

    Args:
        session: The transaction.
        target_id: The target.
        epoch: The sender's epoch.
        exists: Whether the engine has an index of this name.

    Returns:
        The index's state; None while the target is paused and the index exists.

    Raises:
        LeadershipLost: Another sender leads the target.
    """
    leadership.require(session, target_id, epoch)
    if exists and session.get_one(IndexTarget, target_id, populate_existing=True).paused:
        return None
    target = _step(session, target_id, "wipe")
    target.fill_marked_at = None
    session.flush()
    return target.state


def all_marked(session: Session, target_id: int, epoch: int) -> str:
    """Record that every program the index needs is marked. Return the state of the index.

    Args:
        session: The transaction.
        target_id: The target.
        epoch: The sender's epoch.

    Raises:
        LeadershipLost: Another sender leads the target.
    """
    leadership.require(session, target_id, epoch)
    target = _step(session, target_id, "mark")
    target.fill_marked_at = database_now(session)
    session.flush()
    return target.state


def finish(session: Session, target_id: int, epoch: int) -> bool:
    """End the initial fill if every mark of it is settled; parked marks do not count.

    Args:
        session: The transaction.
        target_id: The target.
        epoch: The sender's epoch.

    Returns:
        Whether the index became live by this call.

    Raises:
        LeadershipLost: Another sender leads the target.
    """
    leadership.require(session, target_id, epoch)
    target = session.get_one(IndexTarget, target_id, populate_existing=True)
    if target.state != "filling" or marks.has_marks_before(session, target_id, target.fill_marked_at):
        return False
    _step(session, target_id, "fill").fill_marked_at = None
    session.flush()
    return True


def _step(session: Session, target_id: int, name: str) -> IndexTarget:
    """Take a step of `states.STEPS` with a target whose row `leadership.require` has locked."""
    target = session.get_one(IndexTarget, target_id, populate_existing=True)
    target.state = states.step(name, target.state)
    return target
