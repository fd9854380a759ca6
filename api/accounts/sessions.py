"""Routes that need no sign-in: sign in, exchange a refresh token, sign out."""

from litestar import post
from litestar.concurrency import sync_to_thread
from litestar.params import JSONBody
from sqlalchemy.orm import Session

from api.accounts import schemas
from api.accounts.attempts import limit_address, slow_attempts
from api.http import transaction
from api.http.auth import access_token
from api.http.reply import JsonResponse
from api.http.request import ApiRequest
from catalog.accounts import lifecycle
from catalog.accounts import sessions as refresh_tokens
from catalog.accounts.credentials import InvalidCredentials, digest, verify
from catalog.accounts.models import Account

_WRONG = "E-mail or password is wrong."


def tokens_answer(request: ApiRequest, issued: refresh_tokens.Issued) -> JsonResponse[schemas.TokensAnswer]:
    """Return the tokens of a sign-in or of a rotation."""
    token, seconds = access_token(request.shared.settings.api, issued.account, issued.family)
    pair = schemas.Tokens(access_token=token, refresh_token=issued.token, expires_in=seconds)
    return JsonResponse(schemas.TokensAnswer(data=pair))


async def prove(request: ApiRequest, email: str, password: str) -> int:
    """Return the id of the account with this e-mail address and password. Counts the attempt, and may wait.

    Args:
        request: Its client's attempts are limited.
        email: Whose account it is, whatever its case.
        password: In clear.

    Raises:
        Problem: There were too many attempts from this address.
        InvalidCredentials: The e-mail address or the password is wrong, or the account is closed.
    """
    await limit_address(request)
    await slow_attempts(request, f"login:{digest(email.lower())}")
    found = await transaction.read(request, lambda s: lifecycle.find_by_email(s, email))
    usable = found is not None and found.is_active
    password_hash = found.password_hash if found is not None and usable else None
    # Off the event loop: checking a password costs tens of milliseconds of one core.
    if not await sync_to_thread(verify, password_hash, password) or found is None:
        raise InvalidCredentials(_WRONG)
    return found.id


def open_account(session: Session, account_id: int) -> Account:
    """Return the account whose password was proved.

    Raises:
        InvalidCredentials: It was closed meanwhile.
    """
    account = session.get(Account, account_id)
    if account is None or not account.is_active:
        raise InvalidCredentials(_WRONG)
    return account


@post("/login", status_code=200, summary="Sign in", opt={"errors": ("invalid_credentials",)})
async def login(request: ApiRequest, data: JSONBody[schemas.LoginIn]) -> JsonResponse[schemas.TokensAnswer]:
    """Exchange an e-mail address and password for tokens."""
    account_id = await prove(request, data.email, data.password)
    days = request.shared.settings.api.refresh_days
    issued = await transaction.write(
        request, lambda s: refresh_tokens.sign_in(s, open_account(s, account_id), days)
    )
    return tokens_answer(request, issued)


@post(
    "/refresh",
    operation_id="refreshTokens",
    status_code=200,
    summary="Exchange a refresh token",
    description="A refresh token that is sent twice revokes all refresh and access tokens of its sign-in.",
    opt={"errors": ("invalid_token", "token_reused")},
)
async def refresh(
    request: ApiRequest, data: JSONBody[schemas.RefreshIn]
) -> JsonResponse[schemas.TokensAnswer]:
    """Exchange a refresh token for the next pair of tokens.

    Raises:
        TokenReused: The token was exchanged before; every token of its family is revoked now.
    """
    days = request.shared.settings.api.refresh_days
    issued = await transaction.write(request, lambda s: refresh_tokens.rotate(s, data.refresh_token, days))
    if isinstance(issued, str):
        raise refresh_tokens.TokenReused("This refresh token was used before: sign in again.")
    return tokens_answer(request, issued)


@post("/logout", status_code=204, summary="Sign out")
async def logout(request: ApiRequest, data: JSONBody[schemas.RefreshIn]) -> None:
    """Revoke the family of a refresh token, and its access tokens; an unknown token is no error."""
    await transaction.write(request, lambda s: refresh_tokens.sign_out(s, data.refresh_token))


HANDLERS = [login, refresh, logout]
