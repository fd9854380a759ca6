"""Saving what a form says: a new draft, or what somebody is writing. Listeners see nothing of it."""

from dataclasses import dataclass, field

import msgspec

from api.editorial import programs
from api.editorial.review import autosave
from api.editorial.schemas import EditorAnswer, ProgramIn, ProgramPatch
from api.web.signin.asking import ask
from api.web.signin.staff import StaffRequest
from api.web.studio.editor.writing import form, merging, series
from api.web.studio.editor.writing.form import Values
from api.web.studio.editor.writing.refused import REFUSALS, Refused, refused
from catalog.core.errors import NotFound, StaleRevision

_LONGEST_KEY = 64


@dataclass(slots=True)
class Outcome:
    """What became of a form.

    Attributes:
        values: What it said.
        base: What it began with.
        answer: The program as it is now; None when nothing was saved.
        refused: Why nothing was saved; None when it was.
        faults: Field -> the code of what is wrong with it.
    """

    values: Values
    base: Values
    answer: EditorAnswer | None = None
    refused: Refused | None = None
    faults: dict[str, str] = field(default_factory=dict)


async def keep(request: StaffRequest, program_id: int | None, *, partly: bool) -> Outcome:
    """Save the form that a request has.

    Args:
        request: Of an editor.
        program_id: The program; None for a new one.
        partly: Save the fields that are right when others are wrong. Otherwise nothing is saved then.
    """
    typed = request.sent
    base = form.sent(typed.get("base", "{}")) if program_id is not None else form.blank(request.locale)
    found = form.read(typed, base, request.locale)
    new_series = ""
    try:
        new_series = await series.choose(request, typed, found)
    except REFUSALS as error:
        found.faults |= {"seriesId": refused(error).code}
    outcome = Outcome(found.values, base, faults=found.faults)
    if found.faults and (not partly or program_id is None):
        outcome.refused = Refused(422, "validation_failed")
        return outcome
    await _save(request, program_id, outcome, partly=partly)
    if new_series and outcome.answer is not None:
        await _begin_series(request, outcome, new_series)
    return outcome


async def _begin_series(request: StaffRequest, outcome: Outcome, title: str) -> None:
    """Create the series of a form whose other fields are saved.

    A script saves on its own while somebody writes a title: it says by `asked` that the person has asked for the series.
    """
    if outcome.answer is None:
        return
    is_script = request.headers.get("accept", "") == "application/json"
    if outcome.faults or (is_script and request.sent.get("asked") != "on"):
        outcome.faults |= {"seriesId": "waits"}
        return
    try:
        values: Values = {"seriesId": await series.create(request, title, outcome.values)}
        draft, seen = form.draft_of(outcome.answer), form.etag_of(outcome.answer)
        outcome.answer = await write(request, outcome.answer.data.id, draft, draft | values, seen)
        outcome.values |= values
    except REFUSALS as error:
        outcome.faults |= {"seriesId": refused(error).code}


async def _save(request: StaffRequest, program_id: int | None, outcome: Outcome, *, partly: bool) -> None:
    try:
        if program_id is None:
            outcome.answer = await _create(request, outcome.values)
        else:
            seen = request.sent.get("seen", "")
            outcome.answer = await write(request, program_id, outcome.base, outcome.values, seen)
    except REFUSALS as error:
        problem = refused(error)
        outcome.faults |= problem.faults
        wrong = [name for name in problem.faults if outcome.values.get(name) != outcome.base.get(name)]
        if partly and program_id is not None and problem.status in (409, 422) and wrong:
            kept = {name: value for name, value in outcome.values.items() if name not in wrong}
            outcome.values = kept | {name: outcome.base[name] for name in wrong if name in outcome.base}
            await _save(request, program_id, outcome, partly=partly)
        elif problem.code == "stale_revision" and program_id is not None:
            # An earlier request may have saved the same, and its answer got lost.
            now = await _draft(request, program_id)
            if merging.differences(outcome.base, form.draft_of(now), outcome.values):
                outcome.refused = problem
            else:
                outcome.answer = now
        else:
            outcome.refused = problem


async def _create(request: StaffRequest, values: Values) -> EditorAnswer:
    data = msgspec.convert({"title": ""} | values, ProgramIn)
    once = request.sent.get("once", "")[:_LONGEST_KEY].strip() or None
    return await ask(request, programs.create_program, EditorAnswer, data=data, idempotency_key=once)


async def _draft(request: StaffRequest, program_id: int) -> EditorAnswer:
    """Return a program as it is now.

    Raises:
        NotFound: It is deleted, or was merged into another one.
    """
    now = await ask(request, autosave.get_draft, EditorAnswer, program_id=program_id)
    if now.data.id != program_id:
        raise NotFound("program", program_id)
    return now


async def write(
    request: StaffRequest, program_id: int, base: Values, values: Values, seen: str
) -> EditorAnswer:
    """Save what somebody is writing, and return the program as it is then.

    A live version changes without a new ETag of the pending revision beside it, and a form without a change is not sent to
    the API, so what the form began with is compared with what is there.

    Args:
        request: Of an editor.
        program_id: The program.
        base: The values that the form began with.
        values: What it says now.
        seen: The ETag of what it began with.

    Raises:
        Problem: The ETag cannot be read.
        StaleRevision: Somebody has changed it since.
        CatalogError: The program is deleted, or a value is wrong.
    """
    changed = form.changed(values, base)
    now = await _draft(request, program_id)
    different = merging.differences(base, form.draft_of(now), values)
    is_known = form.etag_of(now) == seen
    if is_known and any(not one.choice for one in different):
        raise StaleRevision(now.data.rev, now.data.rev)
    if not changed:
        if different and not is_known:
            raise StaleRevision(0, now.data.rev)
        return now
    data = msgspec.convert(changed, ProgramPatch)
    return await ask(
        request, autosave.autosave_program, EditorAnswer, program_id=program_id, data=data, if_match=seen
    )
