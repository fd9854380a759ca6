"""Routes by which people choose a new password: themselves, or by a one-time link that an admin makes."""

from litestar import post
from litestar.concurrency import sync_to_thread
from litestar.params import JSONBody
from sqlalchemy.orm import Session

from api.accounts import schemas
from api.accounts.attempts import limit_address, limit_attempts
from api.accounts.sessions import tokens_answer
from api.http import transaction
from api.http.auth import ADMINS, ANYONE_SIGNED_IN
from api.http.parameters import Id
from api.http.reply import JsonResponse
from api.http.request import ApiRequest, actor_of
from catalog.accounts import lifecycle, resets
from catalog.accounts import sessions as refresh_tokens
from catalog.accounts.credentials import InvalidCredentials, new_password, verify
from catalog.accounts.models import Account

_WRONG = "The current password is wrong."


@post(
    "/password",
    status_code=200,
    summary="Change my password",
    description="Signs the account out everywhere and answers with new tokens. At least 12 characters, nothing common.",
    opt={"roles": ANYONE_SIGNED_IN, "people_only": True, "errors": ("invalid_credentials",)},
)
async def change_password(
    request: ApiRequest, data: JSONBody[schemas.PasswordChange]
) -> JsonResponse[schemas.TokensAnswer]:
    """Change the password of the signed-in account.

    Raises:
        InvalidCredentials: The current password is wrong.
    """
    account_id, actor = request.user.account_id, actor_of(request)
    await limit_attempts(request, f"password:{account_id}")
    found = await transaction.read(request, lambda s: s.get_one(Account, account_id))
    # Off the event loop: checking and hashing cost tens to hundreds of milliseconds of one core.
    if not await sync_to_thread(verify, found.password_hash, data.current_password):
        raise InvalidCredentials(_WRONG)
    password = await sync_to_thread(new_password, data.password, (found.email, found.name))
    verified, days = found.password_hash, request.shared.settings.api.refresh_days

    def work(session: Session) -> refresh_tokens.Issued:
        account = session.get_one(Account, account_id, with_for_update=True)
        if account.password_hash != verified:
            # Changed since it was verified.
            raise InvalidCredentials(_WRONG)
        lifecycle.change(session, account_id, actor, password=password, revoke_keys=data.revoke_keys)
        return refresh_tokens.sign_in(session, account, days)

    return tokens_answer(request, await transaction.write(request, work))


@post(
    "/users/{account_id:int}/password-reset",
    operation_id="createPasswordReset",
    status_code=201,
    summary="Make a link for a new password",
    description="The link is good once, for PASSWORD_RESET_HOURS. A newer link replaces it.",
    opt={"roles": ADMINS, "people_only": True, "errors": ("not_found",)},
)
async def make_link(request: ApiRequest, account_id: Id) -> JsonResponse[schemas.ResetLinkAnswer]:
    """Make a link by which the owner of an account chooses a new password."""
    settings, actor = request.shared.settings.api, actor_of(request)
    made = await transaction.write(
        request, lambda s: resets.issue(s, account_id, settings.password_reset_hours, actor)
    )
    # A fragment is sent to no server and so is in no log.
    address = f"{settings.password_reset_url}#token={made.token}" if settings.password_reset_url else None
    data = schemas.ResetLink(token=made.token, link=address, expires_at=made.expires_at)
    return JsonResponse(schemas.ResetLinkAnswer(data=data))


@post(
    "/password-reset",
    operation_id="resetPassword",
    status_code=204,
    summary="Choose a new password by a link",
    description="Signs the account out everywhere; sign in with the new password afterwards.",
    opt={"errors": ("invalid_token",)},
)
async def use_link(request: ApiRequest, data: JSONBody[schemas.PasswordReset]) -> None:
    """Set the password of the account that a link belongs to."""
    await limit_address(request)
    found = await transaction.read(request, lambda s: resets.find(s, data.token))
    password = await sync_to_thread(new_password, data.password, (found.email, found.name))
    request_id = request.scope["state"]["request_id"]
    await transaction.write(
        request, lambda s: resets.redeem(s, data.token, password, request_id, revoke_keys=data.revoke_keys)
    )


HANDLERS = [change_password, make_link]
OPEN_HANDLERS = [use_link]
