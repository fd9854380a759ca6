"""`make cluster`: start the cluster, print the board, and end everything at Ctrl-C."""

import os
import sys
import time

import click
from rich.console import Console
from rich.table import Table

from deploy.local.errors import LocalStackError
from deploy.local.stack import ADMIN
from deploy.proving import debian, layout
from deploy.proving.cluster import STOP_SECONDS, Cluster
from indexer.process import stopping


@click.command()
@click.option(
    "--programs", type=click.IntRange(0), default=0, help="Generated programs in the place of the demo's."
)
def main(programs: int) -> None:
    """Run the production shape on this machine until Ctrl-C.

    Raises:
        ClickException: A server is missing, or a part did not start.
    """
    console = Console(width=None if os.isatty(1) else 120)

    def say(text: str) -> None:
        console.print(f"{time.strftime('%H:%M:%S')}  {text}", highlight=False, soft_wrap=True)

    running: list[Cluster] = []

    def abandon() -> None:
        for cluster in running:
            cluster.abandon()

    stop = stopping.requested(abandon, grace=STOP_SECONDS + 5)
    os.umask(0o077)
    try:
        debian.require(*debian.PACKAGES)
        with layout.choose() as places:
            cluster = Cluster(places, say, stop.event.is_set)
            running.append(cluster)
            try:
                cluster.start(programs)
                _print_board(console, cluster)
                cluster.watch()
            finally:
                say("stopping")
                cluster.stop()
                say("stopped; nothing is left")
    except LocalStackError as error:
        if not stop.event.is_set():
            raise click.ClickException(str(error)) from error
        sys.exit(1)


def _print_board(console: Console, cluster: Cluster) -> None:
    table = Table(title=f"The cluster on {cluster.layout.network}.0/24", title_justify="left")
    for column in ("part", "state", "pid", "where"):
        table.add_column(column, no_wrap=True)
    for child in cluster.children.values():
        pid = str(child.process.pid) if child.process is not None else ""
        table.add_row(child.name, "up" if child.running else "restarting", pid, child.where)
    console.print(table)
    for label, value in (
        ("listeners", f"{cluster.url}/discovery/search?q=قهوه"),
        ("account", f"{ADMIN}  password {cluster.parts.password}"),
        ("alerts", f"{cluster.layout['prometheus'].url}/alerts"),
        ("logs", str(cluster.folder / "logs")),
    ):
        console.print(f"{label:>10}  {value}", highlight=False, soft_wrap=True)
    console.print("Ctrl-C stops everything and removes what it wrote.", highlight=False)


if __name__ == "__main__":
    main()
