"""Merge proposals: proposed, accepted and dismissed. Callers: the end of an import run, the editors' API.

Functions flush; the caller commits.
"""

from collections.abc import Sequence

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from catalog.core import audit
from catalog.core.actor import Actor
from catalog.core.db import database_now
from catalog.core.errors import Conflict, FieldError, NotFound, ValidationFailed
from catalog.merging import joining, queries
from catalog.merging.models import MergeProposal
from catalog.programs import lifecycle


def propose(session: Session, run_id: int, namespace: str) -> list[int]:
    """Propose pairs for the programs that an import run wrote. Repeating it adds nothing.

    Args:
        session: The transaction.
        run_id: The run.
        namespace: The run's namespace.

    Returns:
        The ids of the new proposals.
    """
    return list(session.scalars(queries.propose(run_id, namespace)))


def propose_pair(session: Session, program_id: int, other_id: int, reasons: dict[str, object]) -> None:
    """Propose one pair; a pair that was proposed before is not proposed again.

    Args:
        session: The transaction.
        program_id: A program.
        other_id: Another program.
        reasons: Why they may be the same.
    """
    older, younger = sorted((program_id, other_id))
    statement = insert(MergeProposal).values(program_id=older, other_id=younger, reasons=reasons)
    session.execute(statement.on_conflict_do_nothing())


def get(session: Session, proposal_id: int, *, lock: bool = False) -> MergeProposal:
    """Return the proposal.

    Args:
        session: The transaction.
        proposal_id: The proposal.
        lock: Lock the row until the transaction ends.

    Raises:
        NotFound: No such proposal.
    """
    proposal = session.get(MergeProposal, proposal_id, with_for_update=lock, populate_existing=True)
    if proposal is None:
        raise NotFound("merge proposal", proposal_id)
    return proposal


def accept(
    session: Session,
    proposal_id: int,
    actor: Actor,
    *,
    keep_id: int | None = None,
    revs: Sequence[int] | None = None,
) -> MergeProposal:
    """Merge the two programs of a proposal.

    Args:
        session: The transaction.
        proposal_id: The proposal.
        actor: Who accepts it.
        keep_id: The program that stays. By default the published one if only one is published, else the older.
        revs: The revisions of both programs that the actor has read, the older program first; None skips the check.

    Raises:
        NotFound: No such proposal, or a program of it was deleted.
        StaleRevision: One of the programs has another revision.
        Conflict: The proposal is decided, or a published program would be merged into one that is not.
        ValidationFailed: `keep_id` is not a program of the proposal.
    """
    proposal = _get_open(session, proposal_id)
    pair = (proposal.program_id, proposal.other_id)
    if keep_id is not None and keep_id not in pair:
        choices = " or ".join(map(str, pair))
        raise ValidationFailed([FieldError("keepId", "invalid", f"Must be {choices}.")])
    read = revs if revs is not None else (None, None)
    older, younger = (
        lifecycle.get(session, program_id, expected_rev=rev)
        for program_id, rev in zip(pair, read, strict=True)
    )
    staying, merged = older, younger
    only_younger_is_published = older.status != "published" and younger.status == "published"
    if keep_id == younger.id or (keep_id is None and only_younger_is_published):
        staying, merged = younger, older
    joining.join(session, staying, merged, actor)
    _decide(session, proposal, "merged", actor, staying.id)
    return proposal


def dismiss(session: Session, proposal_id: int, actor: Actor) -> MergeProposal:
    """Keep the two programs of a proposal apart.

    Args:
        session: The transaction.
        proposal_id: The proposal.
        actor: Who dismisses it.

    Raises:
        NotFound: No such proposal.
        Conflict: The proposal is decided.
    """
    proposal = _get_open(session, proposal_id)
    diff = {"other": [None, proposal.other_id]}
    audit.record(session, actor, "program.keep_apart", "program", proposal.program_id, diff)
    _decide(session, proposal, "dismissed", actor, None)
    return proposal


def _get_open(session: Session, proposal_id: int) -> MergeProposal:
    proposal = get(session, proposal_id, lock=True)
    if proposal.state != "open":
        raise Conflict(f"The proposal is decided: {proposal.state}.")
    return proposal


def _decide(session: Session, proposal: MergeProposal, state: str, actor: Actor, kept_id: int | None) -> None:
    proposal.state, proposal.kept_id = state, kept_id
    proposal.decided_by = actor.name or actor.kind
    proposal.decided_at = database_now(session)
    session.flush()
