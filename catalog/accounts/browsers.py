"""The sign-in of a browser: a family of refresh tokens of a kind of its own, whose newest token the browser sends each time.

A client of the API exchanges its token itself. A browser has its token in a cookie and asks for several things at once, so
its token is good for many requests; when it is old, one of them gets the next token, and the requests that were on their
way then are still answered. Whoever sends it later has stolen it: the family ends.
Functions flush; the caller commits, also when nobody was found.
"""

import secrets
from datetime import timedelta
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from catalog.accounts.credentials import digest
from catalog.accounts.models import Account, RefreshToken
from catalog.accounts.sessions import BROWSER, Issued, family_is_revoked, issue, revoke_family

# How long a token is good after the next one was issued.
GRACE = timedelta(minutes=1)


class Visit(NamedTuple):
    """Whose browser it is, its family, and the next token when there is one."""

    account: Account
    family: str
    token: str | None


def sign_in(session: Session, account: Account, lasts: timedelta) -> Issued:
    """Issue the first token of a browser.

    Args:
        session: The transaction.
        account: Whose password was verified.
        lasts: How long the token is good when it is not exchanged.
    """
    account.last_login_at = func.now()
    return issue(session, account, BROWSER + secrets.token_hex(16), lasts)


def visit(
    session: Session, token: str, lasts: timedelta, exchange_after: timedelta | None = None
) -> Visit | None:
    """Return whose browser sends a token; None when it is unknown, expired, revoked or stolen, or the account is closed.

    Args:
        session: The transaction.
        token: In clear.
        lasts: How long the next token is good.
        exchange_after: How old a token is that is exchanged for the next one; None exchanges none.
    """
    row = session.get(RefreshToken, digest(token), with_for_update=exchange_after is not None or None)
    now = session.scalars(select(func.now())).one()
    if row is None or not row.family.startswith(BROWSER) or row.expires_at <= now:
        return None
    if session.scalar(select(family_is_revoked(row.family))):
        return None
    if row.used_at is not None and now - row.used_at > GRACE:
        revoke_family(session, row.family)
        return None
    account = session.get(Account, row.account_id)
    if account is None or not account.is_active:
        return None
    if exchange_after is None or row.used_at is not None or now - row.created_at < exchange_after:
        return Visit(account, row.family, None)
    row.used_at = func.now()
    return Visit(account, row.family, issue(session, account, row.family, lasts).token)
