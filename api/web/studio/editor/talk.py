"""Threads of comments on a program: begin one, reply, resolve, reopen."""

from litestar import Response, post
from litestar.exceptions import NotFoundException
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from api.editorial.review import autosave, comments
from api.editorial.review.comments import CommentIn, ReplyIn
from api.editorial.schemas import EditorAnswer
from api.http.parameters import Id
from api.web.signin.asking import ask
from api.web.signin.staff import StaffRequest, redirect
from api.web.studio.editor import pages
from api.web.studio.editor.pages import Said
from api.web.studio.editor.writing import refused
from catalog.review.comments import MAX_BODY

_AT = "/programs/{program_id:int}/comments"
_SETTLES: dict[str, HTTPRouteHandler] = {
    str(route.name).partition(".")[2]: route
    for route in comments.HANDLERS
    if route.name in ("thread.resolve", "thread.reopen")
}


async def _said(
    request: StaffRequest, program_id: int, said: Said, route: HTTPRouteHandler
) -> Response[bytes]:
    """Say something with a route of the API. What it refuses stays on the page.

    Raises:
        REFUSALS: The API refuses for another reason than what was said.
    """
    if said.body.strip() and len(said.body) <= MAX_BODY:
        given: dict[str, object] = {"data": CommentIn(body=said.body, field=said.field or None)}
        if said.thread is not None:
            given = {"thread_id": said.thread, "data": ReplyIn(body=said.body)}
        once = request.sent.get("once", "")[:64].strip() or None
        try:
            await ask(request, route, object, program_id=program_id, idempotency_key=once, **given)
        except refused.REFUSALS as error:
            if refused.refused(error).status != 422:
                raise
        else:
            return redirect(request, f"{pages.address(program_id)}?done=said#talk")
    answer = await ask(request, autosave.get_draft, EditorAnswer, program_id=program_id)
    return await pages.show(request, answer, said=said, status=422)


@post(_AT)
async def begin(request: StaffRequest, program_id: Id) -> Response[bytes]:
    """Begin a thread, about the program or about one field."""
    body = request.sent.get("body", "").replace("\r\n", "\n")
    said = Said(body, request.sent.get("field", ""))
    return await _said(request, program_id, said, comments.begin_thread)


@post(_AT + "/{thread_id:int}/reply")
async def reply(request: StaffRequest, program_id: Id, thread_id: Id) -> Response[bytes]:
    """Reply in a thread."""
    said = Said(request.sent.get("body", "").replace("\r\n", "\n"), thread=thread_id)
    return await _said(request, program_id, said, comments.reply_in_thread)


@post(_AT + "/{thread_id:int}/{action:str}")
async def settle(
    request: StaffRequest, program_id: Id, thread_id: Id, action: FromPath[str]
) -> Response[bytes]:
    """Resolve a thread, or open it again.

    Raises:
        NotFoundException: There is no such action.
    """
    if action not in _SETTLES:
        raise NotFoundException
    await ask(request, _SETTLES[action], object, program_id=program_id, thread_id=thread_id)
    return redirect(request, f"{pages.address(program_id)}?done={action}#talk")


HANDLERS = [begin, reply, settle]
