"""One-time links by which an admin lets the owner of an account choose a new password.

The token of a link begins with the account's id; the database has a hash of its secret half. A newer link replaces an
older one. Functions flush; the caller commits. `api.accounts.passwords` calls them.
"""

import hmac
import secrets
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy.orm import Session

from catalog.accounts import lifecycle
from catalog.accounts.credentials import NewPassword, digest
from catalog.accounts.models import Account
from catalog.accounts.sessions import InvalidToken
from catalog.core import audit
from catalog.core.actor import Actor
from catalog.core.db import database_now
from catalog.core.errors import NotFound

_LARGEST_ID_DIGITS = 18


class Link(NamedTuple):
    """The token of a link in clear, and when it expires."""

    token: str
    expires_at: datetime


def issue(session: Session, account_id: int, hours: int, actor: Actor) -> Link:
    """Make the link of an account. Its password stays as it is until the link is used.

    Args:
        session: The transaction.
        account_id: The account.
        hours: How long the link is valid.
        actor: The admin who makes it.

    Raises:
        NotFound: No such account, or it is closed.
    """
    account = session.get(Account, account_id, with_for_update=True)
    if account is None or not account.is_active:
        raise NotFound("open account", account_id)
    secret = secrets.token_urlsafe(32)
    expires_at = database_now(session) + timedelta(hours=hours)
    account.reset_hash, account.reset_expires_at = digest(secret), expires_at
    audit.record(session, actor, "account.reset_link", "account", account_id, {})
    session.flush()
    return Link(f"{account_id}.{secret}", expires_at)


def find(session: Session, token: str) -> Account:
    """Return the account of a link's token, locked.

    Raises:
        InvalidToken: The token is unknown, expired or used, or the account is closed.
    """
    number, _, secret = token.partition(".")
    account = None
    if number.isascii() and number.isdigit() and len(number) <= _LARGEST_ID_DIGITS:
        account = session.get(Account, int(number), with_for_update=True)
    if (
        account is None
        or not account.is_active
        or account.reset_hash is None
        or account.reset_expires_at is None
        or account.reset_expires_at <= database_now(session)
        or not hmac.compare_digest(account.reset_hash, digest(secret))
    ):
        raise InvalidToken("The link is not valid. Ask an admin for a new one.")
    return account


def redeem(
    session: Session, token: str, password: NewPassword, request_id: str, *, revoke_keys: bool
) -> None:
    """Set the password of a link's account, end the link, and sign the account out everywhere.

    Args:
        session: The transaction.
        token: Of the link.
        password: The new password, checked and hashed.
        request_id: For the audit log.
        revoke_keys: Revoke its API keys, too.

    Raises:
        InvalidToken: The token is unknown, expired or used, or the account is closed.
    """
    account = find(session, token)
    actor = Actor("account", account.id, account.email, request_id)
    lifecycle.change(session, account.id, actor, password=password, revoke_keys=revoke_keys)
