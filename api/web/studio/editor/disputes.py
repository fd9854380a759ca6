"""Settling fields with two values: what waits against what listeners see, and what is written here against a source."""

import msgspec
from litestar import Response, post

from api.editorial.imports import conflicts
from api.editorial.imports.conflicts import ImportConflictList, SettleIn
from api.editorial.pending_schemas import PendingDiff
from api.editorial.review import autosave, programs
from api.editorial.schemas import EditorAnswer, ProgramPatch
from api.http.auth import REVIEWERS
from api.http.errors import Problem
from api.http.parameters import Id
from api.web.signin.asking import ask
from api.web.signin.staff import StaffRequest, page, redirect
from api.web.studio import zones
from api.web.studio.editor import pages, telling
from api.web.studio.editor.deciding import steps
from api.web.studio.editor.writing import refused
from api.web.studio.editor.writing.form import NAMES
from catalog.review.states import LIVE

_AT = "/programs/{program_id:int}"


def _field(request: StaffRequest) -> str:
    """Return the field that a form is about.

    Raises:
        Problem: Programs have no such field.
    """
    name = request.sent.get("field", "")
    if name not in NAMES:
        raise Problem("bad_request", "Programs have no such field.")
    return name


def _back(request: StaffRequest, program_id: int, done: str) -> Response[bytes]:
    return redirect(request, f"{pages.address(program_id)}?done={done}")


@post(_AT + "/disputed")
async def settle_waiting(request: StaffRequest, program_id: Id) -> Response[bytes]:
    """Keep what waits of a field although listeners see something new, or drop it.

    Nothing is done when one of both has changed since the person has read them.

    Raises:
        REFUSALS: The API refuses for a reason that loading the page again does not show.
    """
    name, keeps = _field(request), request.sent.get("keep") == "waiting"
    try:
        diff = (await ask(request, steps.ROUTES["program.pending.diff"], PendingDiff, row_id=program_id)).data
        live, waiting = diff.get(name, [None, None])
        if request.sent.get("read", "") != pages.read_of(live, waiting):
            return _back(request, program_id, "not_now")
        data = msgspec.convert({name: waiting if keeps else live} if name in diff else {}, ProgramPatch)
        seen = f'"{request.sent.get("seen", "")}"'
        route = programs.edit_pending_program
        await ask(request, route, object, row_id=program_id, data=data, if_match=seen)
    except refused.REFUSALS as error:
        if refused.refused(error).status not in (404, 409, 412):
            raise
        return _back(request, program_id, "not_now")
    return _back(request, program_id, "settled")


@post(_AT + "/sources")
async def settle_source(request: StaffRequest, program_id: Id) -> Response[bytes]:
    """Take the value of a program's source, or keep the own value and stop asking.

    Nothing is done when one of both has changed since the person has read them.

    Raises:
        REFUSALS: The API refuses for a reason that loading the page again does not show.
    """
    name, takes = _field(request), request.sent.get("keep") == "source"
    answer = await ask(request, autosave.get_draft, EditorAnswer, program_id=program_id)
    listed = await ask(
        request, conflicts.list_conflicts, ImportConflictList, program_id=program_id, only_state="open"
    )
    found = next((row for row in listed.data if row.field == name), None)
    read = request.sent.get("read", "")
    if found is None or read != pages.read_of(found.here, found.source):
        return _back(request, program_id, "not_now")
    is_seen = answer.data.status in LIVE and bool(request.user.roles & set(REVIEWERS))
    if takes and is_seen and request.sent.get("sure") != "yes":
        fields = {"field": name, "keep": "source", "sure": "yes", "read": read}
        sides = ({name: found.here}, {name: found.source})
        known = await telling.categories(request)
        teller = await telling.teller(request, zones.remembered(request), known, *sides)
        told = await teller.marked([(name, found.here, found.source)])
        context = {"program": answer.data, "ask": "sources", "fields": fields, "to": "sources", "told": told}
        return page(request, "studio/editor_ask.html", context)
    data = SettleIn(field=name, keep="source" if takes else "mine")
    try:
        await ask(request, conflicts.settle_conflict, object, program_id=program_id, data=data)
    except refused.REFUSALS as error:
        if refused.refused(error).status not in (404, 409):
            raise
        return _back(request, program_id, "not_now")
    return _back(request, program_id, "settled")


HANDLERS = [settle_waiting, settle_source]
