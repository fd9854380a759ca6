"""The pages to sign in, to sign out and to choose a language. They do what the routes under /accounts do."""

import secrets
from datetime import timedelta

from litestar import Response, Router, get, post
from litestar.datastructures import Cookie
from litestar.params import FromPath
from sqlalchemy.orm import Session

from api.accounts.sessions import open_account, prove
from api.http import transaction
from api.http.auth import ANYONE_SIGNED_IN
from api.http.errors import Problem
from api.web.rendering.locales import LANGUAGES
from api.web.signin import cookies, forms
from api.web.signin.refusals import HANDLERS_OF_STAFF
from api.web.signin.staff import LONGEST_ADDRESS, StaffRequest, admit, page, recognise, redirect
from catalog.accounts import browsers, sessions
from catalog.accounts.credentials import InvalidCredentials
from catalog.core.text import has_control_characters

_HERE = "/sign-in"
_YEAR = 31_536_000
# Of an account, in a form.
_LONGEST_FIELD = 400


def local(address: str) -> str:
    """Return a path of this site to which a form may lead; the page of the sign-in instead of any other address.

    A browser takes `//host`, and a backslash for a slash; it drops tabs and ends of lines.
    """
    plain = address.isprintable() and not has_control_characters(address) and "\\" not in address
    inside = address.startswith("/") and not address.startswith("//")
    return address if plain and inside and len(address) <= LONGEST_ADDRESS else _HERE


@get(_HERE)
async def form(request: StaffRequest) -> Response[bytes]:
    """Return the form; somebody who has signed in is led on, or told so."""
    wanted = local(request.query_params.get("next", ""))
    signed = await recognise(request)
    if signed is not None:
        return redirect(request, wanted) if wanted != _HERE else page(request, "signed_in.html", {})
    return _form(request, wanted, None, 200)


def _form(
    request: StaffRequest, wanted: str, refusal: str | None, status: int, email: str = ""
) -> Response[bytes]:
    known = cookies.form_secret(request)
    secret = known or secrets.token_urlsafe(32)
    given: list[Cookie] = [] if known else [cookies.form_cookie(request, secret)]
    context = {"refusal": refusal, "next": wanted, "email": email, "token": forms.token_for(request, secret)}
    return page(request, "sign_in.html", context, status=status, given=given)


@post(_HERE)
async def sign_in(request: StaffRequest) -> Response[bytes]:
    """Sign in with an e-mail address and a password. A session that the browser has ends, whoever gave it one.

    Raises:
        Problem: The form cannot be read.
    """
    sent = await forms.read(request)
    wanted, email = local(sent.get("next", "")), sent.get("email", "")[:_LONGEST_FIELD]
    password = sent.get("password", "")
    try:
        forms.check(request, sent, cookies.form_secret(request))
        account_id = await prove(request, email, password if len(password) <= _LONGEST_FIELD else "")
        lasts = timedelta(hours=request.shared.settings.api.session_hours)
        before = cookies.session_token(request)

        def work(session: Session) -> str:
            sessions.sign_out(session, before)
            return browsers.sign_in(session, open_account(session, account_id), lasts).token

        token = await transaction.write(request, work)
    except forms.FormExpired:
        return _form(request, wanted, "signin.expired", 403, email)
    except InvalidCredentials:
        return _form(request, wanted, "signin.wrong", 401, email)
    except Problem as problem:
        if problem.code != "rate_limited":
            raise
        answer = _form(request, wanted, "signin.often", 429, email)
        answer.headers |= {"Retry-After": problem.headers["Retry-After"]}
        return answer
    return redirect(request, wanted, cookies.session_cookie(request, token))


@post("/sign-out", before_request=admit, opt={"roles": ANYONE_SIGNED_IN})  # type: ignore[arg-type]  # the router makes every request a StaffRequest
async def sign_out(request: StaffRequest) -> Response[bytes]:
    """End the session of this browser."""
    token = cookies.session_token(request)
    await transaction.write(request, lambda s: sessions.sign_out(s, token))
    return redirect(request, _HERE, cookies.session_cookie(request, ""))


@get("/language/{code:str}")
async def language(request: StaffRequest, code: FromPath[str]) -> Response[bytes]:
    """Remember a language, and lead back to the page that was open."""
    chosen = code if code in LANGUAGES else LANGUAGES[0]
    back = local(request.query_params.get("next", ""))
    cookie = Cookie("language", value=chosen, max_age=_YEAR, path="/", samesite="lax")
    return redirect(request, back, cookie)


router = Router(
    "/",
    route_handlers=[form, sign_in, sign_out, language],
    request_class=StaffRequest,
    exception_handlers=HANDLERS_OF_STAFF,
    include_in_schema=False,
)
