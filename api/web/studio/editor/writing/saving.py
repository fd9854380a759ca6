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
    try:
        await series.choose(request, typed, found)
    except REFUSALS as error:
        found.faults |= {"seriesId": refused(error).code}
    outcome = Outcome(found.values, base, faults=found.faults)
    if found.faults and (not partly or program_id is None):
        outcome.refused = Refused(422, "validation_failed")
        return outcome
    await _save(request, program_id, outcome, partly=partly)
    return outcome


async def _save(request: StaffRequest, program_id: int | None, outcome: Outcome, *, partly: bool) -> None:
    try:
        if program_id is None:
            outcome.answer = await _create(request, outcome.values)
        else:
            values = form.changed(outcome.values, outcome.base)
            outcome.answer = await write(request, program_id, values, request.sent.get("seen", ""))
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
            now = await write(request, program_id, {}, "")
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


async def write(request: StaffRequest, program_id: int, values: Values, seen: str) -> EditorAnswer:
    """Save what somebody is writing, and return the program as it is then.

    Args:
        request: Of an editor.
        program_id: The program.
        values: The fields that were changed.
        seen: The ETag of what they were changed in.

    Raises:
        Problem: The ETag cannot be read.
        CatalogError: The program is deleted, somebody has changed it since, or a value is wrong.
    """
    if not values:
        return await ask(request, autosave.get_draft, EditorAnswer, program_id=program_id)
    data = msgspec.convert(values, ProgramPatch)
    return await ask(
        request, autosave.autosave_program, EditorAnswer, program_id=program_id, data=data, if_match=seen
    )
