"""The `thmanyah` command: every process and every chore of the product starts here."""

import click


@click.group()
@click.version_option(package_name="thmanyah-discovery")
def main() -> None:
    """Thmanyah Discovery."""
