"""Pages of tags and of people, which are the same: found, created, renamed, merged and deleted, once it is said what that affects."""

import hashlib
from collections.abc import Mapping
from typing import NamedTuple

import msgspec
from litestar import Response, get, post

from api.editorial.naming import routes
from api.editorial.naming.schemas import (
    EffectsAnswer,
    EffectsOut,
    NamedAnswer,
    NamedList,
    NamedMergeIn,
    NamedOut,
    NameIn,
    RenameIn,
)
from api.editorial.schemas import AuditList
from api.http.auth import REVIEWERS
from api.http.parameters import Id
from api.http.query import MAX_VALUE
from api.web.signin.asking import ask, call
from api.web.signin.staff import StaffRequest, redirect
from api.web.studio.given import Refusal, WrongField, attempt, behind, number, once, send
from api.web.studio.showing import show

_ROUTES = {route.name: route for route in routes.HANDLERS}
_ROWS, _EVENTS, _TARGETS = 50, 20, 10


class _Kind(NamedTuple):
    """Tags or people: the first part of the names of their routes, their address here, and their filter in lists of programs."""

    noun: str
    plural: str
    filter: str

    @property
    def here(self) -> str:
        """The address of their list."""
        return f"/studio/names/{self.plural}"


_KINDS = {kind.plural: kind for kind in (_Kind("tag", "tags", "tag"), _Kind("person", "people", "person"))}


def _paths(rest: str) -> list[str]:
    return [f"/names/{plural}{rest}" for plural in _KINDS]


def _kind(request: StaffRequest) -> _Kind:
    return _KINDS[request.url.path.split("/")[3]]


async def _list(
    request: StaffRequest, sent: Mapping[str, str], refused: Refusal | None = None
) -> Response[bytes]:
    kind, words = _kind(request), request.query_params.get("q", "")[:MAX_VALUE]
    found = await ask(
        request, _ROUTES[f"{kind.noun}.list"], NamedList, after=behind(request), limit=_ROWS, q=words or None
    )
    context = {
        "kind": kind,
        "rows": found.data,
        "next": found.meta.next_cursor,
        "q": words,
        "sent": dict(sent),
    }
    return show(request, "named_list.html", context, refused=refused)


@get(_paths(""))
async def named_list(request: StaffRequest) -> Response[bytes]:
    """Return the tags or the people."""
    return await _list(request, {})


@post(_paths(""))
async def create(request: StaffRequest) -> Response[bytes]:
    """Create a tag or a person, and lead to it."""
    kind, sent = _kind(request), request.sent
    made = await send(
        request,
        _ROUTES[f"{kind.noun}.create"],
        NamedAnswer,
        NameIn,
        lambda: {"name": sent.get("name", "").strip()},
        idempotency_key=await once(request),
    )
    if isinstance(made, Refusal):
        return await _list(request, sent, made)
    return redirect(request, f"{kind.here}/{made.data.id}?done=created")


async def _effects(request: StaffRequest, kind: _Kind, row_id: int, into: int | None = None) -> EffectsOut:
    found = await ask(request, _ROUTES[f"{kind.noun}.effects"], EffectsAnswer, row_id=row_id, into=into)
    return found.data


async def _page(
    request: StaffRequest, row_id: int, form: str = "", refused: Refusal | None = None
) -> Response[bytes]:
    """Return the page of a tag or a person.

    Args:
        request: Who asks.
        row_id: The tag or the person.
        form: Which form was not taken: `rename`, `merge` or `delete`.
        refused: Why it was not taken.
    """
    kind, words = _kind(request), request.query_params.get("q", "")[:MAX_VALUE]
    row = (await ask(request, _ROUTES[f"{kind.noun}.get"], NamedAnswer, row_id=row_id)).data
    targets = []
    if words.strip():
        # Others may begin with the words, too, and be older: the one that is called so comes first.
        lists = [
            await ask(request, _ROUTES[f"{kind.noun}.list"], NamedList, limit=_TARGETS, **asked)
            for asked in ({"name": words}, {"q": words})
        ]
        found = {one.id: one for each in lists for one in each.data if one.id != row_id}
        targets = list(found.values())[:_TARGETS]
    events = await ask(request, _ROUTES[f"{kind.noun}.audit"], AuditList, row_id=row_id, limit=_EVENTS)
    context = {
        "kind": kind,
        "row": row,
        "effects": await _effects(request, kind, row_id),
        "q": words,
        "targets": targets,
        "events": events.data,
        "form": form,
        "sent": request.sent if request.method == "POST" else {},
    }
    return show(request, "named.html", context, refused=refused)


@get(_paths("/{row_id:int}"))
async def named_page(request: StaffRequest, row_id: Id) -> Response[bytes]:
    """Return the page of a tag or a person."""
    return await _page(request, row_id)


@post(_paths("/{row_id:int}/rename"), opt={"roles": REVIEWERS})
async def rename(request: StaffRequest, row_id: Id) -> Response[bytes]:
    """Rename a tag or a person everywhere."""
    kind, sent = _kind(request), request.sent
    done = await send(
        request,
        _ROUTES[f"{kind.noun}.rename"],
        NamedAnswer,
        RenameIn,
        lambda: {"name": sent.get("name", "").strip()},
        row_id=row_id,
    )
    if isinstance(done, Refusal):
        return await _page(request, row_id, "rename", done)
    return redirect(request, f"{kind.here}/{row_id}?done=renamed")


