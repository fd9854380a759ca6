"""The pages below /ops/board: the board, the page that asks before an action, the action, programs, runbooks."""

from litestar import Response, Router, get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from api.http.auth import OPS
from api.web.board import finding, live, state
from api.web.board.actions import ACTIONS, Action
from api.web.board.wrong import wrong
from api.web.signin.asking import ask
from api.web.signin.refusals import HANDLERS_OF_STAFF
from api.web.signin.staff import StaffRequest, admit, page, redirect

_BOARD = "/ops/board"
_PREFIX = "runbook."


@get("/")
async def board(request: StaffRequest) -> Response[bytes]:
    """Return the board."""
    found = await state.load(request)
    done = request.query_params.get("done", "")
    context = {"board": found, "wrong": wrong(found), "done": done if done in ACTIONS else ""}
    return page(request, "board.html", context)


def _action(name: str) -> Action:
    if name not in ACTIONS:
        raise NotFoundException
    return ACTIONS[name]


@get("/do/{name:str}")
async def ask_once(request: StaffRequest, name: FromPath[str]) -> Response[bytes]:
    """Say what an action will do, and ask whether to do it."""
    action = _action(name)
    fields = {key: request.query_params.get(key, "") for key in action.fields}
    # Refuses wrong values before anybody says yes to them.
    action.given(fields)
    context = {"name": name, "action": action, "fields": fields, "back": f"{_BOARD}#{action.section}"}
    return page(request, "ask.html", context)


@post("/do/{name:str}", opt={"again": _BOARD})
async def act(request: StaffRequest, name: FromPath[str]) -> Response[bytes]:
    """Do it, and lead back to the board."""
    action = _action(name)
    await ask(request, action.route, object, **action.given(request.sent))
    return redirect(request, f"{_BOARD}?done={name}#{action.section}")


@get("/programs")
async def why(request: StaffRequest) -> Response[bytes]:
    """Say why a program is not found."""
    words = request.query_params.get("q", "")
    return page(request, "why.html", {"q": words, "found": await finding.find(request, words)})


@get("/runbooks")
async def runbooks(request: StaffRequest) -> Response[bytes]:
    """Return the runbooks that the board names."""
    names = [name.removeprefix(_PREFIX) for name in request.locale.texts if name.startswith(_PREFIX)]
    return page(request, "runbooks.html", {"names": names})


router = Router(
    _BOARD,
    route_handlers=[board, ask_once, act, why, runbooks, *live.HANDLERS],
    before_request=admit,  # type: ignore[arg-type]  # the router makes every request a StaffRequest
    request_class=StaffRequest,
    exception_handlers=HANDLERS_OF_STAFF,
    opt={"roles": OPS},
    include_in_schema=False,
)
