"""`thmanyah seed`."""

import sys

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

from catalog.core.db import opened, session_factory
from catalog.core.settings import CatalogSettings
from catalog.seed import demo, loading


@click.command()
@click.option(
    "--count",
    type=click.IntRange(1, 10_000_000),
    help="Generate this many programs instead of the demo catalogue.",
)
@click.option(
    "--seed", type=int, default=1, show_default=True, help="The same seed and count give the same programs."
)
def seed(count: int | None, seed: int) -> None:
    """Load the demo catalogue, or generate a large one with --count."""
    settings = CatalogSettings().model_copy(update={"pool_min": 1, "pool_max": 2, "statement_timeout_ms": 0})
    if count is None:
        with opened(settings) as database, session_factory(database).begin() as session:
            click.echo(f"{demo.load(session)} programs added")
        return
    columns = ("generating", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with opened(settings) as database, Progress(*columns, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("generating", total=count)
        done = loading.load(database, count, seed, lambda total: bar.update(task, completed=total))
    click.echo(f"{done} programs added")
