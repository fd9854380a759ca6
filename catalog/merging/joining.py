"""How two programs become one.

One program stays. It takes over the fields that it does not have, the tags, the people, the views, and the places in
collections. The other program is deleted; its id and its addresses lead to the program that stays. `undelete` of
`catalog/programs/lifecycle.py` gives it its id and its address back.
"""

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from catalog.core import audit
from catalog.core.actor import Actor
from catalog.core.db import change_rows
from catalog.core.errors import Conflict
from catalog.curation import following
from catalog.merging import queries
from catalog.merging.models import MergeProposal
from catalog.programs import editing, lifecycle, snapshot
from catalog.programs.models import Program, ProgramRedirect, ProgramSlug
from catalog.programs.rules import MAX_PEOPLE, MAX_TAGS

# The columns that are taken over where the staying program has nothing.
_FILLED = (
    "description",
    "duration_sec",
    "release_date",
    "media_url",
    "thumbnail_url",
    "category_id",
    "series_id",
    "season",
    "episode",
)


def join(session: Session, staying: Program, merged: Program, actor: Actor) -> None:
    """Merge a program into another one.

    Args:
        session: The transaction.
        staying: The program that stays, locked.
        merged: The program that is deleted, locked.
        actor: Who merges them.

    Raises:
        Conflict: `merged` is published and `staying` is not: listeners would lose it.
    """
    if merged.status == "published" and staying.status != "published":
        raise Conflict("The other program is published, this one is not: keep that one.")
    values = _taken_over(session, staying, merged)
    if values:
        editing.edit(session, staying.id, values, actor, action="merge")
    staying_id, merged_id, views = staying.id, merged.id, merged.view_count
    lifecycle.transition(session, merged_id, "delete", actor)
    audit.record(session, actor, "program.merge", "program", staying_id, {"merged": [None, merged_id]})
    # Moved, not copied: if the merged program is brought back, its views must not count twice.
    _add_views(session, staying_id, views)
    _add_views(session, merged_id, -views)
    slugs_of_merged = update(ProgramSlug).where(ProgramSlug.program_id == merged_id)
    session.execute(slugs_of_merged.values(program_id=staying_id))
    # Programs that were merged into the merged program earlier lead straight to the staying program.
    redirects_to_merged = update(ProgramRedirect).where(ProgramRedirect.into_id == merged_id)
    session.execute(redirects_to_merged.values(into_id=staying_id))
    session.add(ProgramRedirect(program_id=merged_id, into_id=staying_id))
    session.flush()
    following.follow(session, merged_id, staying_id, actor)
    _move_proposals(session, staying_id, merged_id)


def _add_views(session: Session, program_id: int, views: int) -> None:
    statement = update(Program).where(Program.id == program_id)
    change_rows(session, statement.values(view_count=Program.view_count + views))


def _taken_over(session: Session, staying: Program, merged: Program) -> dict[str, object]:
    """The values that the staying program gets, as `editing.edit` takes them."""
    # Season and episode are numbers within a series.
    same_series = staying.series_id in (None, merged.series_id)
    values = {
        name: getattr(merged, name)
        for name in _FILLED
        if getattr(staying, name) in (None, "")
        and getattr(merged, name) not in (None, "")
        and (same_series or name not in ("season", "episode"))
    }
    ours, theirs = snapshot.of(session, staying), snapshot.of(session, merged)
    tags = list(dict.fromkeys([*ours["tags"], *theirs["tags"]]))[:MAX_TAGS]
    if tags != ours["tags"]:
        values["tags"] = tags
    credits = [(credit["role"], credit["name"]) for credit in (*ours["people"], *theirs["people"])]
    people = list(dict.fromkeys(credits))[:MAX_PEOPLE]
    if len(people) != len(ours["people"]):
        values["people"] = people
    return values


def _move_proposals(session: Session, staying_id: int, merged_id: int) -> None:
    """Make open proposals of the merged program proposals of the staying program."""
    for proposal in session.scalars(queries.open_of(merged_id)).all():
        third_id = proposal.other_id if proposal.program_id == merged_id else proposal.program_id
        if third_id == staying_id:
            # This is the proposal that is being accepted.
            continue
        program_id, other_id = sorted((staying_id, third_id))
        session.execute(
            insert(MergeProposal)
            .values(program_id=program_id, other_id=other_id, reasons=proposal.reasons)
            .on_conflict_do_nothing()
        )
        session.delete(proposal)
    session.flush()
