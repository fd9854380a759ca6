"""`thmanyah user …`: accounts from the command line."""

import click
from sqlalchemy import select

from catalog.accounts import lifecycle
from catalog.accounts.models import ROLES, Account
from catalog.actor import Actor
from catalog.db import opened, session_factory
from catalog.errors import CatalogError
from catalog.settings import CatalogSettings

_ACTOR = Actor("system", name="thmanyah user")


@click.group()
def user() -> None:
    """Manage the accounts of editors, reviewers, ops and admins."""


@user.command()
@click.argument("email")
@click.option(
    "--role",
    "roles",
    multiple=True,
    type=click.Choice(ROLES),
    default=("editor",),
    show_default=True,
)
@click.option("--name", default="")
@click.password_option(envvar="THMANYAH_PASSWORD", help="Asked for when not given.")
def create(email: str, roles: tuple[str, ...], name: str, password: str) -> None:
    """Create an account."""
    with opened(CatalogSettings()) as database, session_factory(database).begin() as session:
        try:
            account = lifecycle.create(session, email, password, roles, _ACTOR, name=name)
        except CatalogError as error:
            raise click.ClickException(error.detail) from error
        click.echo(f"{account.email}: {', '.join(account.roles)}")


@user.command("set-password")
@click.argument("email")
@click.password_option(envvar="THMANYAH_PASSWORD", help="Asked for when not given.")
def set_password(email: str, password: str) -> None:
    """Change a password; signs the account out everywhere."""
    with opened(CatalogSettings()) as database, session_factory(database).begin() as session:
        account = lifecycle.by_email(session, email)
        if account is None:
            raise click.ClickException(f"no account {email}")
        try:
            lifecycle.change(session, account.id, _ACTOR, password=password)
        except CatalogError as error:
            raise click.ClickException(error.detail) from error
    click.echo("changed")


@user.command("list")
def list_accounts() -> None:
    """Every account with its roles."""
    with opened(CatalogSettings()) as database, session_factory(database)() as session:
        for account in session.scalars(select(Account).order_by(Account.id)):
            state = "" if account.is_active else " (closed)"
            click.echo(f"{account.email}: {', '.join(account.roles)}{state}")
