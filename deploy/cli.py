"""The `thmanyah` command: every process and every chore of the product starts here.

Subcommands are named by dotted path and imported only when asked for, so that
`thmanyah up` does not pay for the API's imports, nor the API for the search node's.
"""

from importlib import import_module

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
    "migrate": "catalog.cli:migrate",
    "user": "catalog.accounts.cli:user",
    "seed": "catalog.seed.cli:seed",
    "searchnode": "deploy.local.searchnode.cli:searchnode",
}


class _LazyGroup(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        target = _COMMANDS.get(cmd_name)
        if target is None:
            return None
        module, _, attribute = target.partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command


@click.group(cls=_LazyGroup)
@click.version_option(package_name="thmanyah-discovery")
def main() -> None:
    """Thmanyah Discovery: search and browse a catalogue of programs in Arabic and English."""
