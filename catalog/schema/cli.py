"""`thmanyah migrate`."""

import click

from catalog.core.settings import CatalogSettings
from catalog.schema import migrate as migrations


@click.command()
@click.option(
    "--check", is_flag=True, help="Change nothing; exit 1 when the schema is older than this build."
)
@click.pass_context
def migrate(context: click.Context, check: bool) -> None:
    """Bring DATABASE_URL to the schema of this build."""
    url = CatalogSettings().direct_url
    if not check:
        migrations.upgrade(url)
    current, head = migrations.current_and_head(url)
    click.echo(f"schema {current or 'empty'}, newest {head}")
    if current != head:
        context.exit(1)
