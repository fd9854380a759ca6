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
from api.web.studio.given import Refusal, WrongField, as_lines, attempt, behind, convert, number, once, send
from api.web.studio.imports.choices import categories
from api.web.studio.naming.subjects import Subject, paths, subject_of
from api.web.studio.overwriting import OVER, newer
from api.web.studio.showing import show
from catalog.core.errors import StaleRevision

_ROWS, _EVENTS = 50, 20
_REVS, _WAS = ("rev", "pendingRev"), "was-"
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


def _seen(row: Fields, pending: PendingOut | None) -> str:
    """Return the revisions that a page shows as one text: of what is live, and of what waits."""
    return f"{row['rev']}:{pending.rev if pending is not None else ''}"


def _base(
    sent: Mapping[str, str] | None, row: Fields, pending: PendingOut | None, filled: Mapping[str, str]
) -> dict[str, str]:
    """Return what the form was filled from: the revisions, and the values that it showed.

    Args:
        sent: The form that was not taken, which keeps its own; None for a new form.
        row: What is live.
        pending: What waits.
        filled: The values of a new form.
    """
    if sent is not None:
        return {name: text for name, text in sent.items() if name in _REVS or name.startswith(_WAS)}
    rev, _, pending_rev = _seen(row, pending).partition(":")
    return {"rev": rev, "pendingRev": pending_rev} | {f"{_WAS}{name}": text for name, text in filled.items()}


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
    told = {name: filled[name] for name in subject.fields}
    typed = {name: as_lines(request.sent).get(name, "") for name in told} if form == "edit" else {}
    context = {
        "subject": subject,
        "row": row,
        "pending": pending,
        "diff": diff,
        "having": await picking.count(request, subject.filter, row_id),
        "events": events.data,
        "categories": await categories(request),
        "form": form,
        "sent": request.sent if form == "edit" else filled,
        "base": _base(request.sent if form == "edit" else None, row, pending, filled),
        "newer": newer(refused if form == "edit" else None, _seen(row, pending), told, typed),
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
    """Change a row; return what has happened, as `happened` in the texts has it.

    Raises:
        StaleRevision: What is live or what waits has changed since the form was filled.
    """
    sent = request.sent
    row, pending = await _read(request, subject, row_id)
    shown = _shown(request, row, pending)
    waits = not request.user.roles & set(REVIEWERS)
    rev, pending_rev = _revs(sent)
    known = str(pending.rev) if pending is not None and waits else ""
    if rev != str(row["rev"]) or (waits and pending_rev != known):
        raise StaleRevision(int(rev or 0), int(str(row["rev"])))
    was = {name: sent.get(f"{_WAS}{name}") for name in subject.fields}
    if sent.get(OVER) or None in was.values():
        was = {name: _as_text(shown.get(name)) for name in subject.fields}
    before = subject.values({name: text or "" for name, text in was.items()})
    values = {name: value for name, value in subject.values(sent).items() if value != before[name]}
    if not values:
        return "unchanged"
    body = convert(subject.patch, values)
    if waits and (pending is not None or subject.always_waits):
        await call(request, subject.propose, row_id=row_id, data=body, if_match=known or None)
        return "waits"
    answer = await call(request, subject.edit, data=body, if_match=rev, **{subject.key: row_id})
    return "waits" if getattr(answer, "status_code", None) == 202 else "changed"


def _revs(sent: Mapping[str, str]) -> tuple[str, str]:
    """Return the revisions that the sender has seen, of what is live and of what waits.

    Raises:
        WrongField: One is no whole number.
    """
    rev, pending_rev = sent.get("rev", ""), sent.get("pendingRev", "")
    if sent.get(OVER):
        rev, _, pending_rev = sent[OVER].partition(":")
    found = [number(text, "rev") for text in (rev, pending_rev)]
    return ("" if found[0] is None else str(found[0])), ("" if found[1] is None else str(found[1]))


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
    having = await picking.count(request, subject.filter, row_id)
    context = {"subject": subject, "row": row, "having": having, "pending": pending}
    context["seen"] = _seen(row, pending)
    return show(request, "taxonomy_step.html", context, refused=refused)


@post(paths("/{row_id:int}/delete"), opt={"roles": REVIEWERS})
async def delete(request: StaffRequest, row_id: Id) -> Response[bytes]:
    """Delete a series or a category that no program has, and lead to the list."""
    subject = subject_of(request)
    row, pending = await _read(request, subject, row_id)
    if request.sent.get("seen", "") != _seen(row, pending):
        stale = StaleRevision(0, int(str(row["rev"])))
        return await _asked(request, row_id, Refusal(412, stale.code, stale.detail))
    done = await attempt(call(request, subject.delete, **{subject.key: row_id}))
    if isinstance(done, Refusal):
        return await _asked(request, row_id, done)
    return redirect(request, f"{subject.here}?done=deleted")


HANDLERS = [names, taxonomy_list, create, taxonomy_page, change, decide, ask_delete, delete]
