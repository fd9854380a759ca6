"""The pages of a new program and of a program, and saving what they have: by a button, and while somebody writes."""

import msgspec
from litestar import Response, get, post

from api.editorial.review import autosave
from api.editorial.schemas import EditorAnswer
from api.http.parameters import Id
from api.web.signin.asking import ask
from api.web.signin.staff import StaffRequest, redirect
from api.web.studio import zones
from api.web.studio.editor import pages
from api.web.studio.editor.pages import Typed
from api.web.studio.editor.writing import form, merging, refused, saving, series
from api.web.studio.editor.writing.refused import Refused
from api.web.studio.editor.writing.saving import Outcome

_NEW = "/programs/new"
_AT = "/programs/{program_id:int}"


class Kept(msgspec.Struct):
    """What became of a form, for the script that sent it.

    `seen` and `base` are what the next form begins with, `edition` is what the program is now. `taken`: field -> the texts of its inputs, by name, for fields that
    the form left alone and that say something else now. `faults`: field -> what is wrong with it, in words. `words`: why
    nothing was saved.
    """

    code: str = ""
    id: int | None = None
    seen: str = ""
    edition: str = ""
    base: dict[str, object] = {}
    series: str = ""
    taken: dict[str, dict[str, str]] = {}
    faults: dict[str, str] = {}
    words: str = ""


def _is_script(request: StaffRequest) -> bool:
    return request.headers.get("accept", "") == "application/json"


def _told(status: int, kept: Kept) -> Response[bytes]:
    headers = {"Cache-Control": "no-store"}
    return Response(
        msgspec.json.encode(kept), status_code=status, media_type="application/json", headers=headers
    )


async def _to_script(request: StaffRequest, outcome: Outcome) -> Response[bytes]:
    faults = refused.said(request.locale, outcome.faults)
    if outcome.answer is None:
        why = outcome.refused or Refused(422, "validation_failed")
        words = refused.why(request.locale, why.code, outcome.faults)
        return _told(why.status, Kept(why.code, faults=faults, words=words))
    draft = form.draft_of(outcome.answer)
    kept = Kept("saved", outcome.answer.data.id, form.etag_of(outcome.answer), base=draft, faults=faults)
    kept.edition = form.edition_of(outcome.answer)
    kept.series = await series.title_of(request, draft)
    kept.taken = form.taken(request.sent, outcome.base, outcome.values, draft, request.locale)
    if "seriesId" in kept.taken:
        kept.taken["seriesId"] |= {"series": kept.series, "seriesWas": kept.series}
    return _told(200, kept)


def _typed(request: StaffRequest, outcome: Outcome) -> Typed:
    code = outcome.refused.code if outcome.refused is not None else ""
    refusal = refused.reason(request.locale, code, outcome.faults)
    return Typed(request.sent, outcome.base, request.sent.get("seen", ""), outcome.faults, refusal)


async def _without_series(request: StaffRequest, outcome: Outcome, answer: EditorAnswer) -> Response[bytes]:
    """Return the page of a program whose fields are saved, but for the series that could not be created."""
    draft, seen = form.draft_of(answer), form.etag_of(answer)
    typed = Typed(request.sent, draft, seen, outcome.faults, "editor.refused_series")
    return await pages.show(request, answer, typed, status=422)


@get(_NEW)
async def new_program(request: StaffRequest) -> Response[bytes]:
    """Return the form of a new program."""
    return await pages.new(request)


@post(_NEW)
async def create(request: StaffRequest) -> Response[bytes]:
    """Create a draft of what the form says, and lead to its page."""
    outcome = await saving.keep(request, None, partly=_is_script(request))
    if _is_script(request):
        return await _to_script(request, outcome)
    if outcome.answer is None:
        return await pages.new(request, _typed(request, outcome), 422)
    if outcome.faults:
        return await _without_series(request, outcome, outcome.answer)
    place = f"{pages.address(outcome.answer.data.id)}?done=created"
    return redirect(request, place, *zones.told(request.sent.get("zone", "")))


@get(_AT)
async def program(request: StaffRequest, program_id: Id) -> Response[bytes]:
    """Return the editor of a program; that of the one that stayed, of a program that was merged."""
    answer = await ask(request, autosave.get_draft, EditorAnswer, program_id=program_id)
    if answer.data.id != program_id:
        return redirect(request, pages.address(answer.data.id))
    return await pages.show(request, answer)


# No page: the browser may not see a new cookie here before it asks again.
@get(_AT + "/side", opt={"exchanges": False})
async def side(request: StaffRequest, program_id: Id) -> Response[bytes]:
    """Return what the page of a program has beside the form, for the script that has saved. No engine is asked."""
    answer = await ask(request, autosave.get_draft, EditorAnswer, program_id=program_id)
    return await pages.side(request, answer)


@post(_AT)
async def save(request: StaffRequest, program_id: Id) -> Response[bytes]:
    """Save what the form says. When somebody has changed the program since, both are shown beside each other."""
    outcome = await saving.keep(request, program_id, partly=_is_script(request))
    if _is_script(request):
        return await _to_script(request, outcome)
    if outcome.answer is not None and outcome.faults:
        return await _without_series(request, outcome, outcome.answer)
    if outcome.answer is not None:
        place = f"{pages.address(program_id)}?done=saved"
        return redirect(request, place, *zones.told(request.sent.get("zone", "")))
    answer = await ask(request, autosave.get_draft, EditorAnswer, program_id=program_id)
    if outcome.refused is not None and outcome.refused.code == "stale_revision":
        return await pages.merge(request, answer, outcome.base, outcome.values)
    return await pages.show(request, answer, _typed(request, outcome), status=422)


@post(_AT + "/merge")
async def merge(request: StaffRequest, program_id: Id) -> Response[bytes]:
    """Save what somebody chose of two versions."""
    base = form.sent(request.sent.get("base", "{}"))
    mine = form.sent(request.sent.get("mine", "{}"))
    chosen = merging.chosen(request.sent, base, mine)
    seen = request.sent.get("seen", "")
    try:
        await saving.write(request, program_id, base, chosen, seen)
    except refused.REFUSALS as error:
        why = refused.refused(error)
        answer = await ask(request, autosave.get_draft, EditorAnswer, program_id=program_id)
        if why.code == "stale_revision":
            return await pages.merge(request, answer, base, chosen)
        inputs = form.inputs(chosen, request.locale, zones.remembered(request))
        title = await series.title_of(request, chosen)
        inputs |= {"series": title, "seriesWas": title}
        typed = Typed(inputs, base, seen, why.faults, refused.reason(request.locale, why.code, why.faults))
        return await pages.show(request, answer, typed, status=422)
    return redirect(request, f"{pages.address(program_id)}?done=merged")


HANDLERS = [new_program, create, program, side, save, merge]
