"""The swap: the engine exchanges the live index and another one, and PostgreSQL follows.

A swap is not idempotent: a second one undoes the first. So the rebuild stores its intent before, and a process
that does the step again looks where the new index is: the engine's time of its creation moves with it.
"""

import time
from collections.abc import Callable
from datetime import timedelta

from catalog.indexing import states
from catalog.indexing import targets as index_targets
from catalog.indexing.models import IndexTarget, ReindexJob
from indexer.engines.admin import Engine
from indexer.rebuild.leased import LeasedJob

_PAUSE_OF_SENDERS = 0.01


def swap(
    lease: LeasedJob,
    engine: Engine,
    job: ReindexJob,
    live_id: int,
    other_id: int,
    *,
    keep: timedelta,
    swapped: Callable[[], None] = lambda: None,
) -> bool:
    """Make another target the live one. May be repeated after a crash at any point.

    The senders of both targets finish what is in flight first, and begin again with the new names after it.

    Args:
        lease: The job's lease.
        engine: The engine of both indexes.
        job: The rebuild; its `new_marker` tells which of the two is the new index.
        live_id: The target that is live.
        other_id: The target that is to be live.
        keep: How long the index that was live is kept up to date for a rollback.
        swapped: Called after the engine has swapped, before PostgreSQL follows: a crash point.

    Returns:
        False when the other target was live already.

    Raises:
        LeaseLost: Another process carries the job out.
        EngineUnavailableError: The engine is away.
        EngineRejectedError: The engine refuses to swap.
    """
    with lease.transaction() as (session, _):
        live, other = (session.get_one(IndexTarget, n) for n in (live_id, other_id))
        if other.state in states.MAIN:
            return False
        live_uid, other_uid = live.index_uid, other.index_uid
        index_targets.pause(session, [live_id, other_id])
    both = [live_id, other_id]
    lease.wait_until(lambda session: index_targets.are_paused(session, both), pause=_PAUSE_OF_SENDERS)
    # A swap that was asked for before a crash may still wait in the engine's queue.
    while engine.swapping():
        lease.renew()
        time.sleep(lease.pause)
    new_index_is_live = engine.created_at(live_uid) == job.new_marker
    new_index_is_to_be_live = other_id == job.new_target_id
    if new_index_is_live != new_index_is_to_be_live:
        lease.renew()
        engine.finished(engine.swap(live_uid, other_uid))
    swapped()
    with lease.transaction() as (session, _):
        index_targets.swap(session, live_id, other_id, keep)
    return True
