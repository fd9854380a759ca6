"""Signing in and out, API keys, and accounts for admins."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, Router, delete, get, patch, post
from litestar.concurrency import sync_to_thread
from litestar.params import FromPath, JSONBody
from msgspec import UNSET, UnsetType
from sqlalchemy import select
from sqlalchemy.orm import Session

from api import database
from api.auth import ADMINS, ANYONE_SIGNED_IN, access_token, authenticate, principal
from api.discovery.params import MAX_ID, Query
from api.editorial.programs import actor_of, number, reply
from api.errors import Problem
from api.schemas import Body, Model
from catalog.accounts import lifecycle
from catalog.accounts.models import Account, ApiKey
from catalog.actor import Actor
from catalog.errors import NotFound

Asked = Request[Any, Any, Any]
Text = Annotated[str, msgspec.Meta(max_length=400)]


class LoginIn(Body):
    """Who signs in."""

    email: Annotated[str, msgspec.Meta(max_length=320, examples=["admin@thmanyah.local"])]
    password: Text


class RefreshIn(Body):
    """A refresh token."""

    refresh_token: Text


class Tokens(Model):
    """A pair of tokens; the refresh token is good once."""

    access_token: str
    refresh_token: str
    expires_in: Annotated[int, msgspec.Meta(description="Seconds the access token is good for.")]
    token_type: str = "Bearer"  # noqa: S105


class AccountOut(Model):
    """An account."""

    id: int
    email: str
    name: str
    roles: list[str]
    is_active: bool
    created_at: datetime
    last_login_at: datetime | None


class AccountIn(Body):
    """A new account."""

    email: str
    password: Text
    roles: list[str]
    name: str = ""


class AccountPatch(Body):
    """What to change of an account."""

    password: Text | UnsetType = UNSET
    roles: list[str] | UnsetType = UNSET
    is_active: bool | UnsetType = UNSET


class KeyIn(Body):
    """A new API key."""

    name: str
    roles: list[str]
    quota_per_minute: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] | None = None


class KeyOut(Model):
    """An API key; `secret` is shown once, when it is made."""

    id: int
    name: str
    prefix: str
    roles: list[str]
    quota_per_minute: int | None
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None
    secret: str | UnsetType = UNSET


def _account(row: Account) -> AccountOut:
    return AccountOut(**{name: getattr(row, name) for name in AccountOut.__struct_fields__})


def _key(row: ApiKey, secret: str | UnsetType = UNSET) -> KeyOut:
    names = [n for n in KeyOut.__struct_fields__ if n != "secret"]
    return KeyOut(**{name: getattr(row, name) for name in names}, secret=secret)


def _data(value: Any) -> bytes:
    return msgspec.json.encode({"data": value})


def _tokens(request: Asked, issued: lifecycle.Issued) -> Response[bytes]:
    token, seconds = access_token(request.app.state.settings.api, issued.account)
    return reply(_data(Tokens(access_token=token, refresh_token=issued.token, expires_in=seconds)))


async def _slow_down(request: Asked, email: str) -> None:
    """Guessing is slowed per client and per account."""
    limiter = request.app.state.limiter
    budget = request.app.state.settings.api.login_per_minute
    for name in (
        f"login:{limiter.client(request.scope)}",
        f"login:{lifecycle.digest(email.lower())}",
    ):
        granted = await limiter.take(name, budget, 1)
        if granted is not None and granted[0] == 0:
            raise Problem("rate_limited", "Too many attempts.", headers={"Retry-After": "60"})


@post("/login", status_code=200, summary="Sign in")
async def login(request: Asked, data: JSONBody[LoginIn]) -> Response[bytes]:
    """Tokens for an e-mail and password."""
    await _slow_down(request, data.email)
    if "\x00" in data.email:
        raise lifecycle.InvalidCredentials("E-mail or password is wrong.")
    found = await database.read(request, lambda s: lifecycle.by_email(s, data.email))
    usable = found is not None and found.is_active
    hashed = found.password_hash if found is not None and usable else None
    # Off the loop: checking a password costs tens of milliseconds of one core.
    if not await sync_to_thread(lifecycle.verify, hashed, data.password) or found is None:
        raise lifecycle.InvalidCredentials("E-mail or password is wrong.")
    days = request.app.state.settings.api.refresh_days
    account_id = found.id

    def work(session: Session) -> lifecycle.Issued:
        account = session.get(Account, account_id)
        if account is None or not account.is_active:
            raise lifecycle.InvalidCredentials("E-mail or password is wrong.")
        return lifecycle.sign_in(session, account, days)

    return _tokens(request, await database.write(request, work))


@post(
    "/refresh",
    status_code=200,
    summary="Exchange a refresh token",
    description="A token used twice revokes its whole family.",
)
async def refresh(request: Asked, data: JSONBody[RefreshIn]) -> Response[bytes]:
    """The next pair of tokens."""
    days = request.app.state.settings.api.refresh_days
    issued = await database.write(request, lambda s: lifecycle.rotate(s, data.refresh_token, days))
    if isinstance(issued, str):
        raise lifecycle.TokenReused("This refresh token was used before; sign in again.")
    return _tokens(request, issued)


@post("/logout", status_code=204, summary="Sign out")
async def logout(request: Asked, data: JSONBody[RefreshIn]) -> None:
    """Revokes the refresh token's family; an unknown one is fine."""
    await database.write(request, lambda s: lifecycle.sign_out(s, data.refresh_token))


