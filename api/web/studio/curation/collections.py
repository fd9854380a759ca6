"""Pages of collections: their titles and times, and their programs in an order that is changed by buttons."""

from collections.abc import Mapping
from zoneinfo import ZoneInfo

import msgspec
from litestar import Response, get, post

from api.editorial.curation import collections, history
from api.editorial.curation.schemas import (
    CollectionAnswer,
    CollectionIn,
    CollectionList,
    CollectionPatch,
    OrderIn,
    PlaceIn,
)
from api.editorial.schemas import AuditList
from api.http.parameters import Id
from api.http.query import MAX_VALUE
from api.web.signin.asking import ask, call
from api.web.signin.staff import StaffRequest, redirect
from api.web.studio import picking, zones
from api.web.studio.given import (
    Refusal,
    WrongField,
    as_lines,
    attempt,
    behind,
    convert,
    moment,
    number,
    once,
    send,
    typed,
)
from api.web.studio.overwriting import newer, rev_of
from api.web.studio.showing import show

_HERE = "/studio/curation/collections"
_ROWS, _EVENTS = 50, 20
_TEXTS = ("titleAr", "titleEn", "descriptionAr", "descriptionEn")
_FIELDS = (*_TEXTS, "imageUrl", "startsAt", "endsAt", "status", "sortOrder", "slug")


def _values(form: Mapping[str, str], zone: ZoneInfo) -> dict[str, object]:
    """Return the fields of a form, by JSON name.

    Args:
        form: Its fields.
        zone: The time zone of its moments.
    """
    found: dict[str, object] = {name: form.get(name, "").replace("\r\n", "\n").strip() for name in _TEXTS}
    found["imageUrl"] = form.get("imageUrl", "").strip() or None
    found["sortOrder"] = number(form.get("sortOrder", ""), "sortOrder") or 0
    found["status"] = form.get("status", "draft")
    for name in ("startsAt", "endsAt"):
        found[name] = moment(form.get(name, ""), name, zone)
    if slug := form.get("slug", "").strip():
        found["slug"] = slug
    return found


async def _list(
    request: StaffRequest, sent: Mapping[str, str], refused: Refusal | None = None
) -> Response[bytes]:
    words = request.query_params.get("q", "")[:MAX_VALUE]
    found = await ask(
        request,
        collections.list_collections,
        CollectionList,
        after=behind(request),
        limit=_ROWS,
        q=words or None,
    )
    context = {"rows": found.data, "next": found.meta.next_cursor, "q": words, "sent": dict(sent)}
    return show(request, "collections.html", context, refused=refused)


@get("/curation")
async def curation(request: StaffRequest) -> Response[bytes]:
    """Lead to the collections."""
    return redirect(request, _HERE)


@get("/curation/collections")
async def collection_list(request: StaffRequest) -> Response[bytes]:
    """Return the collections, and the form that creates one."""
    return await _list(request, {})


@post("/curation/collections")
async def create(request: StaffRequest) -> Response[bytes]:
    """Create a collection, and lead to it."""
    sent = request.sent
    made = await send(
        request,
        collections.create_collection,
        CollectionAnswer,
        CollectionIn,
        lambda: {"titleAr": sent.get("titleAr", "").strip(), "titleEn": sent.get("titleEn", "").strip()},
        idempotency_key=await once(request),
    )
    if isinstance(made, Refusal):
        return await _list(request, sent, made)
    return redirect(request, f"{_HERE}/{made.data.id}?done=created")


async def _page(
    request: StaffRequest, collection_id: int, form: str = "", refused: Refusal | None = None
) -> Response[bytes]:
    """Return the page of a collection.

    Args:
        request: Who asks.
        collection_id: The collection.
        form: Which form was not taken: `edit` or `programs`.
        refused: Why it was not taken.
    """
    found = await ask(request, collections.get_collection, CollectionAnswer, collection_id=collection_id)
    events = await ask(
        request, history.collection_audit, AuditList, collection_id=collection_id, limit=_EVENTS
    )
    row: dict[str, object] = msgspec.to_builtins(found.data)
    filled = {name: "" if value is None else str(value) for name, value in row.items()}
    zone = zones.of_form(request, request.sent if form == "edit" else {})
    filled |= {"startsAt": typed(found.data.starts_at, zone), "endsAt": typed(found.data.ends_at, zone)}
    sent = dict(request.sent) if form == "edit" else filled
    shown = {name: filled[name] for name in _FIELDS}
    words = request.query_params.get("q", "")[:MAX_VALUE]
    chosen = {program.id for program in found.programs}
    context = {
        "collection": found.data,
        "programs": found.programs,
        "q": words,
        "offers": [one for one in await picking.find(request, words) if one.id not in chosen],
        "events": events.data,
        "form": form,
        "sent": sent,
        "zone": zone.key,
        "newer": newer(refused if form == "edit" else None, found.data.rev, shown, as_lines(sent)),
    }
    return show(request, "collection.html", context, refused=refused)


