"""What editors chose follows a program that is merged into another one. Called by `catalog.merging`."""

from sqlalchemy import delete, func, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from catalog.core import audit, changes
from catalog.core.actor import Actor
from catalog.core.db import change_rows
from catalog.curation.models import Collection, CollectionProgram


def follow(session: Session, merged_id: int, staying_id: int, actor: Actor) -> None:
    """Put the program that stays where the merged one stood; where both stood, it takes the first of the two places.

    Args:
        session: The transaction.
        merged_id: The program that was merged.
        staying_id: The program that stays.
        actor: Who merges them.
    """
    stood = delete(CollectionProgram).where(CollectionProgram.program_id == merged_id)
    places = session.execute(
        stood.returning(CollectionProgram.collection_id, CollectionProgram.position)
    ).all()
    for collection_id, position in sorted(places):
        there = insert(CollectionProgram).values(
            collection_id=collection_id, program_id=staying_id, position=position
        )
        first = func.least(CollectionProgram.position, there.excluded.position)
        session.execute(
            there.on_conflict_do_update(
                index_elements=["collection_id", "program_id"], set_={"position": first}
            )
        )
        change_rows(
            session, update(Collection).where(Collection.id == collection_id).values(rev=Collection.rev + 1)
        )
        diff = {"programId": [merged_id, staying_id]}
        audit.record(session, actor, "collection.merge", "collection", collection_id, diff)
    if places:
        session.flush()
        changes.note_curation(session)
