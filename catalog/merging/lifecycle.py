"""The only writer of merge proposals, and how two programs become one.

The kept program takes over what it does not say itself, tags, people and views. The other one is
deleted; its id and every address it had lead to the kept one. Bringing it back undoes that.
"""

from typing import Any

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from catalog import audit
from catalog.actor import Actor
from catalog.errors import Conflict, FieldError, NotFound, ValidationFailed
from catalog.merging import queries
from catalog.merging.models import MergeProposal
from catalog.programs import lifecycle, snapshot
from catalog.programs.data import MAX_PEOPLE, MAX_TAGS
from catalog.programs.models import Program, ProgramRedirect, ProgramSlug

# What the kept program takes over where it says nothing.
_FILLED = (
    "description", "duration_sec", "release_date", "media_url", "thumbnail_url", "category_id", "series_id",
    "season", "episode",
)  # fmt: skip


def propose(session: Session, run_id: int, namespace: str) -> list[int]:
    """Propose pairs for what an import wrote; returns the new proposals. Repeating it adds nothing."""
    return list(session.scalars(queries.propose(run_id, namespace)))


def get(session: Session, proposal_id: int, *, lock: bool = False) -> MergeProposal:
    """The proposal. Raises NotFound."""
    found = session.get(MergeProposal, proposal_id, with_for_update=lock, populate_existing=True)
    if found is None:
        raise NotFound("merge proposal", proposal_id)
    return found


def accept(
    session: Session, proposal_id: int, actor: Actor, *, keep_id: int | None = None
) -> MergeProposal:
    """Merge the pair; without `keep_id` the published one is kept, else the older.

    Raises NotFound, Conflict when it is decided or a published program would disappear into one that
    is not, ValidationFailed when `keep_id` is neither.
    """
    proposal = _undecided(session, proposal_id)
    pair = (proposal.program_id, proposal.other_id)
    if keep_id is not None and keep_id not in pair:
        listed = " or ".join(map(str, pair))
        raise ValidationFailed([FieldError("keepId", "invalid", f"Must be {listed}.")])
    first, second = (lifecycle.get(session, i) for i in pair)
    kept, other = first, second
    published = [p.status == "published" for p in (first, second)]
    if keep_id == second.id or (keep_id is None and published == [False, True]):
        kept, other = second, first
    _merge(session, kept, other, actor)
    _decide(session, proposal, "merged", actor, kept.id)
    return proposal


def dismiss(session: Session, proposal_id: int, actor: Actor) -> MergeProposal:
    """They are two programs. Raises Conflict when it is decided."""
    proposal = _undecided(session, proposal_id)
    audit.record(
        session, actor, "program.keep_apart", "program", proposal.program_id,
        {"other": [None, proposal.other_id]},
    )  # fmt: skip
    _decide(session, proposal, "dismissed", actor, None)
    return proposal


def _undecided(session: Session, proposal_id: int) -> MergeProposal:
    proposal = get(session, proposal_id, lock=True)
    if proposal.state != "open":
        raise Conflict(f"The proposal is decided: {proposal.state}.")
    return proposal


def _decide(
    session: Session, proposal: MergeProposal, state: str, actor: Actor, kept_id: int | None
) -> None:
    proposal.state, proposal.kept_id = state, kept_id
    proposal.decided_by = actor.name or actor.kind
    proposal.decided_at = lifecycle.database_now(session)
    session.flush()


def _merge(session: Session, kept: Program, other: Program, actor: Actor) -> None:
    if other.status == "published" and kept.status != "published":
        raise Conflict("The other program is published, this one is not: keep that one.")
    values = _taken_over(session, kept, other)
    if values:
        lifecycle.edit(session, kept.id, values, actor, action="merge")
    kept_id, other_id, views = kept.id, other.id, other.view_count
    lifecycle.delete(session, other_id, actor)
    audit.record(session, actor, "program.merge", "program", kept_id, {"merged": [None, other_id]})
    # Moved, not copied: were the other one brought back, its views would count twice.
    for i, count in ((kept_id, Program.view_count + views), (other_id, Program.view_count - views)):
        session.execute(
            update(Program).where(Program.id == i).values(view_count=count),
            execution_options={"synchronize_session": False},
        )
    session.execute(
        update(ProgramSlug).where(ProgramSlug.program_id == other_id).values(program_id=kept_id)
    )
    # What was merged into the other one earlier leads straight to the kept one.
    session.execute(
        update(ProgramRedirect).where(ProgramRedirect.into_id == other_id).values(into_id=kept_id)
    )
    session.add(ProgramRedirect(program_id=other_id, into_id=kept_id))
    session.flush()
    _carry_over(session, kept_id, other_id)


def _taken_over(session: Session, kept: Program, other: Program) -> dict[str, Any]:
    # A season and an episode mean nothing beside another series.
    together = kept.series_id in (None, other.series_id)
    values = {
        name: getattr(other, name)
        for name in _FILLED
        if getattr(kept, name) in (None, "")
        and getattr(other, name) not in (None, "")
        and (together or name not in ("season", "episode"))
    }
    ours, theirs = snapshot.of(session, kept), snapshot.of(session, other)
    tags = list(dict.fromkeys([*ours["tags"], *theirs["tags"]]))[:MAX_TAGS]
    if tags != ours["tags"]:
        values["tags"] = tags
    people = [(p["role"], p["name"]) for p in (*ours["people"], *theirs["people"])]
    people = list(dict.fromkeys(people))[:MAX_PEOPLE]
    if len(people) != len(ours["people"]):
        values["people"] = people
    return values


def _carry_over(session: Session, kept_id: int, other_id: int) -> None:
    """Open proposals of the program that is gone are about the kept one now."""
    for proposal in session.scalars(queries.open_of(other_id)).all():
        third = proposal.other_id if proposal.program_id == other_id else proposal.program_id
        if third == kept_id:
            # The one being accepted.
            continue
        low, high = sorted((kept_id, third))
        session.execute(
            insert(MergeProposal)
            .values(program_id=low, other_id=high, reasons=proposal.reasons)
            .on_conflict_do_nothing()
        )
        session.delete(proposal)
    session.flush()
