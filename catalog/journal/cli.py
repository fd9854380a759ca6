"""`thmanyah db restored`: what the journal has to be told after a backup was restored."""

import click

from catalog.core.actor import Actor
from catalog.core.db import opened, session_factory
from catalog.core.settings import CatalogSettings
from catalog.journal import entries

_ACTOR = Actor("system", name="thmanyah db")


@click.command()
def restored() -> None:
    """Say that a backup was restored: mirrors that follow the feed of changes begin again."""
    opening = opened(CatalogSettings(), application="thmanyah-db")
    with opening as database, session_factory(database).begin() as session:
        epoch = entries.begin_epoch(session, _ACTOR)
    click.echo(f"The feed of changes is {epoch} now: older cursors are refused.")
