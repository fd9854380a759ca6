"""The command `thmanyah up`, which `make run` calls."""

import os
import sys
from contextlib import closing

import click
from rich.console import Console

from deploy.local.home import TRAVERSABLE, Home
from deploy.local.preparing import Preparer
from deploy.local.servers import postgres
from deploy.local.supervisor import Supervisor


@click.command()
def up() -> None:
    """Run the whole product on this machine, with a demo catalogue.

    Servers that the environment names (DATABASE_URL, REDIS_CACHE_URL, MEILI_URL) are used; the others are
    started. Everything is kept in .thmanyah/ (THMANYAH_HOME). Ctrl-C stops everything.
    """
    with closing(Preparer()) as preparer:
        settings = preparer.ask("settings")
        sys.exit(_run(preparer, settings["REDIS_PREFIX"]))


def _run(preparer: Preparer, redis_prefix: str) -> int:
    # Data, logs and secrets are readable for the person who started the product alone, whichever server writes them.
    # Where PostgreSQL runs as another user, that user may pass through the folders.
    is_shared = postgres.user() is not None
    os.umask(0o066 if is_shared else 0o077)
    home = Home()
    home.lock()
    if is_shared:
        home.path.chmod(TRAVERSABLE)
    console = Console(width=None if os.isatty(1) else 120)
    return Supervisor(home, console, preparer).run(redis_prefix)