@get("/curation/collections/{collection_id:int}")
async def collection_page(request: StaffRequest, collection_id: Id) -> Response[bytes]:
    """Return the page of a collection."""
    return await _page(request, collection_id)


@post("/curation/collections/{collection_id:int}")
async def change(request: StaffRequest, collection_id: Id) -> Response[bytes]:
    """Change the titles, the times and the state of a collection."""
    sent = request.sent

    async def changed() -> CollectionAnswer:
        return await ask(
            request,
            collections.edit_collection,
            CollectionAnswer,
            collection_id=collection_id,
            data=convert(CollectionPatch, _values(sent, zones.of_form(request, sent))),
            if_match=rev_of(sent),
        )

    done = await attempt(changed())
    if isinstance(done, Refusal):
        return await _page(request, collection_id, "edit", done)
    return redirect(request, f"{_HERE}/{collection_id}?done=changed")


@post("/curation/collections/{collection_id:int}/programs")
async def arrange(request: StaffRequest, collection_id: Id) -> Response[bytes]:
    """Add a program, take one out, or move one by a place; lead back to it."""
    done = await attempt(_arranged(request, collection_id))
    if isinstance(done, Refusal):
        return await _page(request, collection_id, "programs", done)
    return redirect(request, f"{_HERE}/{collection_id}#program-{done}")


async def _arranged(request: StaffRequest, collection_id: int) -> int:
    """Do what the pressed button says (`up:12`, `down:12`, `out:12`, `add:12`), or `place`; return the program.

    Raises:
        WrongField: The button names no program, or there is no such place.
    """
    sent = request.sent
    step, _, text = sent.get("do", "").partition(":")
    program_id = number(text, "program")
    if not program_id:
        raise WrongField("program", "Choose a program.")
    at, rev = {"collection_id": collection_id, "program_id": program_id}, rev_of(sent)
    if step == "out":
        await call(request, collections.take_program_out, **at, if_match=rev)
    elif step in ("add", "place"):
        place = number(sent.get(f"place-{program_id}", ""), "place")
        await call(
            request, collections.place_program, **at, data=convert(PlaceIn, {"place": place}), if_match=rev
        )
    else:
        found = await ask(request, collections.get_collection, CollectionAnswer, collection_id=collection_id)
        order = _moved([program.id for program in found.programs], program_id, step)
        body = convert(OrderIn, {"programIds": order})
        await call(request, collections.order_programs, collection_id=collection_id, data=body, if_match=rev)
    return program_id


def _moved(order: list[int], program_id: int, step: str) -> list[int]:
    """Return an order in which a program stands one place further up or down.

    Raises:
        WrongField: The program is not in the order, or the step is none of the two.
    """
    if program_id not in order or step not in ("up", "down"):
        raise WrongField("program", "It is not in the collection any more.")
    place = order.index(program_id)
    other = min(max(place + (-1 if step == "up" else 1), 0), len(order) - 1)
    order[place], order[other] = order[other], order[place]
    return order


@get("/curation/collections/{collection_id:int}/delete")
async def ask_delete(request: StaffRequest, collection_id: Id) -> Response[bytes]:
    """Ask whether to delete a collection."""
    found = await ask(request, collections.get_collection, CollectionAnswer, collection_id=collection_id)
    row = found.data
    context = {
        "title": row.title_ar if request.locale.code == "ar" else row.title_en,
        "says": "collection",
        "number": len(found.programs),
        "rev": row.rev,
        "here": f"{_HERE}/{collection_id}",
    }
    return show(request, "curation_step.html", context)


@post("/curation/collections/{collection_id:int}/delete")
async def delete(request: StaffRequest, collection_id: Id) -> Response[bytes]:
    """Delete a collection."""

    async def deleted() -> None:
        await call(
            request, collections.delete_collection, collection_id=collection_id, if_match=rev_of(request.sent)
        )

    done = await attempt(deleted())
    if isinstance(done, Refusal):
        return await _page(request, collection_id, "programs", done)
    return redirect(request, f"{_HERE}?done=deleted")


HANDLERS = [curation, collection_list, create, collection_page, change, arrange, ask_delete, delete]
