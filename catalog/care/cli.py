"""`thmanyah db report`, `explain` and `maintain`."""

import sys
from datetime import datetime

import click
from rich.console import Console
from rich.table import Table

from catalog.care import maintenance, plans, report
from catalog.core.db import opened
from catalog.core.settings import CatalogSettings

_TITLES = {
    "indexes": "Indexes, the largest first; unused: no statement has read it since the counters began",
    "bloat": "Index pages beyond what the rows need (estimate)",
    "tables": "Tables: dead rows, and the last VACUUM and ANALYZE",
    "statements": "Statements that took the most time (pg_stat_statements)",
    "replicas": "Replicas of this server",
    "transactions": "Age of the oldest transaction id; writes stop at 2,000,000,000",
}


@click.group()
def db() -> None:
    """Look after the database: what is used, how it is read, what is due."""


@db.command("report")
@click.option("--all", "everything", is_flag=True, help="Every index and table, not only the first twenty.")
def report_(everything: bool) -> None:
    """Show index usage, bloat, vacuum and analyze, slow statements and replication lag."""
    # Tables are read by people: as wide as they need where nobody looks.
    console = Console(width=None if sys.stdout.isatty() else 160)
    with opened(CatalogSettings(), application="thmanyah-db") as database, database.connect() as connection:
        found = report.collect(connection)
    for section, title in _TITLES.items():
        rows = found.get(section)
        if rows is None:
            console.print("No statements: the extension pg_stat_statements is not installed.\n")
            continue
        if not rows:
            console.print(f"{title}: none.\n")
            continue
        shown = rows if everything else rows[:20]
        table = Table(title=title, title_justify="left")
        for name in shown[0]:
            table.add_column(name)
        for row in shown:
            table.add_row(*(_shown(name, value) for name, value in row.items()))
        console.print(table)
        if len(rows) > len(shown):
            console.print(f"… and {len(rows) - len(shown)} more: --all")
        console.print()


def _shown(name: str, value: object) -> str:
    match value:
        case None:
            return "never" if name in ("vacuumed", "analyzed", "last_scan") else ""
        case bool():
            return "yes" if value else ""
        case int() if name in ("bytes", "wasted"):
            return f"{value / 2**20:,.1f} MiB"
        case int():
            return f"{value:,}"
        case float():
            return f"{value:,.2f}"
        case datetime():
            return value.strftime("%Y-%m-%d %H:%M")
        case _:
            return str(value)[:90]


@db.command()
@click.argument("statement", type=click.Choice(sorted(plans.STATEMENTS)))
@click.option("--q", default="", help="The words of a search or suggestion; else the title of a program.")
def explain(statement: str, q: str) -> None:
    """Execute a statement of the product, show its plan, and mark what looks wrong. Exits with 1 when anything does."""
    with opened(CatalogSettings(), application="thmanyah-db") as database, database.connect() as connection:
        steps, took = plans.explain(connection, statement, q)
    for step in steps:
        click.echo(f"{'  ' * step.depth}{step.said}{''.join(f'   <-- {mark}' for mark in step.marks)}")
    click.echo(f"{took:.2f} ms in all")
    sys.exit(int(any(step.marks for step in steps)))


@db.command()
@click.option("--dry-run", is_flag=True, help="Say what is due, and do nothing.")
def maintain(dry_run: bool) -> None:
    """VACUUM and ANALYZE tables that changed, and build bloated indexes anew, while everybody reads and writes."""
    done = maintenance.maintain(CatalogSettings(), dry_run=dry_run)
    for statement in done:
        click.echo(statement)
    if not done:
        click.echo("nothing is due")
