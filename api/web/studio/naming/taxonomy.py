"""Pages of series and categories: found, created, changed, deleted. A change that waits for a reviewer is told in words."""

from collections.abc import Mapping

import msgspec
from litestar import Response, get, post

from api.editorial.pending_schemas import PendingDiff, PendingOut
from api.editorial.schemas import ActionIn, AuditList
from api.http.auth import REVIEWERS
from api.http.parameters import Id
from api.http.query import MAX_VALUE
from api.web.signin.asking import ask, call
from api.web.signin.staff import StaffRequest, redirect
from api.web.studio import picking
from api.web.studio.given import Refusal, WrongField, attempt, behind, convert, number, once, send
from api.web.studio.imports.choices import categories
from api.web.studio.naming.subjects import Subject, paths, subject_of
from api.web.studio.showing import show

_ROWS, _EVENTS = 50, 20
Fields = Mapping[str, object]


@get("/names")
async def names(request: StaffRequest) -> Response[bytes]:
    """Lead to the series."""
    return redirect(request, "/studio/names/series")


async def _list(
    request: StaffRequest, sent: Mapping[str, str], refused: Refusal | None = None
) -> Response[bytes]:
    subject, words = subject_of(request), request.query_params.get("q", "")[:MAX_VALUE]
    found = await ask(
        request, subject.list, subject.rows, after=behind(request), limit=_ROWS, q=words or None
    )
    context = {
        "subject": subject,
        "rows": found.data,
        "next": found.meta.next_cursor,
        "q": words,
        "sent": dict(sent),
        "creates": bool(request.user.roles & set(subject.creators)),
        "categories": await categories(request),
    }
    return show(request, "taxonomy_list.html", context, refused=refused)


@get(paths(""))
async def taxonomy_list(request: StaffRequest) -> Response[bytes]:
    """Return the series or the categories."""
    return await _list(request, {})


@post(paths(""))
async def create(request: StaffRequest) -> Response[bytes]:
    """Create a series or a category, and lead to it."""
    subject, sent = subject_of(request), request.sent

    def values() -> Fields:
        return {name: value for name, value in subject.values(sent).items() if name != "slug" or value}

    made = await send(
        request, subject.create, subject.answer, subject.new, values, idempotency_key=await once(request)
    )
    if isinstance(made, Refusal):
        return await _list(request, sent, made)
    return redirect(request, f"{subject.here}/{made.data.id}?done=created")


async def _read(request: StaffRequest, subject: Subject, row_id: int) -> tuple[Fields, PendingOut | None]:
    """Return the fields of a row as JSON shows them, and its pending revision."""
    found = await ask(request, subject.get, subject.answer, **{subject.key: row_id})
    row: dict[str, object] = msgspec.to_builtins(found.data)
    return row, found.pending


def _shown(request: StaffRequest, row: Fields, pending: PendingOut | None) -> Fields:
    """Return the fields that a form shows: an editor goes on writing what waits, a reviewer changes what is live."""
    waits = pending is not None and not request.user.roles & set(REVIEWERS)
    return {**row, **(pending.changes if pending is not None and waits else {})}


def _as_text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else ""
    return "" if value is None else str(value)


async def _page(
    request: StaffRequest, row_id: int, form: str = "", refused: Refusal | None = None
) -> Response[bytes]:
    """Return the page of a series or a category.

    Args:
        request: Who asks.
        row_id: The series or the category.
        form: Which form was not taken: `edit` or `pending`.
        refused: Why it was not taken.
    """
    subject = subject_of(request)
    row, pending = await _read(request, subject, row_id)
    diff = None
    if pending is not None:
        diff = await ask(request, subject.step("diff"), PendingDiff, row_id=row_id)
    events = await ask(request, subject.audit, AuditList, limit=_EVENTS, **{subject.key: row_id})
    filled = {name: _as_text(value) for name, value in _shown(request, row, pending).items()}
    context = {
        "subject": subject,
        "row": row,
        "pending": pending,
        "diff": diff,
        "programs": await picking.count(request, subject.filter, row_id),
        "events": events.data,
        "categories": await categories(request),
        "form": form,
        "sent": request.sent if form == "edit" else filled,
        "filled": filled,
    }
    return show(request, "taxonomy.html", context, refused=refused)


