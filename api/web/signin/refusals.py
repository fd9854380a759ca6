"""What pages of staff say instead of an error in JSON; who is not signed in is led to the sign-in.

A page's script that asks for JSON gets the error as it is.
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import msgspec
from litestar import Response

from api.http.error_handlers import HANDLERS
from api.web.signin.staff import as_staff, page, place, redirect

Handler = Callable[[Any, Any], Response[bytes]]
# Statuses that have words of their own; another one has those of its hundred.
_KNOWN = frozenset({400, 403, 404, 409, 429, 500, 503})


class _Told(msgspec.Struct):
    """What of a problem a page shows."""

    detail: str


def _as_page(handler: Handler) -> Handler:
    """Return a handler that tells on a page what another one tells in JSON."""

    def handle(request: Any, error: Exception) -> Response[bytes]:
        told, asked = handler(request, error), as_staff(request)
        if asked.headers.get("accept", "") == "application/json":
            return told
        status = told.status_code or 500
        if status == 401:
            back = f"?{urlencode({'next': place(asked)})}" if asked.method == "GET" else ""
            return redirect(asked, f"/sign-in{back}")
        shown = status if status in _KNOWN else 400 if status < 500 else 500
        detail = msgspec.json.decode(told.content, type=_Told).detail
        answer = page(asked, "error.html", {"status": shown, "detail": detail}, status=status)
        answer.headers |= {k: v for k, v in told.headers.items() if k.lower() == "retry-after"}
        return answer

    return handle


HANDLERS_OF_STAFF = {kind: _as_page(handler) for kind, handler in HANDLERS.items()}
