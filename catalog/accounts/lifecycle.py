"""Accounts: created and changed. Functions flush; the caller commits."""

from collections.abc import Sequence

from sqlalchemy import any_, func, literal, select
from sqlalchemy.orm import Session

from catalog.accounts import credentials, keys, sessions
from catalog.accounts.credentials import NewPassword
from catalog.accounts.models import Account
from catalog.core import audit
from catalog.core.actor import Actor
from catalog.core.db import flush
from catalog.core.errors import CatalogError, NotFound


class LastAdmin(CatalogError):
    """Without this account nobody could manage accounts any more."""

    code = "last_admin"


def create(
    session: Session, email: str, password: NewPassword, roles: Sequence[str], actor: Actor, *, name: str = ""
) -> Account:
    """Create an account.

    Args:
        session: The transaction.
        email: Unique, whatever its case.
        password: Checked and hashed.
        roles: Some of `models.ROLES`.
        actor: Who creates it.
        name: For people.

    Raises:
        ValidationFailed: The e-mail or a role is wrong.
        Conflict: An account has this e-mail.
    """
    credentials.check(email=email, roles=roles)
    account = Account(email=email, name=name, roles=sorted(set(roles)), password_hash=password.hash)
    session.add(account)
    flush(session, "An account with this e-mail exists.", {"email": "email"})
    audit.record(session, actor, "account.create", "account", account.id, {"roles": [None, account.roles]})
    return account


def find_by_email(session: Session, email: str) -> Account | None:
    """Return the account with this e-mail, whatever its case, or None."""
    return session.scalar(select(Account).where(func.lower(Account.email) == email.lower()))


def change(
    session: Session,
    account_id: int,
    actor: Actor,
    *,
    password: NewPassword | None = None,
    roles: Sequence[str] | None = None,
    is_active: bool | None = None,
    revoke_keys: bool = False,
) -> Account:
    """Change what is not None, and sign the account out everywhere.

    Args:
        session: The transaction.
        account_id: The account.
        actor: Who changes it.
        password: The new password, checked and hashed. It ends a link for a reset.
        roles: The new roles, all of them.
        is_active: False closes the account and revokes its API keys for good, True opens it again.
        revoke_keys: Revoke its API keys, too.

    Raises:
        NotFound: No such account.
        ValidationFailed: A role is wrong.
        LastAdmin: No other open account is an admin's.
    """
    credentials.check(roles=roles)
    loses_admin = is_active is False or (roles is not None and "admin" not in roles)
    # Before the account itself: all changes lock in the same order.
    admins = _lock_admins(session) if loses_admin else ()
    account = session.get(Account, account_id, with_for_update=True)
    if account is None:
        raise NotFound("account", account_id)
    if list(admins) == [account_id]:
        raise LastAdmin("This is the last admin. Give another account the role first.")
    diff: dict[str, object] = {}
    if password is not None:
        account.password_hash = password.hash
        diff["password"] = "changed"  # noqa: S105  (a word for the audit log)
    if roles is not None:
        diff["roles"] = [account.roles, sorted(set(roles))]
        account.roles = sorted(set(roles))
    if is_active is not None:
        diff["isActive"] = [account.is_active, is_active]
        account.is_active = is_active
    if revoke_keys or is_active is False:
        diff["apiKeysRevoked"] = keys.revoke_all(session, account.id)
    if password is not None or is_active is False:
        account.reset_hash = account.reset_expires_at = None
    sessions.sign_out_everywhere(session, account)
    audit.record(session, actor, "account.change", "account", account.id, diff)
    session.flush()
    return account


def _lock_admins(session: Session) -> Sequence[int]:
    """Return the ids of open accounts with the role admin, locked, so that two changes cannot each see the other."""
    admins = select(Account.id).where(Account.is_active, literal("admin") == any_(Account.roles))
    return session.scalars(admins.order_by(Account.id).with_for_update()).all()
