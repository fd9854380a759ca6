"""An entry of a list of feeds (OPML): it becomes a remembered source that is imported at once."""

import msgspec
from sqlalchemy.orm import Session

from catalog.core.actor import Actor
from catalog.core.errors import Conflict
from catalog.imports import refreshing, sources
from catalog.imports.items import NewItem
from catalog.imports.writing.rows import Row
from indexer.importing.running.context import RunContext


def remember_feed(session: Session, context: RunContext, row: Row) -> NewItem:
    """Remember the feed of the row unless it is remembered already, and start a run of it.

    A dry run only says what would happen.

    Args:
        session: In the transaction of the batch.
        context: The run of the list.
        row: The entry.

    Returns:
        The entry's item: created, unchanged or skipped.
    """
    run = context.run
    item = NewItem(row.position, row.external_id, row.title, "skipped")
    if row.skip is not None or row.feed_url is None:
        item.code, item.detail = row.skip or ("no_address", "")
        return item
    actor = Actor(run.actor_kind, run.actor_id, run.actor_name)
    source = sources.find(session, "feed", row.feed_url)
    item.outcome = "unchanged" if source is not None else "created"
    if run.dry_run:
        return item
    if source is None:
        # They are those of the list: a feed has its own namespace, and other positions.
        options = msgspec.structs.replace(context.options, namespace=None, positions=None)
        source = sources.create(session, "feed", row.feed_url, options, actor, title=row.title)
    try:
        child = refreshing.start(session, source, actor, trigger="opml", parent_id=run.id)
        item.detail = f"Import {child.id}."
    except Conflict as error:
        item.code, item.detail = "going_on", error.detail
    return item
