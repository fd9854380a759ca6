"""The command `thmanyah up`, which `make run` calls."""

import os
import sys

import click
from pydantic_settings import BaseSettings
from rich.console import Console

from api.settings import ApiSettings
from catalog.core.settings import CatalogSettings
from deploy.local.home import TRAVERSABLE, Home
from deploy.local.servers import postgres
from deploy.local.supervisor import Supervisor
from indexer.importing.settings import ImportSettings
from indexer.pictures.settings import PictureSettings
from indexer.settings import IndexerSettings

_SETTINGS: tuple[type[BaseSettings], ...] = (
    CatalogSettings,
    IndexerSettings,
    ApiSettings,
    ImportSettings,
    PictureSettings,
)


@click.command()
def up() -> None:
    """Run the whole product on this machine, with a demo catalogue.

    Servers that the environment names (DATABASE_URL, REDIS_CACHE_URL, MEILI_URL) are used; the others are
    started. Everything is kept in .thmanyah/ (THMANYAH_HOME). Ctrl-C stops everything.
    """
    # The children read these settings. A wrong variable shows here, once, and not in their logs. An empty one
    # is as good as none, because the stack replaces it.
    for settings in _SETTINGS:
        settings(_env_ignore_empty=True)
    # Data, logs and secrets are readable for the person who started the product alone, whichever server writes them.
    # Where PostgreSQL runs as another user, that user may pass through the folders.
    is_shared = postgres.user() is not None
    os.umask(0o066 if is_shared else 0o077)
    home = Home()
    home.lock()
    if is_shared:
        home.path.chmod(TRAVERSABLE)
    console = Console(width=None if os.isatty(1) else 120)
    sys.exit(Supervisor(home, console).run())
