"""Admins' routes: list, create and change accounts. An API key cannot use them: it could make itself an account."""

from litestar import get, patch, post
from litestar.concurrency import sync_to_thread
from litestar.params import JSONBody
from msgspec import UNSET
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.accounts import schemas
from api.http import transaction
from api.http.auth import ADMINS
from api.http.parameters import AfterId, Id, Limit
from api.http.query import DEFAULT_LIMIT
from api.http.reply import JsonResponse
from api.http.request import ApiRequest, actor_of
from catalog.accounts import credentials, lifecycle
from catalog.accounts.models import Account
from catalog.core.errors import NotFound


@get("/users", summary="List accounts", opt={"roles": ADMINS, "people_only": True})
async def list_users(
    request: ApiRequest, after: AfterId = 0, limit: Limit = DEFAULT_LIMIT
) -> JsonResponse[schemas.AccountList]:
    """List accounts by id."""
    statement = select(Account).where(Account.id > after).order_by(Account.id).limit(limit)
    found = await transaction.read(
        request, lambda s: [schemas.account_out(row) for row in s.scalars(statement)]
    )
    return JsonResponse(schemas.AccountList(data=found))


@post(
    "/users",
    status_code=201,
    summary="Make an account",
    opt={"roles": ADMINS, "people_only": True, "errors": ("conflict",)},
)
async def create_user(
    request: ApiRequest, data: JSONBody[schemas.AccountIn]
) -> JsonResponse[schemas.AccountAnswer]:
    """Create an account with its roles."""
    actor = actor_of(request)
    password = await sync_to_thread(credentials.new_password, data.password, (data.email, data.name))

    def work(session: Session) -> schemas.AccountOut:
        row = lifecycle.create(session, data.email, password, data.roles, actor, name=data.name)
        session.refresh(row)
        return schemas.account_out(row)

    return JsonResponse(schemas.AccountAnswer(data=await transaction.write(request, work)))


@patch(
    "/users/{account_id:int}",
    summary="Change an account",
    description="Signs it out everywhere. Closing it (isActive false) also revokes its API keys for good.",
    opt={"roles": ADMINS, "people_only": True, "errors": ("not_found", "last_admin")},
)
async def change_user(
    request: ApiRequest, account_id: Id, data: JSONBody[schemas.AccountPatch]
) -> JsonResponse[schemas.AccountAnswer]:
    """Change the fields that the body has.

    Raises:
        NotFound: No such account.
    """
    actor = actor_of(request)
    found = await transaction.read(request, lambda s: s.get(Account, account_id))
    if found is None:
        raise NotFound("account", account_id)
    password = None
    if data.password is not UNSET:
        password = await sync_to_thread(credentials.new_password, data.password, (found.email, found.name))

    def work(session: Session) -> schemas.AccountOut:
        row = lifecycle.change(
            session,
            account_id,
            actor,
            password=password,
            roles=None if data.roles is UNSET else data.roles,
            is_active=None if data.is_active is UNSET else data.is_active,
            revoke_keys=data.revoke_keys,
        )
        session.refresh(row)
        return schemas.account_out(row)

    return JsonResponse(schemas.AccountAnswer(data=await transaction.write(request, work)))


HANDLERS = [list_users, create_user, change_user]
