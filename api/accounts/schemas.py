"""JSON bodies and answers of the routes under /accounts."""

from typing import Annotated

import msgspec
from msgspec import UNSET, UnsetType

from api.http.schemas import Body, Model, Moment
from catalog.accounts.models import Account, ApiKey

Text = Annotated[str, msgspec.Meta(max_length=400)]
# Requests in a minute.
Quota = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]


class LoginIn(Body):
    """The e-mail address and password of an account."""

    email: Annotated[str, msgspec.Meta(max_length=320, examples=["admin@thmanyah.local"])]
    password: Text


class RefreshIn(Body):
    """A refresh token."""

    refresh_token: Text


class Tokens(Model):
    """An access token, and a refresh token that can be exchanged once."""

    access_token: str
    refresh_token: str
    expires_in: Annotated[int, msgspec.Meta(description="Seconds until the access token expires.")]
    token_type: str = "Bearer"  # noqa: S105  # the name of a scheme, no secret


class TokensAnswer(Model):
    """Tokens under `data`."""

    data: Tokens


class AccountOut(Model):
    """An account."""

    id: int
    email: str
    name: str
    roles: list[str]
    is_active: bool
    created_at: Moment
    last_login_at: Moment | None


class AccountAnswer(Model):
    """An account under `data`."""

    data: AccountOut


class AccountList(Model):
    """Accounts under `data`."""

    data: list[AccountOut]


class AccountIn(Body):
    """A new account."""

    email: str
    password: Text
    roles: list[str]
    name: str = ""


class AccountPatch(Body):
    """The fields to change; a field that is absent stays as it is."""

    password: Text | UnsetType = UNSET
    roles: list[str] | UnsetType = UNSET
    is_active: bool | UnsetType = UNSET
    revoke_keys: bool = False


class PasswordChange(Body):
    """A new password of the signed-in account; `revokeKeys` revokes its API keys, too."""

    current_password: Text
    password: Text
    revoke_keys: bool = False


class PasswordReset(Body):
    """A new password, by the token of an admin's link; `revokeKeys` revokes the account's API keys, too."""

    token: Text
    password: Text
    revoke_keys: bool = False


class ResetLink(Model):
    """A link that is good once. It is shown only now. `link` is null without `PASSWORD_RESET_URL`."""

    token: str
    link: str | None
    expires_at: Moment


class ResetLinkAnswer(Model):
    """A link under `data`."""

    data: ResetLink


class KeyIn(Body):
    """A new API key."""

    name: str
    roles: list[str]
    quota_per_minute: Quota | None = None


class KeyPatch(Body):
    """What admins change of an API key."""

    quota_per_minute: Quota | None


class KeyOut(Model):
    """An API key. Only the answer to its creation has `secret`."""

    id: int
    name: str
    prefix: str
    roles: list[str]
    quota_per_minute: int | None
    created_at: Moment
    last_used_at: Moment | None
    revoked_at: Moment | None
    secret: str | UnsetType = UNSET


class KeyAnswer(Model):
    """An API key under `data`."""

    data: KeyOut


class KeyList(Model):
    """API keys under `data`."""

    data: list[KeyOut]


def account_out(row: Account) -> AccountOut:
    """Return an account as JSON shows it, without its password hash."""
    return AccountOut(
        id=row.id,
        email=row.email,
        name=row.name,
        roles=row.roles,
        is_active=row.is_active,
        created_at=row.created_at,
        last_login_at=row.last_login_at,
    )


def key_out(row: ApiKey, secret: str | UnsetType = UNSET) -> KeyOut:
    """Return an API key as JSON shows it.

    Args:
        row: The key.
        secret: Known only when the key is created; the database has a hash of it.
    """
    return KeyOut(
        id=row.id,
        name=row.name,
        prefix=row.prefix,
        roles=row.roles,
        quota_per_minute=row.quota_per_minute,
        created_at=row.created_at,
        last_used_at=row.last_used_at,
        revoked_at=row.revoked_at,
        secret=secret,
    )
