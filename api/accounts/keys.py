"""Routes of the signed-in account: its own data, and its API keys. Admins also list and limit keys of others."""

from litestar import delete, get, patch, post
from litestar.params import JSONBody
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.accounts import schemas
from api.http import transaction
from api.http.auth import ADMINS, ANYONE_SIGNED_IN
from api.http.errors import Problem
from api.http.parameters import Id
from api.http.reply import JsonResponse
from api.http.request import ApiRequest, actor_of
from catalog.accounts import keys as api_keys
from catalog.accounts.models import Account, ApiKey


@get("/me", operation_id="getMe", summary="Who am I", opt={"roles": ANYONE_SIGNED_IN})
async def me(request: ApiRequest) -> JsonResponse[schemas.AccountAnswer]:
    """Return the account behind the token or key."""
    account_id = request.user.account_id
    found = await transaction.read(request, lambda s: s.get_one(Account, account_id))
    return JsonResponse(schemas.AccountAnswer(data=schemas.account_out(found)))


@post(
    "/api-keys",
    operation_id="createApiKey",
    status_code=201,
    summary="Make an API key",
    description="Only for a person who is signed in. Only an admin gives a quota.",
    opt={"roles": ANYONE_SIGNED_IN, "people_only": True, "errors": ("too_many_keys",)},
)
async def create_key(request: ApiRequest, data: JSONBody[schemas.KeyIn]) -> JsonResponse[schemas.KeyAnswer]:
    """Create an API key; its secret is shown only now.

    Raises:
        Problem: A quota is given, and the sender is no admin.
    """
    user, actor = request.user, actor_of(request)
    if data.quota_per_minute is not None and "admin" not in user.roles:
        raise Problem("forbidden", "Only an admin sets a quota.")
    most = request.shared.settings.api.keys_per_account

    def work(session: Session) -> schemas.KeyOut:
        owner = session.get_one(Account, user.account_id, with_for_update=True)
        key, secret = api_keys.create(
            session, owner, data.name, data.roles, actor, most=most, quota_per_minute=data.quota_per_minute
        )
        return schemas.key_out(key, secret)

    return JsonResponse(schemas.KeyAnswer(data=await transaction.write(request, work)))


@get(
    "/api-keys",
    operation_id="listApiKeys",
    summary="My API keys",
    opt={"roles": ANYONE_SIGNED_IN, "people_only": True},
)
async def list_keys(request: ApiRequest) -> JsonResponse[schemas.KeyList]:
    """List the account's API keys, without their secrets."""
    return await _keys(request, request.user.account_id)


@get(
    "/users/{account_id:int}/api-keys",
    operation_id="listApiKeysOf",
    summary="API keys of an account",
    opt={"roles": ADMINS, "people_only": True},
)
async def list_keys_of(request: ApiRequest, account_id: Id) -> JsonResponse[schemas.KeyList]:
    """List the API keys of any account, without their secrets; an unknown account has none."""
    return await _keys(request, account_id)


async def _keys(request: ApiRequest, account_id: int) -> JsonResponse[schemas.KeyList]:
    statement = select(ApiKey).where(ApiKey.account_id == account_id).order_by(ApiKey.id)
    found = await transaction.read(request, lambda s: [schemas.key_out(row) for row in s.scalars(statement)])
    return JsonResponse(schemas.KeyList(data=found))


@patch(
    "/api-keys/{key_id:int}",
    operation_id="limitApiKey",
    summary="Set the quota of an API key",
    description="null is the usual limit. A minute that is used up ends first.",
    opt={"roles": ADMINS, "people_only": True, "errors": ("not_found",)},
)
async def limit_key(
    request: ApiRequest, key_id: Id, data: JSONBody[schemas.KeyPatch]
) -> JsonResponse[schemas.KeyAnswer]:
    """Set how many requests a minute an API key may make."""
    actor = actor_of(request)

    def work(session: Session) -> schemas.KeyOut:
        return schemas.key_out(api_keys.set_quota(session, key_id, data.quota_per_minute, actor))

    return JsonResponse(schemas.KeyAnswer(data=await transaction.write(request, work)))


@delete(
    "/api-keys/{key_id:int}",
    operation_id="revokeApiKey",
    summary="Close an API key",
    opt={"roles": ANYONE_SIGNED_IN, "people_only": True, "errors": ("not_found",)},
)
async def revoke_key(request: ApiRequest, key_id: Id) -> None:
    """Revoke an API key of the account; admins may revoke every key."""
    user, actor = request.user, actor_of(request)
    owner = None if "admin" in user.roles else user.account_id
    await transaction.write(request, lambda s: api_keys.revoke(s, key_id, owner, actor))


HANDLERS = [me, create_key, list_keys, list_keys_of, limit_key, revoke_key]
