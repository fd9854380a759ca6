"""Pages of pins: programs at places of a query's results, tried side by side before they are saved."""

from collections.abc import Mapping
from zoneinfo import ZoneInfo

from litestar import Response, get, post

from api.editorial.curation import history, pins
from api.editorial.curation.schemas import PinAnswer, PinIn, PinList, PinOut, PinPatch
from api.editorial.schemas import AuditList
from api.http.auth import REVIEWERS
from api.http.parameters import Id
from api.http.query import MAX_VALUE
from api.web.signin.asking import ask, call
from api.web.signin.staff import StaffRequest, redirect
from api.web.studio import picking, zones
from api.web.studio.curation.trying import ROWS, as_text, placed, tried
from api.web.studio.given import Refusal, WrongField, attempt, behind, moment, number, send, typed
from api.web.studio.overwriting import OVER, Newer, newer, rev_of
from api.web.studio.showing import show

_HERE = "/studio/curation/pins"
_PINS, _EVENTS, _LAST_PLACE = 50, 20, 50
Form = dict[str, str]


@get("/curation/pins")
async def pin_list(request: StaffRequest) -> Response[bytes]:
    """Return the pins."""
    words = request.query_params.get("q", "")[:MAX_VALUE]
    found = await ask(request, pins.list_pins, PinList, after=behind(request), limit=_PINS, q=words or None)
    context = {"rows": found.data, "next": found.meta.next_cursor, "q": words}
    return show(request, "pins.html", context)


def _filled(pin: PinOut, zone: ZoneInfo) -> Form:
    """Return a pin as the fields of its form.

    Args:
        pin: The pin.
        zone: The time zone of its moments.
    """
    found = {
        "query": pin.query,
        "startsAt": typed(pin.starts_at, zone),
        "endsAt": typed(pin.ends_at, zone),
        "rev": str(pin.rev),
        "tz": zone.key,
    }
    for n, program in enumerate(pin.programs, 1):
        found |= {
            f"program-{n}": str(program.id),
            f"place-{n}": str(program.place),
            f"title-{n}": program.title,
        }
    return found


async def _page(
    request: StaffRequest, pin_id: int | None, sent: Form, refused: Refusal | None = None
) -> Response[bytes]:
    """Return the form of a pin, with what it would change.

    Args:
        request: Who asks.
        pin_id: The pin; None: a new one.
        sent: The fields of the form.
        refused: Why it was not saved.
    """
    events = []
    if pin_id is not None:
        found = await ask(request, history.pin_audit, AuditList, pin_id=pin_id, limit=_EVENTS)
        events = found.data
    preview = None
    if refused is None:
        answer = await attempt(_try(request, pin_id, sent))
        refused, preview = (answer, None) if isinstance(answer, Refusal) else (None, answer)
    rows = [n for n in range(1, ROWS + 1) if sent.get(f"program-{n}")]
    free = [n for n in range(1, ROWS + 1) if n not in rows][:1]
    context = {
        "pin_id": pin_id,
        "here": f"{_HERE}/{pin_id or 'new'}",
        "rows": sorted([*rows, *free]),
        "sent": sent,
        "offers": await picking.find(request, sent.get("words", "")),
        "preview": preview,
        "away": preview is None and refused is None and bool(sent.get("query", "").strip()),
        "events": events,
        "zone": zones.of_form(request, sent).key,
        "newer": await _newer(request, pin_id, sent, refused),
    }
    return show(request, "pin.html", context, refused=refused)


def _shown(form: Mapping[str, str]) -> dict[str, object]:
    """Return the fields of a form as a history shows them."""
    found: dict[str, object] = {name: form.get(name, "").strip() for name in ("query", "startsAt", "endsAt")}
    rows = ((form.get(f"program-{n}", ""), form.get(f"place-{n}", "")) for n in range(1, ROWS + 1))
    pinned = sorted((place, program) for program, place in rows if program)
    return found | {"programs": [{"place": place, "programId": program} for place, program in pinned]}


async def _newer(
    request: StaffRequest, pin_id: int | None, sent: Form, refused: Refusal | None
) -> Newer | None:
    """Return what somebody else has changed meanwhile, if the form was refused for that.

    Args:
        request: Who asks.
        pin_id: The pin; None: a new one.
        sent: The fields of the form.
        refused: Why it was not saved.
    """
    if pin_id is None or refused is None:
        return None
    pin = (await ask(request, pins.get_pin, PinAnswer, pin_id=pin_id)).data
    now = _filled(pin, zones.of_form(request, sent))
    return newer(refused, pin.rev, _shown(now), _shown(sent))


async def _try(request: StaffRequest, pin_id: int | None, sent: Form) -> object:
    return await tried(request, sent.get("query", ""), pins=as_text(placed(sent)), pin_id=pin_id)