@get("/me", summary="Who am I", opt={"roles": ANYONE_SIGNED_IN})
async def me(request: Asked) -> Response[bytes]:
    """The account behind the token or key."""
    who = principal(request)
    found = await database.read(request, lambda s: s.get_one(Account, who.account_id))
    return reply(_data(_account(found)))


@post("/api-keys", status_code=201, summary="Make an API key", opt={"roles": ANYONE_SIGNED_IN})
async def create_key(request: Asked, data: JSONBody[KeyIn]) -> Response[bytes]:
    """Its secret is shown only now."""
    who, actor = principal(request), actor_of(request)

    def work(session: Session) -> KeyOut:
        owner = session.get_one(Account, who.account_id)
        key, secret = lifecycle.create_key(session, owner, data.name, data.roles, actor, granted=who.roles, quota_per_minute=data.quota_per_minute)  # fmt: skip
        return _key(key, secret)

    return reply(_data(await database.write(request, work)), status=201)


@get("/api-keys", summary="My API keys", opt={"roles": ANYONE_SIGNED_IN})
async def list_keys(request: Asked) -> Response[bytes]:
    """Without their secrets."""
    who = principal(request)
    statement = select(ApiKey).where(ApiKey.account_id == who.account_id).order_by(ApiKey.id)
    found = await database.read(request, lambda s: [_key(row) for row in s.scalars(statement)])
    return reply(_data(found))


@delete("/api-keys/{key_id:int}", summary="Close an API key", opt={"roles": ANYONE_SIGNED_IN})
async def revoke_key(request: Asked, key_id: FromPath[int]) -> None:
    """It opens nothing from now on. Admins may close anybody's."""
    number(key_id)
    who, actor = principal(request), actor_of(request)
    owner = None if "admin" in who.roles else who.account_id
    await database.write(request, lambda s: lifecycle.revoke_key(s, key_id, owner, actor))


@get("/users", summary="List accounts", opt={"roles": ADMINS})
async def list_users(request: Asked) -> Response[bytes]:
    """A page by id (after=id, limit ≤ 100)."""
    query = Query(request.query_params, {"after", "limit"})
    after, limit = query.integer("after", 0, MAX_ID, 0), query.limit()
    statement = select(Account).where(Account.id > after).order_by(Account.id).limit(limit)
    found = await database.read(request, lambda s: [_account(row) for row in s.scalars(statement)])
    return reply(_data(found))


@post("/users", status_code=201, summary="Make an account", opt={"roles": ADMINS})
async def create_user(request: Asked, data: JSONBody[AccountIn]) -> Response[bytes]:
    """A new account with its roles."""
    actor: Actor = actor_of(request)

    def work(session: Session) -> AccountOut:
        row = lifecycle.create(
            session, data.email, data.password, data.roles, actor, name=data.name
        )
        session.refresh(row)
        return _account(row)

    return reply(_data(await database.write(request, work)), status=201)


@patch(
    "/users/{account_id:int}",
    summary="Change an account",
    description="Signs it out everywhere.",
    opt={"roles": ADMINS},
)
async def change_user(
    request: Asked, account_id: FromPath[int], data: JSONBody[AccountPatch]
) -> Response[bytes]:
    """Change what is given."""
    number(account_id)
    actor = actor_of(request)
    given = {n: getattr(data, n) for n in data.__struct_fields__ if getattr(data, n) is not UNSET}

    def work(session: Session) -> AccountOut:
        if session.get(Account, account_id) is None:
            raise NotFound("account", account_id)
        row = lifecycle.change(session, account_id, actor, **given)
        session.refresh(row)
        return _account(row)

    return reply(_data(await database.write(request, work)))


open_router = Router("/accounts", route_handlers=[login, refresh, logout], tags=["accounts"])
router = Router(
    "/accounts",
    route_handlers=[me, create_key, list_keys, revoke_key, list_users, create_user, change_user],
    before_request=authenticate,
    tags=["accounts"],
    security=[{"bearer": []}, {"apiKey": []}],
)
