"""Everything under /catalog, for signed-in editors."""

from litestar import Router

from api.auth import authenticate
from api.editorial import import_sources, import_streams, imports, merging, programs, shelves

router = Router(
    "/catalog",
    route_handlers=[
        *programs.HANDLERS,
        *shelves.HANDLERS,
        *imports.HANDLERS,
        *import_streams.HANDLERS,
        *import_sources.HANDLERS,
        *merging.HANDLERS,
    ],
    before_request=authenticate,
    tags=["catalog"],
    security=[{"bearer": []}, {"apiKey": []}],
)
