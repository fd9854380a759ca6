"""Pages of remembered sources: how they are, how their items become programs, and steps that are asked for once more."""

from collections.abc import Mapping

from litestar import Response, get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from api.editorial.imports import runs, sources
from api.editorial.imports.schemas import (
    ImportRunAnswer,
    ImportRunList,
    ImportSourceAnswer,
    ImportSourceIn,
    ImportSourceList,
    ImportSourcePatch,
)
from api.http.parameters import Id
from api.web.signin.asking import ask, call
from api.web.signin.staff import StaffRequest, redirect
from api.web.studio.given import Refusal, asked_for, attempt, behind, convert, once, send
from api.web.studio.imports import choices
from api.web.studio.showing import show
from catalog.imports.models import SOURCE_STATES

_HERE = "/studio/imports/sources"
_SOURCES, _RUNS = 50, 10
_STEPS = ("refresh", "try", "pause", "resume", "delete")


async def _list(
    request: StaffRequest, sent: Mapping[str, str], refused: Refusal | None = None
) -> Response[bytes]:
    state = asked_for(request, "state", SOURCE_STATES)
    found = await ask(
        request,
        sources.list_sources,
        ImportSourceList,
        after=behind(request),
        limit=_SOURCES,
        only_state=state or None,
    )
    context = {
        "sources": found.data,
        "next": found.meta.next_cursor,
        "state": state,
        "states": SOURCE_STATES,
        "sent": dict(sent),
        "categories": await choices.categories(request),
    }
    return show(request, "sources.html", context, refused=refused)


@get("/imports/sources")
async def source_list(request: StaffRequest) -> Response[bytes]:
    """Return the remembered sources, and the form that remembers another one."""
    return await _list(request, {})


@post("/imports/sources")
async def remember(request: StaffRequest) -> Response[bytes]:
    """Remember a source, and lead to it."""
    sent = request.sent

    def values() -> dict[str, object]:
        return {
            "url": sent.get("url", "").strip(),
            "sourceType": sent.get("sourceType", ""),
            "title": sent.get("title", "").strip(),
            "options": choices.chosen(sent),
        }

    made = await send(
        request,
        sources.create_source,
        ImportSourceAnswer,
        ImportSourceIn,
        values,
        idempotency_key=await once(request),
    )
    if isinstance(made, Refusal):
        return await _list(request, sent, made)
    return redirect(request, f"{_HERE}/{made.data.id}?done=created")


async def _page(
    request: StaffRequest,
    source_id: int,
    sent: Mapping[str, str] | None = None,
    refused: Refusal | None = None,
) -> Response[bytes]:
    """Return the page of a source.

    Args:
        request: Who asks.
        source_id: The source.
        sent: The fields of the form that was not taken.
        refused: Why it was not taken.
    """
    source = (await ask(request, sources.get_source, ImportSourceAnswer, source_id=source_id)).data
    found = await ask(request, runs.list_imports, ImportRunList, source_id=source_id, limit=_RUNS)
    now = choices.filled(source.options) | {"url": source.url, "title": source.title}
    context = {
        "source": source,
        "runs": found.data,
        "sent": now if sent is None else dict(sent),
        "categories": await choices.categories(request),
    }
    return show(request, "source.html", context, refused=refused)


@get("/imports/sources/{source_id:int}")
async def source_page(request: StaffRequest, source_id: Id) -> Response[bytes]:
    """Return the page of a source."""
    return await _page(request, source_id)


@post("/imports/sources/{source_id:int}")
async def change(request: StaffRequest, source_id: Id) -> Response[bytes]:
    """Change a source's address, title and options."""
    sent = request.sent
    source = (await ask(request, sources.get_source, ImportSourceAnswer, source_id=source_id)).data

    def values() -> dict[str, object]:
        return {
            "url": sent.get("url", "").strip(),
            "title": sent.get("title", "").strip(),
            "options": choices.chosen(sent, source.options),
        }

    done = await send(
        request, sources.edit_source, ImportSourceAnswer, ImportSourcePatch, values, source_id=source_id
    )
    if isinstance(done, Refusal):
        return await _page(request, source_id, sent, done)
    return redirect(request, f"{_HERE}/{source_id}?done=changed")


@get("/imports/sources/{source_id:int}/{name:str}")
async def ask_once(request: StaffRequest, source_id: Id, name: FromPath[str]) -> Response[bytes]:
    """Say what a step does, and ask whether to do it.

    Raises:
        NotFoundException: There is no such step.
    """
    if name not in _STEPS:
        raise NotFoundException
    source = (await ask(request, sources.get_source, ImportSourceAnswer, source_id=source_id)).data
    return show(request, "source_step.html", {"source": source, "name": name})


@post("/imports/sources/{source_id:int}/{name:str}")
async def act(request: StaffRequest, source_id: Id, name: FromPath[str]) -> Response[bytes]:
    """Do a step.

    Raises:
        NotFoundException: There is no such step.
    """
    if name not in _STEPS:
        raise NotFoundException
    done = await attempt(_step(request, source_id, name))
    if isinstance(done, Refusal):
        return await _page(request, source_id, refused=done)
    return redirect(request, done)


async def _step(request: StaffRequest, source_id: int, name: str) -> str:
    """Do a step; return the address that shows what became of it."""
    if name in ("refresh", "try"):
        begun = await ask(
            request, sources.refresh_source, ImportRunAnswer, source_id=source_id, dry_run=name == "try"
        )
        return f"/studio/imports/{begun.data.id}"
    if name == "delete":
        await call(request, sources.delete_source, source_id=source_id)
        return f"{_HERE}?done=deleted"
    state, done = ("paused", "paused") if name == "pause" else ("active", "resumed")
    body = convert(ImportSourcePatch, {"state": state})
    await ask(request, sources.edit_source, ImportSourceAnswer, source_id=source_id, data=body)
    return f"{_HERE}/{source_id}?done={done}"


HANDLERS = [source_list, remember, source_page, change, ask_once, act]
