"""The router of all routes under /catalog, for signed-in editors. `api.app` serves it."""

from api.editorial import bulk, merging, programs, revisions, taxonomy
from api.editorial.curation import collections, history, pins, preview, synonyms, why
from api.editorial.imports import conflicts, runs, sources, streams, uploads
from api.editorial.listing import routes as listing
from api.editorial.listing import saved
from api.editorial.media import checking, pictures
from api.editorial.naming import routes as naming
from api.editorial.review import autosave, comments, transitions
from api.editorial.review import programs as pending_programs
from api.editorial.review import routes as pending
from api.editorial.review import taxonomy as pending_taxonomy
from api.http.auth import signed_in_router

router = signed_in_router(
    "/catalog",
    "catalog",
    [
        *listing.HANDLERS,
        *saved.HANDLERS,
        *programs.HANDLERS,
        *transitions.HANDLERS,
        *comments.HANDLERS,
        *autosave.HANDLERS,
        *revisions.HANDLERS,
        *pending.HANDLERS,
        *pending_programs.HANDLERS,
        *pending_taxonomy.HANDLERS,
        *bulk.HANDLERS,
        *taxonomy.HANDLERS,
        *naming.HANDLERS,
        *collections.HANDLERS,
        *pins.HANDLERS,
        *synonyms.HANDLERS,
        *preview.HANDLERS,
        *why.HANDLERS,
        *history.HANDLERS,
        *runs.HANDLERS,
        *uploads.HANDLERS,
        *streams.HANDLERS,
        *sources.HANDLERS,
        *conflicts.HANDLERS,
        *merging.HANDLERS,
        *checking.HANDLERS,
        *pictures.HANDLERS,
    ],
)
