"""The steps of a program: the page that asks before a step, taking it, and whether listeners find the program since."""

from datetime import datetime

import msgspec
from litestar import Response, get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from api.editorial.review import autosave
from api.editorial.schemas import EditorAnswer, ScheduleIn
from api.http.parameters import Id
from api.web.signin.asking import ask
from api.web.signin.staff import StaffRequest, page, redirect
from api.web.studio import zones
from api.web.studio.editor import pages
from api.web.studio.editor.deciding import found, steps
from api.web.studio.editor.deciding.steps import Step
from api.web.studio.editor.writing import refused, spelling

_AT = "/programs/{program_id:int}"
_MOST_COMMENT = 2000


def _step(name: str) -> Step:
    if name not in steps.STEPS:
        raise NotFoundException
    return steps.STEPS[name]


async def _question(
    request: StaffRequest, answer: EditorAnswer, step: Step, asked: dict[str, str], refusal: str = ""
) -> Response[bytes]:
    context = {
        "program": answer.data,
        "step": step,
        "asked": {"zone": zones.remembered(request).key, "at": "", "comment": ""} | asked,
        "refusal": refusal,
    }
    return page(request, "studio/editor_step.html", context, status=200 if not refusal else 422)


@get(_AT + "/do/{name:str}")
async def ask_once(request: StaffRequest, program_id: Id, name: FromPath[str]) -> Response[bytes]:
    """Say what a step will do, and ask whether to take it."""
    step = _step(name)
    answer = await ask(request, autosave.get_draft, EditorAnswer, program_id=program_id)
    if step not in steps.offered(answer, request.user):
        return redirect(request, f"{pages.address(program_id)}?done=not_now")
    seen = request.query_params.get("seen", "") or steps.seen_of(answer, step)
    return await _question(request, answer, step, {"seen": seen})


def _time(fields: dict[str, str]) -> ScheduleIn:
    """Return when to publish.

    Raises:
        ValueError: The date and time, or the time zone, cannot be read.
    """
    place = spelling.zone(fields.get("zone", "").strip())
    text = spelling.moment(fields.get("at", ""), place)
    if text is None:
        raise ValueError
    return ScheduleIn(scheduled_publish_at=datetime.fromisoformat(text))


@post(_AT + "/do/{name:str}")
async def act(request: StaffRequest, program_id: Id, name: FromPath[str]) -> Response[bytes]:
    """Take a step, and lead back to the program.

    Raises:
        REFUSALS: The API refuses, and the page has no words of its own for the reason.
    """
    step, fields = _step(name), request.sent
    answer = await ask(request, autosave.get_draft, EditorAnswer, program_id=program_id)
    asked: dict[str, str] = {
        key: fields.get(key, "") for key in ("seen", "comment", "at", "zone") if key in fields
    }
    comment = fields.get("comment", "").replace("\r\n", "\n")
    if len(comment) > _MOST_COMMENT:
        return await _question(request, answer, step, asked, "editor_step.long")
    if step.name in ("reject", "pending_reject") and not comment.strip():
        return await _question(request, answer, step, asked, "editor_step.silent")
    at = None
    if step.action == "schedule":
        try:
            at = _time(fields)
        except ValueError:
            return await _question(request, answer, step, asked, "editor_step.no_time")
    given = steps.given(step, program_id, fields.get("seen", ""), comment, at)
    try:
        await ask(request, step.route, object, **given)
    except refused.REFUSALS as error:
        why = refused.refused(error)
        known = f"editor_step.code_{why.code}"
        if known not in request.locale.texts:
            raise
        return await _question(request, answer, step, asked, known)
    place = pages.LIST if step.action == "delete" else f"{pages.address(program_id)}?done={step.name}"
    return redirect(request, place, *zones.told(fields.get("zone", "")))


class Searchable(msgspec.Struct):
    """Whether listeners find a program, for the script that asks. `text`: in words."""

    state: str
    text: str


# No page: the browser may not see a new cookie here before it asks again.
@get(_AT + "/searchable", opt={"exchanges": False})
async def searchable(request: StaffRequest, program_id: Id) -> Response[bytes]:
    """Answer as soon as listeners find a program, at the latest after some seconds."""
    looked = await found.wait(request, program_id)
    text = request.locale.text
    words = text(f"editor_found.{looked.state}")
    if looked.state == "yes":
        words = text("editor_found.after", seconds=request.locale.seconds(looked.seconds))
    body = msgspec.json.encode(Searchable(looked.state, str(words)))
    return Response(body, media_type="application/json", headers={"Cache-Control": "no-store"})


HANDLERS = [ask_once, act, searchable]