@get(_paths("/{row_id:int}/merge"), opt={"roles": REVIEWERS})
async def ask_merge(request: StaffRequest, row_id: Id) -> Response[bytes]:
    """Say what merging a tag or a person into another one affects, and ask whether to do it."""
    kind = _kind(request)
    into = number(request.query_params.get("into", ""), "intoId")
    if not into:
        return redirect(request, f"{kind.here}/{row_id}")
    effects = await attempt(_effects(request, kind, row_id, into))
    if isinstance(effects, Refusal):
        return await _page(request, row_id, "merge", effects)
    return await _asked(request, kind, row_id, effects, into)


@get(_paths("/{row_id:int}/delete"), opt={"roles": REVIEWERS})
async def ask_delete(request: StaffRequest, row_id: Id) -> Response[bytes]:
    """Say what deleting a tag or a person affects, and ask whether to do it."""
    kind = _kind(request)
    return await _asked(request, kind, row_id, await _effects(request, kind, row_id), None)


async def _asked(
    request: StaffRequest,
    kind: _Kind,
    row_id: int,
    effects: EffectsOut,
    into: int | None,
    refused: Refusal | None = None,
) -> Response[bytes]:
    """Return the page that asks.

    Args:
        request: Who is asked.
        kind: Tags or people.
        row_id: Which of them.
        effects: What the step affects.
        into: What it would be merged into; None: it would be deleted.
        refused: Why it was not done.
    """
    get_one = _ROUTES[f"{kind.noun}.get"]
    row = (await ask(request, get_one, NamedAnswer, row_id=row_id)).data
    other = (await ask(request, get_one, NamedAnswer, row_id=into)).data if into else None
    context = {"kind": kind, "row": row, "effects": effects, "other": other}
    context["seen"] = _seen(row, effects, other)
    return show(request, "named_step.html", context, refused=refused)


def _seen(row: NamedOut, effects: EffectsOut, other: NamedOut | None) -> str:
    """Return what a page that asks has shown, as a short text that changes with it.

    Args:
        row: The tag or the person.
        effects: What the step affects.
        other: What it would be merged into.
    """
    shown = msgspec.json.encode((row.name, effects, other.name if other is not None else None))
    return hashlib.sha256(shown).hexdigest()[:32]


async def _changed(
    request: StaffRequest, kind: _Kind, row_id: int, into: int | None
) -> Response[bytes] | None:
    """Return the page that asks once more if it would show anything else than what was confirmed.

    Args:
        request: Has confirmed it.
        kind: Tags or people.
        row_id: Which of them.
        into: What it would be merged into; None: it would be deleted.
    """
    effects = await _effects(request, kind, row_id, into)
    get_one = _ROUTES[f"{kind.noun}.get"]
    row = (await ask(request, get_one, NamedAnswer, row_id=row_id)).data
    other = (await ask(request, get_one, NamedAnswer, row_id=into)).data if into else None
    if request.sent.get("seen", "") == _seen(row, effects, other):
        return None
    refused = Refusal(412, "stale_revision", "It affects something else now than what was shown.")
    return await _asked(request, kind, row_id, effects, into, refused)


async def _into(request: StaffRequest, kind: _Kind, row_id: int) -> int | Response[bytes]:
    """Return what the form merges into, or the page that asks once more.

    Args:
        request: Has confirmed it.
        kind: Tags or people.
        row_id: What would go.

    Raises:
        WrongField: No other one is named.
    """
    into = number(request.sent.get("into", ""), "intoId")
    if not into:
        raise WrongField("intoId", "Must be given.")
    return await _changed(request, kind, row_id, into) or into


@post(_paths("/{row_id:int}/merge"), opt={"roles": REVIEWERS})
async def merge(request: StaffRequest, row_id: Id) -> Response[bytes]:
    """Merge a tag or a person into another one, and lead to that."""
    kind = _kind(request)
    into = await attempt(_into(request, kind, row_id))
    if isinstance(into, Refusal):
        return await _page(request, row_id, "merge", into)
    if not isinstance(into, int):
        return into
    done = await send(
        request,
        _ROUTES[f"{kind.noun}.merge"],
        NamedAnswer,
        NamedMergeIn,
        lambda: {"intoId": into},
        row_id=row_id,
    )
    if isinstance(done, Refusal):
        return await _page(request, row_id, "merge", done)
    return redirect(request, f"{kind.here}/{done.data.id}?done=merged")


@post(_paths("/{row_id:int}/delete"), opt={"roles": REVIEWERS})
async def delete(request: StaffRequest, row_id: Id) -> Response[bytes]:
    """Delete a tag or a person, and lead to the list."""
    kind = _kind(request)
    if (once_more := await _changed(request, kind, row_id, None)) is not None:
        return once_more
    await call(request, _ROUTES[f"{kind.noun}.delete"], row_id=row_id)
    return redirect(request, f"{kind.here}?done=deleted")


HANDLERS = [named_list, create, named_page, rename, ask_merge, ask_delete, merge, delete]
