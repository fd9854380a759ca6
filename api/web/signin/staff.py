"""Pages of people who are signed in: who asks, in which language, with which role, and how such a page is answered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from litestar import Litestar, Response
from litestar.datastructures import Cookie
from litestar.routes import HTTPRoute
from sqlalchemy.orm import Session

from api.http import transaction
from api.http.auth import ADMINS
from api.http.errors import Problem
from api.http.request import ApiRequest, Principal
from api.web.rendering.choosing import preferred
from api.web.rendering.locales import Locale, locale
from api.web.rendering.page import Address, PageRequest, text
from api.web.rendering.templates import HTML_HEADERS
from api.web.signin import cookies, forms
from catalog.accounts import browsers

_NO_STORE = {"Cache-Control": "no-store"}
# Of an address to which the choice of a language, or the sign-in, leads back, as it stands in another address.
LONGEST_ADDRESS = 8_000
# What stays as it is in a query string; a browser does not escape a backslash there.
_OF_QUERY = "%/?:@!$&'()*+,;=-._~"


@dataclass(frozen=True, slots=True)
class Signed:
    """A browser that is signed in: by whom, its family of tokens, and the next token when it gets one.

    `called`: the person's name for colleagues, the e-mail address of an account without one.
    """

    principal: Principal
    family: str
    token: str | None
    called: str


class StaffRequest(PageRequest):
    """A request of a page of staff, whose address names no language."""

    @property
    def locale(self) -> Locale:
        """The language that the browser has chosen or prefers."""
        return locale(preferred(self.cookies.get("language", ""), self.headers.get("accept-language", "")))

    @property
    def signed(self) -> Signed | None:
        """Who has signed in; None for nobody, and before `recognise`."""
        found: Signed | None = self.scope["state"].get("signed")
        return found

    @property
    def sent(self) -> forms.Form:
        """The fields of the form that `admit` has checked."""
        found: forms.Form = self.scope["state"]["sent"]
        return found


async def recognise(request: StaffRequest) -> Signed | None:
    """Return who has signed in with this browser. A GET of an old token gets the next one with its answer."""
    token = cookies.session_token(request)
    if not token:
        return None
    settings = request.shared.settings.api
    # An answer that is no page has no cookie: it must not exchange the token.
    exchanges = request.method == "GET" and request.route_handler.opt.get("exchanges", True)
    after = timedelta(minutes=settings.access_minutes) if exchanges else None

    def work(session: Session) -> Signed | None:
        found = browsers.visit(session, token, timedelta(hours=settings.session_hours), after)
        if found is None:
            return None
        account = found.account
        principal = Principal(account.id, account.email, frozenset(account.roles))
        return Signed(principal, found.family, found.token, account.name or account.email)

    signed = await transaction.write(request, work)
    request.scope["state"]["signed"] = signed
    return signed


async def admit(request: StaffRequest) -> None:
    """Check who asks for a page, the role, and the token of a form. Runs before every page of staff.

    Raises:
        Problem: Nobody has signed in, or without a role of the route's `opt["roles"]`; or the form is not ours.
    """
    signed = await recognise(request)
    if signed is None:
        raise Problem("unauthenticated")
    # A file may be large: nothing is read of what is refused anyway.
    needed = request.route_handler.opt.get("roles", ADMINS)
    if not signed.principal.roles & set(needed):
        raise Problem("forbidden", f"Needs one of: {', '.join(needed)}.")
    if request.method != "GET":
        forms.check_site(request)
        request.scope["state"]["sent"] = sent = await forms.read(request)
        forms.check(request, sent, signed.family)
    request.scope["user"] = signed.principal


def page(
    request: StaffRequest,
    template: str,
    context: Mapping[str, object],
    *,
    status: int = 200,
    given: Sequence[Cookie] = (),
    language: Locale | None = None,
    address: Address | None = None,
    again: str | None = None,
) -> Response[bytes]:
    """Return a page that nobody keeps.

    Args:
        request: Names the language and who asks.
        template: The file below `templates/staff/`.
        context: What the template knows beside the language, `user` and the `token` of its forms.
        status: The status of the answer.
        given: Cookies for the browser.
        language: Of the page, where its address names one.
        address: Makes the address of the page in a language, where its address names one.
        again: Where the page is found again, for the link to the other language; None: where `place` says.
    """
    signed = request.signed
    path = request.url.path
    shown = {
        "user": signed.principal if signed is not None else None,
        "token": forms.token_for(request, signed.family) if signed is not None else "",
        "path": path,
        "again": again or place(request),
    }
    body = text(request, f"staff/{template}", address or (lambda _: path), shown | dict(context), language)
    headers = {name.decode(): value.decode() for name, value in HTML_HEADERS} | _NO_STORE
    return Response(body, status_code=status, headers=headers, cookies=[*_exchanged(request), *given])


def place(request: StaffRequest) -> str:
    """Return where a page is found again: its path with its query string.

    The answer to a form has no such address: its route's `opt["again"]` says it, or it is the nearest path above that has a
    page. An address that is longer than a link may have is its path alone.
    """
    path = request.url.path
    if request.method == "GET":
        found = path + (f"?{quote(request.url.query, safe=_OF_QUERY)}" if request.url.query else "")
        return found if len(quote(found)) <= LONGEST_ADDRESS else path
    handler = request.scope.get("route_handler")
    if handler is not None and "again" in handler.opt:
        return str(handler.opt["again"])
    pages = _pages(request.app)
    template = str(request.scope.get("path_template") or "")
    while template and template not in pages:
        template, path = template.rpartition("/")[0], path.rpartition("/")[0]
    return path or "/"


@lru_cache(maxsize=4)
def _pages(app: Litestar) -> frozenset[str]:
    """Return the paths of an application that have a page."""
    routes = [route for route in app.routes if isinstance(route, HTTPRoute)]
    return frozenset(route.path_format for route in routes if "GET" in route.methods)


def redirect(request: StaffRequest, address: str, *given: Cookie) -> Response[bytes]:
    """Return the answer that leads to another page.

    Args:
        request: Was answered otherwise.
        address: The path of the page.
        *given: Cookies for the browser.
    """
    headers = _NO_STORE | {"Location": address}
    return Response(b"", status_code=303, headers=headers, cookies=[*_exchanged(request), *given])


def _exchanged(request: StaffRequest) -> list[Cookie]:
    signed = request.signed
    return [cookies.session_cookie(request, signed.token)] if signed is not None and signed.token else []


def as_staff(request: ApiRequest) -> StaffRequest:
    """Return a request as one of staff: handlers of errors get it as the framework made it."""
    made: Any = StaffRequest(request.scope, request.receive, request.send)
    staff: StaffRequest = made
    return staff
