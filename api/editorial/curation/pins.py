"""Editors' routes for pins. Every pin is seen by listeners at its time, so only reviewers write them."""

from collections.abc import Sequence
from itertools import groupby
from typing import cast

from litestar import delete, get, patch, post
from litestar.params import JSONBody
from msgspec import UNSET
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.editorial.curation import schemas
from api.http import idempotent, transaction
from api.http.auth import EDITORS, REVIEWERS
from api.http.parameters import AfterId, Id, IfMatch, Limit, NamePrefix, OnceKey
from api.http.query import DEFAULT_LIMIT
from api.http.reply import JsonResponse, etag_of
from api.http.request import ApiRequest, actor_of, expected_rev
from api.http.schemas import sent_fields
from catalog.core.errors import NotFound
from catalog.curation import pins, queries
from catalog.curation.models import Pin
from catalog.curation.pins import Placed

Answer = JsonResponse[schemas.PinAnswer]
_ONE = "/pins/{pin_id:int}"


def _shown(session: Session, rows: Sequence[Pin]) -> list[schemas.PinOut]:
    """Return pins as editors see them, with their programs."""
    found = session.execute(queries.pinned_programs([row.id for row in rows])).mappings()
    programs = {
        pin_id: [
            schemas.PinnedProgram(**{name: row[name] for name in schemas.PinnedProgram.__struct_fields__})
            for row in group
        ]
        for pin_id, group in groupby(found, key=lambda row: cast("int", row["pin_id"]))
    }
    return [schemas.pin_out(row, programs.get(row.id, [])) for row in rows]


def _read(session: Session, pin_id: int) -> schemas.PinAnswer:
    row = session.get(Pin, pin_id)
    if row is None:
        raise NotFound("pin", pin_id)
    return schemas.PinAnswer(data=_shown(session, [row])[0])


def _answer(found: schemas.PinAnswer) -> Answer:
    return JsonResponse(found, etag=etag_of(found.data.rev))


def _placed(programs: Sequence[schemas.PinnedIn]) -> list[Placed]:
    return [Placed(each.program_id, each.place) for each in programs]


@get("/pins", summary="List pins", opt={"roles": EDITORS})
async def list_pins(
    request: ApiRequest, after: AfterId = 0, limit: Limit = DEFAULT_LIMIT, q: NamePrefix = None
) -> JsonResponse[schemas.PinList]:
    """List pins by id, those that have ended too; `q` is how the query begins, in any spelling."""
    statement = select(Pin).where(Pin.id > after).order_by(Pin.id)
    if q:
        statement = statement.where(Pin.folded.startswith(pins.folded(q), autoescape=True))
    rows, meta = await transaction.page(request, statement, limit)
    shown = await transaction.read(request, lambda s: _shown(s, rows))
    return JsonResponse(schemas.PinList(data=shown, meta=meta))


@post(
    "/pins",
    summary="Pin programs to a query",
    description="Listeners who search for the query in any spelling, in the order of relevance, find the programs at these "
    "places, unless a filter excludes them or they are not published.",
    opt={"roles": REVIEWERS, "errors": ("conflict",)},
)
async def create_pin(
    request: ApiRequest, data: JSONBody[schemas.PinIn], idempotency_key: OnceKey = None
) -> Answer:
    """Create a pin."""
    values, placed, actor = sent_fields(data), _placed(data.programs), actor_of(request)
    del values["programs"]

    def work(session: Session) -> idempotent.Created[schemas.PinAnswer]:
        row = pins.create(session, values, placed, actor)
        return idempotent.Created(_read(session, row.id), f"/catalog/pins/{row.id}", etag_of(row.rev))

    return await idempotent.create(request, idempotency_key, work)


@get(_ONE, summary="One pin", opt={"roles": EDITORS, "errors": ("not_found",)})
async def get_pin(request: ApiRequest, pin_id: Id) -> Answer:
    """Return a pin with its programs in any state."""
    return _answer(await transaction.read(request, lambda s: _read(s, pin_id)))


@patch(
    _ONE,
    summary="Change a pin",
    description="`programs` names all its programs; others are unpinned.",
    opt={"roles": REVIEWERS, "errors": ("not_found",)},
)
async def edit_pin(
    request: ApiRequest, pin_id: Id, data: JSONBody[schemas.PinPatch], if_match: IfMatch = None
) -> Answer:
    """Change the fields that the body has."""
    values, actor, rev = sent_fields(data), actor_of(request), expected_rev(if_match)
    values.pop("programs", None)
    placed = None if data.programs is UNSET else _placed(data.programs)

    def work(session: Session) -> schemas.PinAnswer:
        pins.edit(session, pin_id, values, placed, actor, expected_rev=rev)
        return _read(session, pin_id)

    return _answer(await transaction.write(request, work))


@delete(
    _ONE,
    summary="Delete a pin",
    description="Its programs stay, where relevance puts them.",
    opt={"roles": REVIEWERS, "errors": ("not_found",)},
)
async def delete_pin(request: ApiRequest, pin_id: Id, if_match: IfMatch = None) -> None:
    """Delete a pin."""
    actor, rev = actor_of(request), expected_rev(if_match)
    await transaction.write(request, lambda s: pins.delete(s, pin_id, actor, expected_rev=rev))


HANDLERS = [list_pins, create_pin, get_pin, edit_pin, delete_pin]
