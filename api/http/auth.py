"""Authentication: access tokens and API keys, and the roles that a route needs.

Groups of routes for signed-in senders are built by `signed_in_router`; `api.accounts.sessions` creates tokens.
"""

import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

import jwt
from litestar import Router
from litestar.handlers import HTTPRouteHandler
from sqlalchemy import func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from api.http.errors import Problem
from api.http.limits.rate_limit import Budget, Limiter
from api.http.parameters import check_parameters
from api.http.request import ApiRequest, Principal
from api.settings import ApiSettings
from catalog.accounts.credentials import digest
from catalog.accounts.keys import PREFIX as KEY_PREFIX
from catalog.accounts.models import Account, ApiKey
from catalog.accounts.sessions import family_is_revoked

ISSUER = "thmanyah"
AUDIENCE = "thmanyah-api"
_ALGORITHM = "HS256"
EDITORS = ("editor", "reviewer", "admin")
REVIEWERS = ("reviewer", "admin")
ADMINS = ("admin",)
OPS = ("ops", "admin")
ANYONE_SIGNED_IN = ("editor", "reviewer", "ops", "admin")
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="thmanyah"'}


def access_token(settings: ApiSettings, account: Account, family: str = "") -> tuple[str, int]:
    """Return a signed access token for an account, and the seconds until it expires.

    Args:
        settings: The signing key and the lifetime.
        account: Whom the token is for.
        family: The family of refresh tokens with which the token ends; empty for a token that stands alone.
    """
    now = int(time.time())
    seconds = settings.access_minutes * 60
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": str(account.id),
        "iat": now,
        "exp": now + seconds,
        "jti": uuid4().hex,
        "ver": account.token_version,
        "fam": family,
    }
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
    # Read on every request, so that a closed account, a change of roles or a revoked family takes effect at once.
    statement = select(Account, family_is_revoked(str(claims.get("fam", "")))).where(
        Account.id == int(claims["sub"])
    )
    account, revoked = (await session.execute(statement)).one_or_none() or (None, True)
    if account is None or revoked or not account.is_active or account.token_version != claims["ver"]:
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
    # `last_used_at` is exact to a minute, which saves a write on most requests.
    last: datetime | None = key.last_used_at
    if last is None or time.time() - last.timestamp() > 60:
        await session.execute(update(ApiKey).where(ApiKey.id == key.id).values(last_used_at=func.now()))
        await session.commit()


async def authenticate(request: ApiRequest) -> None:
    """Check the credential of a request and its roles, and put the Principal into the scope as the user.

    The route's `opt["roles"]` names the roles of which the sender needs at least one. `opt["people_only"]` refuses API
    keys.

    Raises:
        Problem: There is no credential, it is not valid, its limit is used up, the role is missing, or a person is
            needed.
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
    limiter = request.shared.limiter
    credential: bytes = request.scope["state"].get("credential", b"")
    try:
        async with request.shared.db() as session:
            principal = (
                await _by_key(session, secret)
                if secret
                else await _by_token(session, request.shared.settings.api, token)
            )
    except Problem:
        limiter.refused(credential)
        raise
    await _spend(request, limiter, credential, principal)
    needed = request.route_handler.opt.get("roles", ADMINS)
    if not principal.roles & set(needed):
        raise Problem("forbidden", f"Needs one of: {', '.join(needed)}.")
    if principal.key_id is not None and request.route_handler.opt.get("people_only"):
        raise Problem("person_required")
    request.scope["user"] = principal


async def _spend(request: ApiRequest, limiter: Limiter, credential: bytes, principal: Principal) -> None:
    """Count the request to the principal, unless the edge knew the credential and has counted it already.

    Raises:
        Problem: The limit of the principal is used up.
    """
    name = f"key:{principal.key_id}" if principal.key_id else f"account:{principal.account_id}"
    budget = Budget(name, principal.quota or limiter.per_minute)
    limiter.proven(credential, budget)
    if request.scope["state"].get("budget") == budget:
        return
    seconds = await limiter.spend(budget)
    if seconds:
        raise Problem("rate_limited", headers={"Retry-After": str(seconds)})


async def admit(request: ApiRequest) -> None:
    """Check the sender of a request, then its parameters. Runs before every route that needs a role.

    Raises:
        Problem: The request is refused.
    """
    if request.method == "OPTIONS":
        # Which methods there are is in the OpenAPI document, too.
        return
    await authenticate(request)
    check_parameters(request)


def check_may_publish(request: ApiRequest, policy: str) -> None:
    """Check that the sender may start an import of this policy: one that publishes needs a reviewer.

    Raises:
        Problem: The import publishes, and the sender is no reviewer.
    """
    if policy == "publish" and not request.user.roles & set(REVIEWERS):
        raise Problem("forbidden", f"Publishing needs one of the roles {', '.join(REVIEWERS)}.")


def signed_in_router(path: str, tag: str, handlers: Sequence[HTTPRouteHandler]) -> Router:
    """Return a router for routes that need a role.

    Args:
        path: The common prefix of their paths.
        tag: Their group in the OpenAPI document.
        handlers: The routes; `opt["roles"]` names the roles of which the sender needs one.
    """
    return Router(
        path,
        route_handlers=handlers,
        before_request=admit,  # type: ignore[arg-type]  # `api.app` makes every request an ApiRequest
        tags=[tag],
        security=[{"bearer": []}, {"apiKey": []}],
    )
