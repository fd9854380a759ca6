"""`thmanyah user`: creating, listing and changing accounts from the command line."""

from collections.abc import Iterator
from contextlib import contextmanager

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.accounts import credentials, lifecycle
from catalog.accounts.models import ROLES, Account
from catalog.core.actor import Actor
from catalog.core.db import opened, session_factory
from catalog.core.errors import CatalogError
from catalog.core.settings import CatalogSettings

_ACTOR = Actor("system", name="thmanyah user")


@contextmanager
def _transaction() -> Iterator[Session]:
    """Give a `with` block a transaction that ends with the block.

    Raises:
        ClickException: The catalogue refused what the block did; the command shows why.
    """
    with opened(CatalogSettings()) as database, session_factory(database).begin() as session:
        try:
            yield session
        except CatalogError as error:
            raise click.ClickException(error.detail) from error


def _require(session: Session, email: str) -> Account:
    account = lifecycle.find_by_email(session, email)
    if account is None:
        raise click.ClickException(f"No account has the e-mail {email}.")
    return account


@click.group()
def user() -> None:
    """Manage the accounts of editors, reviewers, ops and admins."""


@user.command()
@click.argument("email")
@click.option(
    "--role", "roles", multiple=True, type=click.Choice(ROLES), default=("editor",), show_default=True
)
@click.option("--name", default="", help="The person's name.")
@click.password_option(envvar="THMANYAH_PASSWORD", help="Asked for when not given.")
def create(email: str, roles: tuple[str, ...], name: str, password: str) -> None:
    """Create an account."""
    with _transaction() as session:
        accepted = credentials.new_password(password, (email, name))
        account = lifecycle.create(session, email, accepted, roles, _ACTOR, name=name)
        click.echo(f"{account.email}: {', '.join(account.roles)}")


@user.command("set-password")
@click.argument("email")
@click.password_option(envvar="THMANYAH_PASSWORD", help="Asked for when not given.")
def set_password(email: str, password: str) -> None:
    """Change a password and sign the account out everywhere."""
    with _transaction() as session:
        account = _require(session, email)
        accepted = credentials.new_password(password, (account.email, account.name))
        lifecycle.change(session, account.id, _ACTOR, password=accepted)
    click.echo(f"The password of {email} is changed.")


@user.command("list")
def list_accounts() -> None:
    """List every account with its roles."""
    with _transaction() as session:
        for account in session.scalars(select(Account).order_by(Account.id)):
            state = "" if account.is_active else " (closed)"
            click.echo(f"{account.email}: {', '.join(account.roles)}{state}")
