"""Pages of what imports leave to people: fields with two values, and programs that may be the same one."""

from litestar import Response, get, post

from api.editorial import merging
from api.editorial.imports import conflicts
from api.editorial.imports.conflicts import ImportConflictList, SettleIn
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


async def _conflicts(request: StaffRequest, refused: Refusal | None = None) -> Response[bytes]:
    state = asked_for(request, "state", CONFLICT_STATES) or "open"
    found = await ask(
        request,
        conflicts.list_conflicts,
        ImportConflictList,
        after=behind(request),
        limit=_ROWS,
        only_state=state,
    )
    context = {
        "conflicts": found.data,
        "next": found.meta.next_cursor,
        "state": state,
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
        return {"field": sent.get("field", ""), "keep": sent.get("keep", "")}

    done = await send(
        request, conflicts.settle_conflict, ImportConflictList, SettleIn, values, program_id=program_id
    )
    if isinstance(done, Refusal):
        return await _conflicts(request, done)
    return redirect(request, f"{_CONFLICTS}?done=settled")


async def _merges(request: StaffRequest, refused: Refusal | None = None) -> Response[bytes]:
    state = asked_for(request, "state", STATES) or "open"
    found = await ask(
        request,
        merging.list_proposals,
        MergeProposalList,
        after=behind(request),
        limit=_PAIRS,
        only_state=state,
    )
    context = {
        "pairs": found.data,
        "next": found.meta.next_cursor,
        "state": state,
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
        return {"keepId": number(sent.get("keep", ""), "keepId")}

    done = await send(request, merging.merge, MergeProposalAnswer, MergeIn, values, proposal_id=proposal_id)
    if isinstance(done, Refusal):
        return await _merges(request, done)
    return redirect(request, f"{_MERGES}?done=merged")


@post("/imports/merges/{proposal_id:int}/dismiss")
async def dismiss(request: StaffRequest, proposal_id: Id) -> Response[bytes]:
    """Keep the two programs of a pair apart."""
    done = await attempt(ask(request, merging.dismiss, MergeProposalAnswer, proposal_id=proposal_id))
    if isinstance(done, Refusal):
        return await _merges(request, done)
    return redirect(request, f"{_MERGES}?done=apart")


HANDLERS = [conflict_list, settle, merge_list, merge, dismiss]
