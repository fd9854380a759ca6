"""The cookies of people who sign in: the token of a browser's session, and the secret of a form before there is a session.

Scripts cannot read them, no request that another site causes has them, and behind TLS nobody sends them without it.
The prefix `__Host-` keeps other hosts of the same domain from planting one
(https://www.rfc-editor.org/rfc/rfc6265#section-8.6, draft-ietf-httpbis-rfc6265bis).
"""

from litestar.datastructures import Cookie

from api.http.request import ApiRequest

_SESSION, _FORM = "session", "form"


def _is_secure(request: ApiRequest) -> bool:
    settings = request.shared.settings.api
    return settings.environment == "production" or settings.site.startswith("https://")


def _named(request: ApiRequest, name: str) -> str:
    return f"__Host-{name}" if _is_secure(request) else name


def _cookie(request: ApiRequest, name: str, value: str, seconds: int | None) -> Cookie:
    return Cookie(
        key=_named(request, name),
        value=value,
        max_age=seconds,
        path="/",
        secure=_is_secure(request),
        httponly=True,
        samesite="strict",
    )


def session_token(request: ApiRequest) -> str:
    """Return the token of the browser's session; empty without one."""
    return request.cookies.get(_named(request, _SESSION), "")


def session_cookie(request: ApiRequest, token: str) -> Cookie:
    """Return the cookie that gives a token to the browser; an empty token takes it away."""
    seconds = request.shared.settings.api.session_hours * 3600 if token else 0
    return _cookie(request, _SESSION, token, seconds)


def form_secret(request: ApiRequest) -> str:
    """Return the secret to which forms of a browser without a session belong; empty without one."""
    return request.cookies.get(_named(request, _FORM), "")


def form_cookie(request: ApiRequest, secret: str) -> Cookie:
    """Return the cookie that gives such a secret to the browser until it is closed."""
    return _cookie(request, _FORM, secret, None)
