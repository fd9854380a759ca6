"""The two routers under /accounts: `open_router` without sign-in, `router` for signed-in accounts.

`api.app` serves both.
"""

from litestar import Router

from api.accounts import keys, passwords, sessions, users
from api.http.auth import signed_in_router
from api.http.parameters import DECLARED_ONLY

open_router = Router(
    "/accounts",
    route_handlers=[*sessions.HANDLERS, *passwords.OPEN_HANDLERS],
    before_request=DECLARED_ONLY,
    tags=["accounts"],
)
router = signed_in_router("/accounts", "accounts", [*keys.HANDLERS, *passwords.HANDLERS, *users.HANDLERS])
