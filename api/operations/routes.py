"""The router of all routes under /ops, for signed-in operators. `api.app` serves it."""

from api.http.auth import signed_in_router
from api.operations import audits, caches, engines, pipeline, rebuilds
from api.operations.imports import routes as imports
from api.operations.reading import database, hour, processes, searches
from api.operations.webhooks import routes as webhooks

router = signed_in_router(
    "/ops",
    "operations",
    [
        *rebuilds.HANDLERS,
        *audits.HANDLERS,
        *pipeline.HANDLERS,
        *engines.HANDLERS,
        *caches.HANDLERS,
        *imports.HANDLERS,
        *database.HANDLERS,
        *processes.HANDLERS,
        *hour.HANDLERS,
        *webhooks.HANDLERS,
        *searches.HANDLERS,
    ],
)
