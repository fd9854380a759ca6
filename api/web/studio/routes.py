"""The router of the studio: its rooms' handlers, for everybody who may edit."""

from litestar import Response, Router, get

from api.http.auth import EDITORS
from api.web.signin.refusals import HANDLERS_OF_STAFF
from api.web.signin.staff import StaffRequest, admit, redirect
from api.web.studio.curation import collections, pins, synonyms
from api.web.studio.editor import routes as editor
from api.web.studio.imports import choosing, runs, settling, sources, starting
from api.web.studio.listing import calendar, doing, inbox, keeping, programs
from api.web.studio.naming import named, taxonomy


@get("/")
async def home(request: StaffRequest) -> Response[bytes]:
    """Lead to the list of programs."""
    return redirect(request, "/studio/programs")


router = Router(
    "/studio",
    route_handlers=[
        home,
        *programs.HANDLERS,
        *doing.HANDLERS,
        *keeping.HANDLERS,
        *inbox.HANDLERS,
        *calendar.HANDLERS,
        *editor.HANDLERS,
        *starting.HANDLERS,
        *runs.HANDLERS,
        *choosing.HANDLERS,
        *sources.HANDLERS,
        *settling.HANDLERS,
        *taxonomy.HANDLERS,
        *named.HANDLERS,
        *collections.HANDLERS,
        *pins.HANDLERS,
        *synonyms.HANDLERS,
    ],
    before_request=admit,  # type: ignore[arg-type]  # the router makes every request a StaffRequest
    request_class=StaffRequest,
    exception_handlers=HANDLERS_OF_STAFF,
    opt={"roles": EDITORS},
    include_in_schema=False,
)
