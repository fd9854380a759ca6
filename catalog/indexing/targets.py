"""Which indexes are targets, and what happens to a target's role: added, paused, swapped, removed.

Called by `indexer/engines/targets.py` (configured engines), `indexer/rebuild/` and `indexer/sender/initial_fill.py`.
Functions flush; the caller commits.
"""

from datetime import timedelta
from typing import NamedTuple

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from catalog.core.errors import NotFound
from catalog.indexing import engines, states
from catalog.indexing.models import IndexDirty, IndexTarget


class Build(NamedTuple):
    """Which index settings a build of the product has (`indexer/engines/index_settings.py`)."""

    settings_hash: str
    settings_revision: int


UNKNOWN_BUILD = Build("", 0)


def get_live(session: Session, engine: str, *, lock: bool = False) -> IndexTarget:
    """Return the target that answers the searches sent to `engine`, or will when it is filled.

    Args:
        session: The transaction.
        engine: The engine's name.
        lock: Lock the target's row until the transaction ends.

    Raises:
        NotFound: The engine has no live target.
    """
    query = select(IndexTarget).where(IndexTarget.engine == engine, IndexTarget.state.in_(states.MAIN))
    target = session.scalars(query.with_for_update() if lock else query).one_or_none()
    if target is None:
        raise NotFound("live target of engine", engine)
    return target


def add(
    session: Session, engine: str, uid: str, *, state: str = "building", build: Build = UNKNOWN_BUILD
) -> IndexTarget | None:
    """Add an index to the targets: it is marked with every change from this transaction's commit on.

    A transaction that marks reads the table of targets and keeps its lock on the table to its end. This
    function locks the table exclusively, so every transaction that marked without the new target has ended
    before the target exists, and its changes are seen by the initial fill.

    Args:
        session: The transaction.
        engine: The engine's name.
        uid: The index's name in the engine.
        state: The new target's state: `empty` for the index that searches go to, else `building`.
        build: The settings that the index was made with.

    Returns:
        The target, also when it existed already. None when writers kept the table locked for 200 ms: try
        again in a new transaction.
    """
    try:
        with session.begin_nested():
            session.execute(text("SET LOCAL lock_timeout = '200ms'"))
            session.execute(text("LOCK TABLE index_targets IN ACCESS EXCLUSIVE MODE"))
    except OperationalError:
        return None
    query = select(IndexTarget).where(IndexTarget.engine == engine, IndexTarget.index_uid == uid)
    target = session.scalars(query).one_or_none()
    if target is None:
        target = IndexTarget(engine=engine, index_uid=uid, state=state, **build._asdict())
        session.add(target)
        session.flush()
    return target


def ensure_live(session: Session, engine: str, uid: str) -> bool:
    """Give a registered engine a live target whose index is called `uid`.

    A live target with an index of another name is pointed to `uid` and has to be filled. An engine that was
    removed gets no target.

    Args:
        session: The transaction.
        engine: The engine's name.
        uid: The index's name in the engine.

    Returns:
        False when the target could not be added now (see `add`).
    """
    live = session.scalars(
        select(IndexTarget).where(IndexTarget.engine == engine, IndexTarget.state.in_(states.MAIN))
    ).one_or_none()
    if live is None:
        return (
            not engines.is_registered(session, engine) or add(session, engine, uid, state="empty") is not None
        )
    if live.index_uid != uid:
        live.index_uid, live.state = uid, states.step("wipe", live.state)
        session.flush()
    return True


def record_settings(session: Session, target_id: int, build: Build) -> None:
    """Record which settings the index of a target has now; a missing target is fine.

    Args:
        session: The transaction.
        target_id: The target.
        build: The settings.
    """
    target = session.get(IndexTarget, target_id, with_for_update=True)
    if target is not None:
        target.settings_hash, target.settings_revision = build


def pause(session: Session, target_ids: list[int]) -> None:
    """Ask the senders of these targets to finish what they have sent and to claim nothing more."""
    session.execute(
        update(IndexTarget)
        .where(IndexTarget.id.in_(target_ids), ~IndexTarget.paused)
        .values(paused=True, paused_epoch=None)
    )


def are_paused(session: Session, target_ids: list[int]) -> bool:
    """Return whether every sender of these targets has acknowledged the pause."""
    rows = session.execute(
        select(IndexTarget.paused_epoch, IndexTarget.epoch).where(IndexTarget.id.in_(target_ids))
    )
    return all(acknowledged == epoch for acknowledged, epoch in rows)


def resume(session: Session, target_ids: list[int]) -> None:
    """Let the senders of these targets claim marks again."""
    session.execute(
        update(IndexTarget).where(IndexTarget.id.in_(target_ids)).values(paused=False, paused_epoch=None)
    )


def swap(session: Session, live_id: int, other_id: int, keep: timedelta) -> None:
    """Follow the engine, which has swapped the two indexes: exchange the targets' names and roles.

    Both epochs grow, so both senders start again with the new names. A program that either target had not
    confirmed is marked for both: a document sent before the swap may have reached either index.

    Args:
        session: The transaction.
        live_id: The target that was live; it becomes `previous`.
        other_id: The target that becomes live.
        keep: How long the previous index is kept up to date for a rollback.
    """
    live = session.get_one(IndexTarget, live_id, with_for_update=True)
    other = session.get_one(IndexTarget, other_id, with_for_update=True)
    live_uid, other_uid = live.index_uid, other.index_uid
    # (engine, index_uid) is unique: a third name in between.
    live.index_uid = f"{other_uid} "
    session.flush()
    other.index_uid, other.state, other.keep_until = live_uid, states.step("promote", other.state), None
    session.flush()
    live.index_uid, live.state = other_uid, states.step("demote", live.state)
    live.keep_until = session.scalars(select(func.now())).one() + keep
    for target in (live, other):
        target.paused, target.paused_epoch, target.epoch = False, None, target.epoch + 1
    session.flush()
    session.execute(
        text(
            "INSERT INTO index_dirty AS d (target_id, program_id, rev) "
            "SELECT t.id, m.program_id, max(m.rev) FROM index_dirty m, (VALUES (:a), (:b)) AS t(id) "
            "WHERE m.target_id IN (:a, :b) GROUP BY t.id, m.program_id ORDER BY m.program_id, t.id "
            "ON CONFLICT (target_id, program_id) DO UPDATE SET seq = nextval('index_dirty_seq')"
        ),
        {"a": live_id, "b": other_id},
    )


def remove(session: Session, target_id: int) -> None:
    """Delete a target and its marks; a missing target is fine. The caller deletes the engine's index.

    Raises:
        IllegalStep: Searches go to the target.
    """
    target = session.get(IndexTarget, target_id, with_for_update=True)
    if target is None:
        return
    states.step("remove", target.state)
    session.delete(target)
    session.flush()
    session.execute(delete(IndexDirty).where(IndexDirty.target_id == target_id))


def remove_expired(session: Session, engine: str) -> None:
    """Delete the engine's previous targets whose `keep_until` has passed, with their marks."""
    expired = session.scalars(
        select(IndexTarget.id).where(
            IndexTarget.engine == engine, IndexTarget.state == "previous", IndexTarget.keep_until < func.now()
        )
    ).all()
    for target_id in expired:
        remove(session, target_id)
