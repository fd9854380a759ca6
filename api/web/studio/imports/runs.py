"""The page of a run: what it did or would do with each item, and the steps that it allows."""

from typing import cast

from litestar import Response, get, post
from litestar.response import ServerSentEvent, Stream

from api.editorial.imports import runs, streams
from api.editorial.imports.schemas import ApplyIn, ImportItemList, ImportRunAnswer, ImportRunList
from api.http.parameters import Id
from api.web.signin.asking import ask, call
from api.web.signin.staff import StaffRequest, redirect
from api.web.studio.given import Refusal, WrongField, asked_for, attempt, behind, once, send
from api.web.studio.imports import choosing
from api.web.studio.showing import show
from catalog.imports.models import ENDED, OUTCOMES

_HERE = "/studio/imports"
# The browser asks for the stream again when it ends: somebody who was signed out meanwhile gets none.
_STREAM_SECONDS = 60


async def _page(request: StaffRequest, run_id: int, refused: Refusal | None = None) -> Response[bytes]:
    run = (await ask(request, runs.get_import, ImportRunAnswer, run_id=run_id)).data
    outcome, after = asked_for(request, "outcome", OUTCOMES), behind(request)
    items = await ask(
        request,
        runs.list_items,
        ImportItemList,
        run_id=run_id,
        after=after,
        limit=choosing.ITEMS,
        outcome=outcome or None,
    )
    parts = await ask(request, runs.list_imports, ImportRunList, parent_id=run_id, limit=choosing.ITEMS)
    carried_out = []
    if run.dry_run:
        applied = await ask(
            request, runs.list_imports, ImportRunList, applied_from=run_id, limit=choosing.ITEMS
        )
        carried_out = applied.data
    ended = run.status in ENDED
    counts = {name: getattr(run.counts, name) for name in OUTCOMES}
    chosen = None
    if run.dry_run and run.status == "succeeded":
        here = [item.position for item in items.data if item.outcome in choosing.WRITTEN]
        chosen = await choosing.shown(request, run_id, outcome, after, here, counts)
    context = {
        "run": run,
        "ended": ended,
        "counts": counts,
        "items": items.data,
        "next": items.meta.next_cursor,
        "outcome": outcome,
        "after": after,
        "written": choosing.WRITTEN,
        "chosen": chosen,
        "parts": parts.data,
        "carried_out": carried_out,
    }
    return show(request, "import.html", context, refused=refused)


@get("/imports/{run_id:int}")
async def run_page(request: StaffRequest, run_id: Id) -> Response[bytes]:
    """Return the page of a run."""
    return await _page(request, run_id)


@post("/imports/{run_id:int}/cancel")
async def cancel(request: StaffRequest, run_id: Id) -> Response[bytes]:
    """Stop a run."""
    done = await attempt(ask(request, runs.cancel_import, ImportRunAnswer, run_id=run_id))
    if isinstance(done, Refusal):
        return await _page(request, run_id, done)
    return redirect(request, f"{_HERE}/{run_id}?done=cancelled")


@post("/imports/{run_id:int}/retry")
async def retry(request: StaffRequest, run_id: Id) -> Response[bytes]:
    """Import the failed items again, and lead to the new run."""
    again = await attempt(ask(request, runs.retry_import, ImportRunAnswer, run_id=run_id))
    if isinstance(again, Refusal):
        return await _page(request, run_id, again)
    return redirect(request, f"{_HERE}/{again.data.id}")


@post("/imports/{run_id:int}/apply")
async def apply(request: StaffRequest, run_id: Id) -> Response[bytes]:
    """Write what a dry run has read, or the chosen items of it, and lead to the new run."""
    sent = request.sent

    def values() -> dict[str, object]:
        if sent.get("what") == "all":
            return {}
        found = choosing.of_form(sent)
        if not found:
            raise WrongField("positions", "Choose an item.")
        return {"positions": sorted(found)}

    begun = await send(
        request,
        runs.apply_import,
        ImportRunAnswer,
        ApplyIn,
        values,
        run_id=run_id,
        idempotency_key=await once(request),
    )
    if isinstance(begun, Refusal):
        return await _page(request, run_id, begun)
    return redirect(request, f"{_HERE}/{begun.data.id}")


@get("/imports/{run_id:int}/events", opt={"exchanges": False}, media_type="text/event-stream")
async def events(request: StaffRequest, run_id: Id) -> ServerSentEvent:
    """Send the run whenever it changes, as the API does."""
    stream = await call(request, streams.follow_import, run_id=run_id, seconds=_STREAM_SECONDS)
    return cast("ServerSentEvent", stream)


@get("/imports/{run_id:int}/errors", opt={"exchanges": False}, media_type="text/csv")
async def errors(request: StaffRequest, run_id: Id) -> Stream:
    """Send the items that failed as a file, as the API does."""
    return cast("Stream", await call(request, streams.download_errors, run_id=run_id))


HANDLERS = [run_page, cancel, retry, apply, events, errors]
