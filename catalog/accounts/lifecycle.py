"""The only writer of accounts, refresh tokens and API keys."""

import hashlib
import re
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from catalog import audit
from catalog.accounts.models import ROLES, Account, ApiKey, RefreshToken
from catalog.actor import Actor
from catalog.db import flush
from catalog.errors import CatalogError, FieldError, NotFound, ValidationFailed

MIN_PASSWORD, MAX_PASSWORD = 10, 200
KEY_PREFIX = "tk_"
_EMAIL = re.compile(r"[^@\s\x00]{1,64}@[^@\s\x00]{1,255}")
_hasher = PasswordHasher()


@cache
def _decoy() -> str:
    return _hasher.hash("no account has this password")


class InvalidCredentials(CatalogError):
    """Wrong e-mail or password, or the account is closed: which one is not said."""

    code = "invalid_credentials"


class InvalidToken(CatalogError):
    """A refresh token that is unknown, expired or revoked."""

    code = "invalid_token"


class TokenReused(CatalogError):
    """A refresh token that had been used: its whole family is now revoked."""

    code = "token_reused"


@dataclass(frozen=True, slots=True)
class Issued:
    """A refresh token as its owner gets it, and whose it is."""

    account: Account
    token: str


def digest(secret: str) -> str:
    """How a random secret is stored: it has enough entropy for a plain hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _check(email: str | None, password: str | None, roles: Sequence[str] | None) -> None:
    errors = []
    if email is not None and not _EMAIL.fullmatch(email):
        errors.append(FieldError("email", "invalid", "Must be an e-mail address."))
    if password is not None and not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        errors.append(
            FieldError("password", "invalid", f"{MIN_PASSWORD} to {MAX_PASSWORD} characters.")
        )
    if roles is not None and (not roles or set(roles) - set(ROLES)):
        errors.append(FieldError("roles", "invalid", f"One or more of {', '.join(ROLES)}."))
    if errors:
        raise ValidationFailed(errors)


def create(
    session: Session,
    email: str,
    password: str,
    roles: Sequence[str],
    actor: Actor,
    *,
    name: str = "",
) -> Account:
    """A new account. Raises ValidationFailed, Conflict."""
    _check(email, password, roles)
    account = Account(
        email=email, name=name, roles=sorted(set(roles)), password_hash=_hasher.hash(password)
    )
    session.add(account)
    flush(session, "An account with this e-mail exists.", {"email": "email"})
    audit.record(
        session, actor, "account.create", "account", account.id, {"roles": [None, account.roles]}
    )
    return account


def by_email(session: Session, email: str) -> Account | None:
    """The account with this e-mail, whatever its case."""
    return session.scalar(select(Account).where(func.lower(Account.email) == email.lower()))


def change(
    session: Session,
    account_id: int,
    actor: Actor,
    *,
    password: str | None = None,
    roles: Sequence[str] | None = None,
    is_active: bool | None = None,
) -> Account:
    """Change what is given; every token issued before is worthless afterwards."""
    _check(None, password, roles)
    account = session.get(Account, account_id, with_for_update=True)
    if account is None:
        raise NotFound("account", account_id)
    diff: dict[str, object] = {}
    if password is not None:
        account.password_hash = _hasher.hash(password)
        diff["password"] = "changed"  # noqa: S105
    if roles is not None:
        diff["roles"] = [account.roles, sorted(set(roles))]
        account.roles = sorted(set(roles))
    if is_active is not None:
        diff["isActive"] = [account.is_active, is_active]
        account.is_active = is_active
    sign_out_everywhere(session, account)
    audit.record(session, actor, "account.change", "account", account.id, diff)
    session.flush()
    return account


def sign_out_everywhere(session: Session, account: Account) -> None:
    """No access or refresh token of the account is good any more."""
    account.token_version += 1
    session.execute(
        update(RefreshToken)
        .where(RefreshToken.account_id == account.id, RefreshToken.revoked_at.is_(None))
        .values(revoked_at=func.now())
    )


def verify(password_hash: str | None, password: str) -> bool:
    """Is it the password? Takes the same time without an account. CPU-bound, tens of ms."""
    try:
        # Somebody unknown is verified too, so that both take the same time.
        decoy = _decoy()
        return _hasher.verify(password_hash or decoy, password) and password_hash is not None
    except (VerificationError, InvalidHashError):
        return False


def sign_in(session: Session, account: Account, days: int) -> Issued:
    """A first refresh token of a new family, for an account whose password was verified."""
    account.last_login_at = func.now()
    return _issue(session, account, secrets.token_hex(16), days)


def _issue(session: Session, account: Account, family: str, days: int) -> Issued:
    token = secrets.token_urlsafe(32)
    session.add(
        RefreshToken(
            token_hash=digest(token),
            family=family,
            account_id=account.id,
            expires_at=func.now() + timedelta(days=days),
        )
    )
    session.flush()
    return Issued(account, token)


def revoke_family(session: Session, family: str) -> None:
    """Nobody can use any token of this chain."""
    session.execute(
        update(RefreshToken)
        .where(RefreshToken.family == family, RefreshToken.revoked_at.is_(None))
        .values(revoked_at=func.now())
    )


def rotate(session: Session, token: str, days: int) -> Issued | str:
    """Exchange a refresh token for the next of its family.

    A token that was used before means that it was stolen: its family is revoked and its name
    returned, for the caller to commit and refuse. Raises InvalidToken.
    """
    row = session.get(RefreshToken, digest(token), with_for_update=True)
    now: datetime = session.scalars(select(func.now())).one()
    if row is None or row.revoked_at is not None or row.expires_at <= now:
        raise InvalidToken("The refresh token is not valid.")
    if row.used_at is not None:
        revoke_family(session, row.family)
        return row.family
    account = session.get(Account, row.account_id)
    if account is None or not account.is_active:
        raise InvalidToken("The refresh token is not valid.")
    row.used_at = func.now()
    return _issue(session, account, row.family, days)


def sign_out(session: Session, token: str) -> None:
    """Revoke the token's family; an unknown token is fine."""
    row = session.get(RefreshToken, digest(token))
    if row is not None:
        revoke_family(session, row.family)


def create_key(
    session: Session,
    owner: Account,
    name: str,
    roles: Sequence[str],
    actor: Actor,
    *,
    granted: Collection[str] | None = None,
    quota_per_minute: int | None = None,
) -> tuple[ApiKey, str]:
    """A new key and its secret, which is never shown again.

    It cannot do more than its owner, nor more than what the caller was `granted`: a key for one
    role must not make itself a stronger one.
    """
    _check(None, None, roles)
    own = set(owner.roles) if granted is None else set(granted)
    if set(roles) - own and "admin" not in own:
        raise ValidationFailed([FieldError("roles", "invalid", "Not more than your own roles.")])
    if not name.strip() or len(name) > 100 or "\x00" in name:
        raise ValidationFailed([FieldError("name", "invalid", "1 to 100 characters.")])
    secret = KEY_PREFIX + secrets.token_urlsafe(32)
    key = ApiKey(
        key_hash=digest(secret),
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


def revoke_key(session: Session, key_id: int, owner_id: int | None, actor: Actor) -> None:
    """Close a key; `owner_id` limits it to one's own. Raises NotFound."""
    key = session.get(ApiKey, key_id, with_for_update=True)
    if key is None or (owner_id is not None and key.account_id != owner_id):
        raise NotFound("API key", key_id)
    key.revoked_at = func.now()
    audit.record(session, actor, "api_key.revoke", "api_key", key_id, {})
    session.flush()
