"""API keys: created, limited and revoked. Functions flush; the caller commits.

Only a signed-in person manages keys (`api.accounts.keys`), never a key: a stolen key cannot outlive its revocation.
"""

import secrets
from collections.abc import Sequence

from sqlalchemy import Select, func, or_, select, update
from sqlalchemy.orm import Session

from catalog.accounts import credentials
from catalog.accounts.models import Account, ApiKey
from catalog.core import audit
from catalog.core.actor import Actor
from catalog.core.db import change_rows
from catalog.core.errors import CatalogError, FieldError, NotFound, ValidationFailed

PREFIX = "tk_"


class TooManyKeys(CatalogError):
    """The account has as many usable keys as an account may have."""

    code = "too_many_keys"


def create(
    session: Session,
    owner: Account,
    name: str,
    roles: Sequence[str],
    actor: Actor,
    *,
    most: int,
    quota_per_minute: int | None = None,
) -> tuple[ApiKey, str]:
    """Create a key.

    Args:
        session: The transaction.
        owner: The account that the key belongs to, locked by the caller so that keys are counted one after another.
        name: For people.
        roles: What the key may do.
        actor: Who creates it.
        most: How many usable keys an account may have.
        quota_per_minute: Requests a minute; None means the usual limit.

    Returns:
        The key, and its secret, which cannot be read again.

    Raises:
        ValidationFailed: The name or a role is wrong, or the key would have more roles than its owner.
        TooManyKeys: The account has `most` usable keys.
    """
    credentials.check(roles=roles)
    own = set(owner.roles)
    if set(roles) - own and "admin" not in own:
        raise ValidationFailed([FieldError("roles", "invalid", "Not more than your own roles.")])
    if not name.strip() or len(name) > 100 or "\x00" in name:
        raise ValidationFailed([FieldError("name", "invalid", "1 to 100 characters.")])
    if (session.scalar(_count_usable(owner.id)) or 0) >= most:
        raise TooManyKeys(f"An account may have {most} API keys. Revoke a key that is not needed.")
    secret = PREFIX + secrets.token_urlsafe(32)
    key = ApiKey(
        key_hash=credentials.digest(secret),
        prefix=secret[:8],
        name=name,
        account_id=owner.id,
        roles=sorted(set(roles)),
        quota_per_minute=quota_per_minute,
    )
    session.add(key)
    session.flush()
    audit.record(session, actor, "api_key.create", "api_key", key.id, {"roles": [None, key.roles]})
    session.flush()
    session.refresh(key)
    return key, secret


def revoke(session: Session, key_id: int, owner_id: int | None, actor: Actor) -> None:
    """Revoke a key.

    Args:
        session: The transaction.
        key_id: The key.
        owner_id: Only if the key belongs to this account; None: whoever owns it.
        actor: Who revokes it.

    Raises:
        NotFound: No such key, or it belongs to another account.
    """
    key = session.get(ApiKey, key_id, with_for_update=True)
    if key is None or (owner_id is not None and key.account_id != owner_id):
        raise NotFound("API key", key_id)
    key.revoked_at = func.now()
    audit.record(session, actor, "api_key.revoke", "api_key", key_id, {})
    session.flush()


def revoke_all(session: Session, account_id: int) -> int:
    """Revoke every key of an account; return how many."""
    return change_rows(
        session,
        update(ApiKey)
        .where(ApiKey.account_id == account_id, ApiKey.revoked_at.is_(None))
        .values(revoked_at=func.now()),
    )


def set_quota(session: Session, key_id: int, quota_per_minute: int | None, actor: Actor) -> ApiKey:
    """Set how many requests a minute a key may make.

    Args:
        session: The transaction.
        key_id: The key.
        quota_per_minute: None means the usual limit of an account.
        actor: The admin who sets it.

    Raises:
        NotFound: No such key.
    """
    key = session.get(ApiKey, key_id, with_for_update=True)
    if key is None:
        raise NotFound("API key", key_id)
    diff = {"quotaPerMinute": [key.quota_per_minute, quota_per_minute]}
    key.quota_per_minute = quota_per_minute
    audit.record(session, actor, "api_key.quota", "api_key", key_id, diff)
    session.flush()
    return key


def _count_usable(account_id: int) -> Select[int]:
    return select(func.count()).where(
        ApiKey.account_id == account_id,
        ApiKey.revoked_at.is_(None),
        or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > func.now()),
    )