@get(paths("/{row_id:int}"))
async def taxonomy_page(request: StaffRequest, row_id: Id) -> Response[bytes]:
    """Return the page of a series or a category."""
    return await _page(request, row_id)


@post(paths("/{row_id:int}"))
async def change(request: StaffRequest, row_id: Id) -> Response[bytes]:
    """Change the fields that were typed over; say whether listeners see the change, or whether it waits."""
    done = await attempt(_changed(request, subject_of(request), row_id))
    if isinstance(done, Refusal):
        return await _page(request, row_id, "edit", done)
    return redirect(request, f"{subject_of(request).here}/{row_id}?done={done}")


async def _changed(request: StaffRequest, subject: Subject, row_id: int) -> str:
    """Change a row; return what has happened, as `happened` in the texts has it."""
    row, pending = await _read(request, subject, row_id)
    shown, typed = _shown(request, row, pending), subject.values(request.sent)
    values = {name: value for name, value in typed.items() if value != shown.get(name)}
    if not values:
        return "unchanged"
    body = convert(subject.patch, values)
    rev = str(number(request.sent.get("rev", ""), "rev") or "")
    if subject.propose is not None and not request.user.roles & set(REVIEWERS):
        await call(request, subject.propose, row_id=row_id, data=body)
        return "waits"
    answer = await call(request, subject.edit, data=body, if_match=rev or None, **{subject.key: row_id})
    return "waits" if getattr(answer, "status_code", None) == 202 else "changed"


_STEPS = {
    "submit": "submitted",
    "discard": "discarded",
    "approve": "published",
    "publish": "published",
    "reject": "rejected",
}


@post(paths("/{row_id:int}/pending"))
async def decide(request: StaffRequest, row_id: Id) -> Response[bytes]:
    """Take a step with the pending revision that was read."""
    subject, sent = subject_of(request), request.sent
    done = await attempt(_decided(request, subject, row_id))
    if isinstance(done, Refusal):
        return await _page(request, row_id, "pending", done)
    return redirect(request, f"{subject.here}/{row_id}?done={_STEPS[sent['step']]}")


async def _decided(request: StaffRequest, subject: Subject, row_id: int) -> None:
    """Take the step that the form names.

    Raises:
        WrongField: There is no such step.
    """
    sent = request.sent
    step = sent.get("step", "")
    if step not in _STEPS:
        raise WrongField("step", f"Must be one of: {', '.join(_STEPS)}.")
    given: dict[str, object] = {"row_id": row_id, "if_match": str(number(sent.get("rev", ""), "rev") or "*")}
    if step in ("approve", "publish", "reject"):
        given["data"] = convert(ActionIn, {"comment": sent.get("comment", "").strip()})
    await call(request, subject.step(step), **given)


@get(paths("/{row_id:int}/delete"), opt={"roles": REVIEWERS})
async def ask_delete(request: StaffRequest, row_id: Id) -> Response[bytes]:
    """Say what deleting a series or a category affects, and ask whether to do it."""
    return await _asked(request, row_id)


async def _asked(request: StaffRequest, row_id: int, refused: Refusal | None = None) -> Response[bytes]:
    subject = subject_of(request)
    row, pending = await _read(request, subject, row_id)
    programs = await picking.count(request, subject.filter, row_id)
    context = {"subject": subject, "row": row, "programs": programs, "pending": pending}
    return show(request, "taxonomy_step.html", context, refused=refused)


@post(paths("/{row_id:int}/delete"), opt={"roles": REVIEWERS})
async def delete(request: StaffRequest, row_id: Id) -> Response[bytes]:
    """Delete a series or a category that no program has, and lead to the list."""
    subject = subject_of(request)
    done = await attempt(call(request, subject.delete, **{subject.key: row_id}))
    if isinstance(done, Refusal):
        return await _asked(request, row_id, done)
    return redirect(request, f"{subject.here}?done=deleted")


HANDLERS = [names, taxonomy_list, create, taxonomy_page, change, decide, ask_delete, delete]
