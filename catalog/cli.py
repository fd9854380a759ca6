"""`thmanyah migrate`."""

import click

from catalog import migrate as migrations
from catalog.settings import CatalogSettings


@click.command()
@click.option("--check", is_flag=True, help="Change nothing; exit 1 when the schema is behind.")
def migrate(check: bool) -> None:
    """Bring DATABASE_URL to the schema of this build."""
    url = CatalogSettings().direct_url
    if not check:
        migrations.upgrade(url)
    current, head = migrations.current_and_head(url)
    click.echo(f"schema {current or 'empty'}, newest {head}")
    if current != head:
        raise SystemExit(1)
