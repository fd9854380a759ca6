"""Leadership of a target: at any time one sender may settle its marks.

A sender takes leadership with a new epoch. Every write of a sender states its epoch and is refused once the
epoch has changed, so two senders never settle the same target. The advisory lock that decides which process
may take leadership is in `indexer/sender/leadership.py`, the only caller besides the sender itself.
"""

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from catalog.core.db import change_rows
from catalog.indexing.models import IndexTarget


class LeadershipLost(Exception):
    """Another sender leads the target now, or the target was removed: this sender must settle nothing more."""


def take(session: Session, target_id: int) -> int:
    """Make the caller the target's sender and return its epoch.

    Raises:
        LeadershipLost: The target was removed.
    """
    epoch = session.scalars(
        update(IndexTarget)
        .where(IndexTarget.id == target_id)
        .values(epoch=IndexTarget.epoch + 1, heartbeat_at=func.clock_timestamp())
        .returning(IndexTarget.epoch)
    ).one_or_none()
    if epoch is None:
        raise LeadershipLost(f"target {target_id} was removed")
    return epoch


def require(session: Session, target_id: int, epoch: int) -> None:
    """Check that the caller leads the target, and keep it so until the transaction ends.

    Args:
        session: The transaction. The target's row is locked: a takeover waits for this transaction, or this
            call waits for the takeover and sees the new epoch.
        target_id: The target.
        epoch: What `take` returned to the caller.

    Raises:
        LeadershipLost: The target has another epoch.
    """
    current = session.scalars(
        select(IndexTarget.epoch).where(IndexTarget.id == target_id).with_for_update()
    ).one_or_none()
    if current != epoch:
        raise LeadershipLost(f"epoch {epoch} was superseded by {current}")


def beat(session: Session, target_id: int, epoch: int) -> None:
    """Record that the sender is alive; a standby takes over from a sender that stays silent.

    Args:
        session: The transaction.
        target_id: The target.
        epoch: The sender's epoch.

    Raises:
        LeadershipLost: The target has another epoch.
    """
    # A takeover waits for this transaction, or this statement waits for the takeover and sees the new epoch.
    own = update(IndexTarget).where(IndexTarget.id == target_id, IndexTarget.epoch == epoch)
    if not change_rows(session, own.values(heartbeat_at=func.clock_timestamp())):
        raise LeadershipLost(f"epoch {epoch} was superseded")


def acknowledge_pause(session: Session, target_id: int, epoch: int) -> None:
    """Record that the engine has finished everything this sender sent, if the target is paused.

    Args:
        session: The transaction.
        target_id: The target.
        epoch: The sender's epoch.

    Raises:
        LeadershipLost: The target has another epoch.
    """
    require(session, target_id, epoch)
    session.execute(
        update(IndexTarget).where(IndexTarget.id == target_id, IndexTarget.paused).values(paused_epoch=epoch)
    )
