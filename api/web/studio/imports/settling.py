"""Pages of what imports leave to people: fields with two values, and programs that may be the same one."""

from urllib.parse import urlencode

from litestar import Response, get, post

from api.editorial import merging
from api.editorial.imports import conflicts
from api.editorial.imports.conflicts import ImportConflictList, SettledConflict, SettleIn
from api.editorial.merging import MergeIn, MergeProposalAnswer, MergeProposalList
from api.http.parameters import Id
from api.web.signin.asking import ask
from api.web.signin.staff import StaffRequest, redirect
from api.web.studio.given import Refusal, WrongField, asked_for, attempt, behind, number, send
from api.web.studio.showing import show
from catalog.imports.models import CONFLICT_STATES
from catalog.merging.models import STATES

_CONFLICTS, _MERGES = "/studio/imports/conflicts", "/studio/imports/merges"
_ROWS, _PAIRS = 50, 20
# What tells two programs apart.
_FIELDS = (
    "title",
    "status",
    "media_type",
    "duration_sec",
    "release_date",
    "media_url",
    "source_type",
    "external_id",
)


def _word(request: StaffRequest, name: str, words: tuple[str, ...]) -> str:
    """Return which part of a list is shown: that of the address, or that which a form was on.

    Args:
        request: Has the address, or the form.
        name: The parameter.
        words: What it may be.
    """
    sent = request.sent.get(name, "") if request.method == "POST" else ""
    return sent if sent in words else asked_for(request, name, words)


def _after(request: StaffRequest) -> int:
    """Return where the list begins: as the address says, or as the page of the form did."""
    if request.method == "POST":
        return number(request.sent.get("after", ""), "after") or 0
    return behind(request)


def _back(request: StaffRequest, path: str, states: tuple[str, ...], done: str) -> Response[bytes]:
    """Lead back to where a form was.

    Args:
        request: Sent the form.
        path: The list.
        states: What its parts are called.
        done: What has happened.
    """
    query = {"state": _word(request, "state", states), "after": _after(request) or "", "done": done}
    return redirect(request, f"{path}?{urlencode({name: text for name, text in query.items() if text})}")


async def _conflicts(request: StaffRequest, refused: Refusal | None = None) -> Response[bytes]:
    state = _word(request, "state", CONFLICT_STATES) or "open"
    found = await ask(
        request,
        conflicts.list_conflicts,
        ImportConflictList,
        after=_after(request),
        limit=_ROWS,
        only_state=state,
    )
    context = {
        "conflicts": found.data,
        "next": found.meta.next_cursor,
        "state": state,
        "after": _after(request),
        "states": CONFLICT_STATES,
    }
    return show(request, "conflicts.html", context, refused=refused)


@get("/imports/conflicts")
async def conflict_list(request: StaffRequest) -> Response[bytes]:
    """Return the fields that an editor and a source wrote differently."""
    return await _conflicts(request)


@post("/imports/conflicts")
async def settle(request: StaffRequest) -> Response[bytes]:
    """Say whose value a field keeps.

    Raises:
        WrongField: No program is named.
    """
    sent = request.sent
    program_id = number(sent.get("program", ""), "program")
    if not program_id:
        raise WrongField("program", "Must be given.")

    def values() -> dict[str, object]:
        read = {name: number(sent.get(name, ""), name) for name in ("id", "importId", "rev")}
        if None in read.values():
            raise WrongField("field", "The page is old. Load it again.")
        return {"field": sent.get("field", ""), "keep": sent.get("keep", ""), **read}

    done = await send(
        request, conflicts.settle_conflict, SettledConflict, SettleIn, values, program_id=program_id
    )
    if isinstance(done, Refusal):
        return await _conflicts(request, done)
    return _back(request, _CONFLICTS, CONFLICT_STATES, "waits" if done.waits else "settled")


async def _merges(request: StaffRequest, refused: Refusal | None = None) -> Response[bytes]:
    state = _word(request, "state", STATES) or "open"
    found = await ask(
        request,
        merging.list_proposals,
        MergeProposalList,
        after=_after(request),
        limit=_PAIRS,
        only_state=state,
    )
    context = {
        "pairs": found.data,
        "next": found.meta.next_cursor,
        "state": state,
        "after": _after(request),
        "states": STATES,
        "fields": _FIELDS,
    }
    return show(request, "merges.html", context, refused=refused)


@get("/imports/merges")
async def merge_list(request: StaffRequest) -> Response[bytes]:
    """Return pairs of programs that may be the same one, side by side."""
    return await _merges(request)


@post("/imports/merges/{proposal_id:int}/merge")
async def merge(request: StaffRequest, proposal_id: Id) -> Response[bytes]:
    """Merge the two programs of a pair."""
    sent = request.sent

    def values() -> dict[str, object]:
        revs = [number(sent.get(name, ""), "revs") for name in ("rev-0", "rev-1")]
        return {"keepId": number(sent.get("keep", ""), "keepId"), "revs": revs}

    done = await send(request, merging.merge, MergeProposalAnswer, MergeIn, values, proposal_id=proposal_id)
    if isinstance(done, Refusal):
        return await _merges(request, done)
    return _back(request, _MERGES, STATES, "merged")


@post("/imports/merges/{proposal_id:int}/dismiss")
async def dismiss(request: StaffRequest, proposal_id: Id) -> Response[bytes]:
    """Keep the two programs of a pair apart."""
    done = await attempt(ask(request, merging.dismiss, MergeProposalAnswer, proposal_id=proposal_id))
    if isinstance(done, Refusal):
        return await _merges(request, done)
    return _back(request, _MERGES, STATES, "apart")


HANDLERS = [conflict_list, settle, merge_list, merge, dismiss]
