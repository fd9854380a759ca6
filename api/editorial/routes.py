"""Everything under /catalog, for signed-in editors."""

from litestar import Router

from api.auth import authenticate
from api.editorial import programs, shelves

router = Router(
    "/catalog",
    route_handlers=[*programs.HANDLERS, *shelves.HANDLERS],
    before_request=authenticate,
    tags=["catalog"],
    security=[{"bearer": []}, {"apiKey": []}],
)
