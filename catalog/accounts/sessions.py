"""Refresh tokens. A token is used once, for the next one of its family; signing in begins a family.

Rotation as in RFC 9700, section 4.14.2: a token that is used twice was stolen, so its whole family is revoked. An access
token names its family, so it ends with it (`family_is_revoked`).
Functions flush; the caller commits.
"""

import secrets
from datetime import timedelta
from typing import NamedTuple

from sqlalchemy import Exists, delete, exists, func, select, update
from sqlalchemy.orm import Session

from catalog.accounts.credentials import digest
from catalog.accounts.models import Account, RefreshToken
from catalog.core.db import change_rows
from catalog.core.errors import CatalogError

# How long an expired token is kept. It is refused, whether it is known or not.
EXPIRED_KEPT = timedelta(days=1)
# What the names of families begin with whose tokens are in cookies of browsers (`catalog.accounts.browsers`).
BROWSER = "browser-"


class InvalidToken(CatalogError):
    """The refresh token is unknown, expired or revoked."""

    code = "invalid_token"


class TokenReused(CatalogError):
    """The refresh token was used before; its family is revoked now."""

    code = "token_reused"


class Issued(NamedTuple):
    """A new refresh token in clear, its account and its family."""

    account: Account
    token: str
    family: str


def sign_in(session: Session, account: Account, days: int) -> Issued:
    """Issue the first refresh token of a new family.

    Args:
        session: The transaction.
        account: Whose password was verified.
        days: How long the token is valid.
    """
    account.last_login_at = func.now()
    return issue(session, account, secrets.token_hex(16), timedelta(days=days))


def rotate(session: Session, token: str, days: int) -> Issued | str:
    """Exchange a refresh token for the next one of its family.

    Args:
        session: The transaction.
        token: In clear.
        days: How long the next token is valid.

    Returns:
        The next token. The name of the family, if the token was used before: the family is revoked, which the
        caller commits before it raises TokenReused.

    Raises:
        InvalidToken: The token is unknown, expired, revoked or a browser's, or the account is closed.
    """
    row = session.get(RefreshToken, digest(token), with_for_update=True)
    now = session.scalars(select(func.now())).one()
    known = row is not None and row.expires_at > now and not row.family.startswith(BROWSER)
    if row is None or not known or session.scalar(select(family_is_revoked(row.family))):
        raise InvalidToken("The refresh token is not valid.")
    if row.used_at is not None:
        revoke_family(session, row.family)
        return row.family
    account = session.get(Account, row.account_id)
    if account is None or not account.is_active:
        raise InvalidToken("The refresh token is not valid.")
    row.used_at = func.now()
    return issue(session, account, row.family, timedelta(days=days))


def issue(session: Session, account: Account, family: str, lasts: timedelta) -> Issued:
    """Issue the next token of a family.

    Args:
        session: The transaction.
        account: Whose token it is.
        family: Its family.
        lasts: How long it is good.
    """
    token = secrets.token_urlsafe(32)
    session.add(
        RefreshToken(
            token_hash=digest(token), family=family, account_id=account.id, expires_at=func.now() + lasts
        )
    )
    session.flush()
    return Issued(account, token, family)


def sign_out(session: Session, token: str) -> None:
    """Revoke the family of a refresh token; an unknown token is ignored."""
    row = session.get(RefreshToken, digest(token))
    if row is not None:
        revoke_family(session, row.family)


def sign_out_everywhere(session: Session, account: Account) -> None:
    """Revoke every refresh token of the account, and make its access tokens invalid."""
    account.token_version += 1
    session.execute(
        update(RefreshToken)
        .where(RefreshToken.account_id == account.id, RefreshToken.revoked_at.is_(None))
        .values(revoked_at=func.now())
    )


def revoke_family(session: Session, family: str) -> None:
    """Revoke every refresh token of the family, and with them its access tokens.

    An UPDATE waits for a rotation that holds a token of the family, but does not see the token that it adds; the next
    UPDATE does.
    """
    statement = (
        update(RefreshToken)
        .where(RefreshToken.family == family, RefreshToken.revoked_at.is_(None))
        .values(revoked_at=func.now())
    )
    while change_rows(session, statement):
        pass


def family_is_revoked(family: str) -> Exists:
    """Return the condition that a token of the family was revoked, and so the family."""
    return exists().where(RefreshToken.family == family, RefreshToken.revoked_at.is_not(None))


def prune(session: Session) -> int:
    """Delete refresh tokens that expired longer than `EXPIRED_KEPT` ago; return how many.

    A used or revoked token stays until then: presenting it again must be noticed.
    """
    limit = func.now() - EXPIRED_KEPT
    return change_rows(session, delete(RefreshToken).where(RefreshToken.expires_at < limit))