@get("/curation/pins/new")
async def new_pin(request: StaffRequest) -> Response[bytes]:
    """Return the form of a new pin; the address may name its query."""
    return await _page(request, None, {"query": request.query_params.get("query", "")[:MAX_VALUE]})


@get("/curation/pins/{pin_id:int}")
async def pin_page(request: StaffRequest, pin_id: Id) -> Response[bytes]:
    """Return the form of a pin."""
    pin = (await ask(request, pins.get_pin, PinAnswer, pin_id=pin_id)).data
    return await _page(request, pin_id, _filled(pin, zones.remembered(request)))


def _with(sent: Form, program_id: int, title: str) -> Form:
    """Return the form with one more program, at the first place that is free.

    Args:
        sent: The form.
        program_id: The program.
        title: The title of the program.

    Raises:
        WrongField: The form has as many programs as a pin may have.
    """
    row = next((n for n in range(1, ROWS + 1) if not sent.get(f"program-{n}")), None)
    if row is None:
        raise WrongField("programs", f"A pin has {ROWS} programs at most. Take another one out first.")
    taken = {sent.get(f"place-{n}", "") for n in range(1, ROWS + 1)}
    place = next(place for place in range(1, _LAST_PLACE + 1) if str(place) not in taken)
    return sent | {f"program-{row}": str(program_id), f"place-{row}": str(place), f"title-{row}": title}


async def _sent(request: StaffRequest, pin_id: int | None) -> Response[bytes]:
    """Do what the pressed button says: save the pin, or show the form again with something added or taken away."""
    sent = dict(request.sent)
    step, _, text = sent.get("do", "").partition(":")
    if step == "add":
        offers = await picking.find(request, sent.get("words", ""))
        titles = {str(one.id): one.title for one in offers}
        added = number(text, "programs")
        if not added:
            return await _page(request, pin_id, sent)
        try:
            return await _page(request, pin_id, _with(sent, added, titles.get(text, "")))
        except WrongField as full:
            refused = Refusal(full.status, full.code, full.detail, full.errors)
            return await _page(request, pin_id, sent, refused)
    if step == "out":
        kept = {name: value for name, value in sent.items() if name.rpartition("-")[2] != text}
        return await _page(request, pin_id, kept)
    if step != "save" and not sent.get(OVER):
        return await _page(request, pin_id, sent)
    saved = await _saved(request, pin_id, sent)
    if isinstance(saved, Refusal):
        return await _page(request, pin_id, sent, saved)
    done = "created" if pin_id is None else "changed"
    return redirect(request, f"{_HERE}/{saved.data.id}?done={done}")


async def _saved(request: StaffRequest, pin_id: int | None, sent: Mapping[str, str]) -> PinAnswer | Refusal:
    zone = zones.of_form(request, sent)

    def values() -> dict[str, object]:
        programs = [{"programId": one.program_id, "place": one.place} for one in placed(sent)]
        times = {name: moment(sent.get(name, ""), name, zone) for name in ("startsAt", "endsAt")}
        return {"query": sent.get("query", "").strip(), "programs": programs, **times}

    if pin_id is None:
        return await send(request, pins.create_pin, PinAnswer, PinIn, values)
    rev = rev_of(sent)
    return await send(request, pins.edit_pin, PinAnswer, PinPatch, values, pin_id=pin_id, if_match=rev)


@post("/curation/pins/new")
async def write_new(request: StaffRequest) -> Response[bytes]:
    """Try or save a new pin."""
    return await _sent(request, None)


@post("/curation/pins/{pin_id:int}")
async def write(request: StaffRequest, pin_id: Id) -> Response[bytes]:
    """Try or save a pin."""
    return await _sent(request, pin_id)


@get("/curation/pins/{pin_id:int}/delete", opt={"roles": REVIEWERS})
async def ask_delete(request: StaffRequest, pin_id: Id) -> Response[bytes]:
    """Ask whether to delete a pin."""
    pin = (await ask(request, pins.get_pin, PinAnswer, pin_id=pin_id)).data
    context = {
        "title": pin.query,
        "says": "pin",
        "number": len(pin.programs),
        "rev": pin.rev,
        "here": f"{_HERE}/{pin_id}",
    }
    return show(request, "curation_step.html", context)


@post("/curation/pins/{pin_id:int}/delete", opt={"roles": REVIEWERS})
async def delete(request: StaffRequest, pin_id: Id) -> Response[bytes]:
    """Delete a pin."""
    rev = rev_of(request.sent)
    done = await attempt(call(request, pins.delete_pin, pin_id=pin_id, if_match=rev))
    if isinstance(done, Refusal):
        pin = (await ask(request, pins.get_pin, PinAnswer, pin_id=pin_id)).data
        return await _page(request, pin_id, _filled(pin, zones.remembered(request)), done)
    return redirect(request, f"{_HERE}?done=deleted")


HANDLERS = [pin_list, new_pin, pin_page, write_new, write, ask_delete, delete]
