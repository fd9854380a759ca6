"""The `thmanyah` command: every process and every chore of the product starts here.

Subcommands are named by dotted path and imported only when asked for, so that
`thmanyah up` does not pay for the API's imports, nor the API for the search node's.
"""

import os
from importlib import import_module
from typing import Any

import click

_COMMANDS = {
    "up": "deploy.local.up:up",
    "doctor": "deploy.local.doctor:doctor",
    "api": "api.cli:api",
    "openapi": "api.cli:openapi",
    "sync": "indexer.cli:sync",
    "worker": "indexer.cli_jobs:worker",
    "scheduler": "indexer.cli_jobs:scheduler",
    "import": "indexer.importing.cli:import_",
    "reindex": "indexer.cli_upkeep:reindex",
    "drift": "indexer.cli_upkeep:drift",
    "engine": "indexer.cli_engines:engine",
    "migrate": "catalog.cli:migrate",
    "user": "catalog.accounts.cli:user",
    "seed": "catalog.seed.cli:seed",
    "searchnode": "deploy.local.searchnode.cli:searchnode",
}

# Chores that somebody types, beside the stack of the same folder.
_LOCAL = {"import", "migrate", "user", "seed", "reindex", "drift", "engine"}


class _LazyGroup(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        target = _COMMANDS.get(cmd_name)
        if target is None:
            return None
        if cmd_name in _LOCAL and "DATABASE_URL" not in os.environ:
            # Typed beside a running `thmanyah up`: it means that one.
            for name, value in import_module("deploy.local.running").addresses().items():
                os.environ.setdefault(name, value)
        module, _, attribute = target.partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """A database that is not there is a sentence, not a traceback."""
        try:
            return super().invoke(ctx)
        except Exception as error:
            said = _database_trouble(error)
            if said is None:
                raise
            raise click.ClickException(said) from error


def _database_trouble(error: Exception) -> str | None:
    from sqlalchemy.exc import OperationalError, ProgrammingError

    if isinstance(error, ProgrammingError) and getattr(error.orig, "sqlstate", "") == "42P01":
        return "The database has not the tables of this build. Run `thmanyah migrate` first."
    # A connection that never came about has no SQLSTATE.
    if not isinstance(error, OperationalError) or getattr(error.orig, "sqlstate", None):
        return None
    why = str(error.orig).splitlines()[0]
    return (
        f"PostgreSQL cannot be reached: {why}\n"
        "Start everything with `thmanyah up` (make run), or say where it is: DATABASE_URL=…"
    )


@click.group(cls=_LazyGroup)
@click.version_option(package_name="thmanyah-discovery")
def main() -> None:
    """Thmanyah Discovery: search and browse a catalogue of programs in Arabic and English."""
