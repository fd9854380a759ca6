"""Who asks: access tokens, API keys, and the roles a route needs."""

import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

import jwt
from litestar import Request
from sqlalchemy import func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from api.errors import Problem
from api.settings import ApiSettings
from catalog.accounts.lifecycle import KEY_PREFIX, digest
from catalog.accounts.models import Account, ApiKey
from catalog.actor import Actor

ISSUER = "thmanyah"
AUDIENCE = "thmanyah-api"
_ALGORITHM = "HS256"
EDITORS = ("editor", "reviewer", "admin")
REVIEWERS = ("reviewer", "admin")
ADMINS = ("admin",)
OPS = ("ops", "admin")
ANYONE_SIGNED_IN = ("editor", "reviewer", "ops", "admin")
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="thmanyah"'}


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody who proved who they are."""

    account_id: int
    name: str
    roles: frozenset[str]
    key_id: int | None = None
    quota: int | None = None

    def actor(self, request_id: str) -> Actor:
        """As audit events name them."""
        if self.key_id is not None:
            return Actor("api_key", self.key_id, self.name, request_id)
        return Actor("account", self.account_id, self.name, request_id)


def access_token(settings: ApiSettings, account: Account) -> tuple[str, int]:
    """A signed token and the seconds it is good for."""
    now = int(time.time())
    seconds = settings.access_minutes * 60
    claims = {
        "iss": ISSUER, "aud": AUDIENCE, "sub": str(account.id), "iat": now, "exp": now + seconds,
        "jti": uuid4().hex, "ver": account.token_version,
    }  # fmt: skip
    return jwt.encode(claims, settings.secret_key.get_secret_value(), algorithm=_ALGORITHM), seconds


def _claims(settings: ApiSettings, token: str) -> dict[str, Any]:
    try:
        return jwt.decode(
            token,
            settings.secret_key.get_secret_value(),
            algorithms=[_ALGORITHM],
            audience=AUDIENCE,
            issuer=ISSUER,
            options={"require": ["exp", "iat", "iss", "aud", "sub", "jti", "ver"]},
        )
    except jwt.ExpiredSignatureError:
        raise Problem("token_expired", headers=_CHALLENGE) from None
    except jwt.InvalidTokenError:
        raise Problem("invalid_token", headers=_CHALLENGE) from None


async def _by_token(session: AsyncSession, settings: ApiSettings, token: str) -> Principal:
    claims = _claims(settings, token)
    if not str(claims["sub"]).isdecimal() or len(str(claims["sub"])) > 18:
        raise Problem("invalid_token", headers=_CHALLENGE)
    account = await session.get(Account, int(claims["sub"]))
    # Asked on every request: closing an account or changing its roles takes effect at once.
    if account is None or not account.is_active or account.token_version != claims["ver"]:
        raise Problem("invalid_token", headers=_CHALLENGE)
    return Principal(account.id, account.email, frozenset(account.roles))


async def _by_key(session: AsyncSession, secret: str) -> Principal:
    now = func.now()
    found = await session.execute(
        select(ApiKey, Account)
        .join(Account, Account.id == ApiKey.account_id)
        .where(
            ApiKey.key_hash == digest(secret),
            ApiKey.revoked_at.is_(None),
            or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > now),
            Account.is_active,
        )
    )
    row = found.one_or_none()
    if row is None:
        raise Problem("invalid_token", headers=_CHALLENGE)
    key, account = row
    await _touch(session, key)
    roles = set(key.roles) if "admin" in account.roles else set(key.roles) & set(account.roles)
    return Principal(account.id, key.name, frozenset(roles), key.id, key.quota_per_minute)


async def _touch(session: AsyncSession, key: ApiKey) -> None:
    # Once a minute is enough to see whether a key is in use.
    last: datetime | None = key.last_used_at
    if last is None or time.time() - last.timestamp() > 60:
        await session.execute(
            update(ApiKey).where(ApiKey.id == key.id).values(last_used_at=func.now())
        )
        await session.commit()


async def authenticate(request: Request[Any, Any, Any]) -> None:
    """Before a protected route: leave the Principal in the scope, or raise Problem.

    The route's `opt["roles"]` names the roles of which one is needed.
    """
    secret = request.headers.get("x-api-key", "")
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    token = token.strip()
    if scheme.lower() == "bearer" and token.startswith(KEY_PREFIX):
        secret = token
    elif scheme.lower() != "bearer" or not token:
        token = ""
    if not secret and not token:
        raise Problem("unauthenticated", headers=_CHALLENGE)
    async with request.app.state.db() as session:
        principal = (
            await _by_key(session, secret)
            if secret
            else await _by_token(session, request.app.state.settings.api, token)
        )
    await _spend(request, principal)
    needed = request.route_handler.opt.get("roles", ADMINS)
    if not principal.roles & set(needed):
        raise Problem("forbidden", f"Needs one of: {', '.join(needed)}.")
    request.scope["user"] = principal


async def _spend(request: Request[Any, Any, Any], principal: Principal) -> None:
    limiter = request.app.state.limiter
    budget = principal.quota or limiter.per_minute
    if not budget:
        return
    name = f"key:{principal.key_id}" if principal.key_id else f"account:{principal.account_id}"
    granted = await limiter.take(name, budget, 1)
    if granted is not None and granted[0] == 0:
        raise Problem("rate_limited", headers={"Retry-After": "60"})


def principal(request: Request[Any, Any, Any]) -> Principal:
    """Who passed `authenticate`."""
    found: Principal = request.scope["user"]
    return found
