"""One step with many programs: the page that asks once, and the page with the outcome of each program."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from litestar import Response, get, post
from sqlalchemy import RowMapping

from api.editorial import bulk, taxonomy
from api.editorial.rights import rights_of
from api.editorial.schemas import BulkAnswer
from api.editorial.taxonomy_schemas import CategoryAnswer
from api.http import transaction
from api.http.errors import InvalidParameter, Problem
from api.web.signin.asking import ask
from api.web.signin.staff import StaffRequest, page
from api.web.studio import zones
from api.web.studio.listing import steps
from api.web.studio.listing.address import PROGRAMS, TRASH, of_query
from api.web.studio.listing.programs import categories, name_of
from api.web.studio.listing.undoing import undoing
from catalog.core.errors import FieldError, NotFound
from catalog.core.text import has_control_characters
from catalog.programs import queries
from catalog.review.states import DELETED, PROGRAM

_HERE = "/studio/programs/do"
_FILLED = ("list", "behind", "tz", steps.TAGS, steps.CATEGORY, steps.AT)
_LISTS = {False: PROGRAMS, True: TRASH}
# The longest key of a form that is taken once.
_KEY = 64


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a form asks for: a step, programs with the revisions that were read, what was filled in, and the list behind it."""

    step: str
    programs: Mapping[int, int]
    fields: Mapping[str, str]
    zone: ZoneInfo
    back: str

    def again(self, request: StaffRequest) -> str | None:
        """Return where the page that asks is found again: after its form was sent, at the same question with what was filled in."""
        if request.method == "GET":
            return None
        filled = {name: self.fields[name] for name in _FILLED if self.fields.get(name)}
        ids = [f"{number}:{rev}" for number, rev in self.programs.items()]
        return f"{_HERE}?{urlencode({'step': self.step, 'id': ids, **filled}, doseq=True)}"


@dataclass(frozen=True, slots=True)
class _Row:
    """A program of a step: its record (None: there is none), and why the step will be refused (a text), if that is known."""

    id: int
    record: RowMapping | None
    warning: str = ""


def _asked(request: StaffRequest, fields: Mapping[str, str], ids: Sequence[str]) -> _Asked:
    """Read a form.

    Args:
        request: Of the form.
        fields: Its fields.
        ids: Its fields `id`.

    Raises:
        InvalidParameter: The step is none, or a program or the time zone is wrong.
        Problem: The person may not take the step.
    """
    name = fields.get("step", "")
    if name not in steps.STEPS:
        raise InvalidParameter("step", f"Must be one of {', '.join(steps.STEPS)}.")
    step = steps.STEPS[name]
    if step.of_reviewers and not rights_of(request).may_publish:
        raise Problem("forbidden", "Only reviewers may do this.")
    # A delete is taken back from the list of programs.
    trashed = step.of_trash and fields.get("behind") != "programs"
    back = of_query(request, _LISTS[trashed], fields.get("list", ""), trashed=trashed)
    # The list has its own zone, or the remembered one.
    zone = zones.decided(request, fields.get("tz", ""), back.zone.key)
    return _Asked(name, steps.chosen(ids), fields, zone, back.path + back.query_string())


async def _records(request: StaffRequest, ids: Sequence[int]) -> dict[int, RowMapping]:
    found = await transaction.read(
        request, lambda s: s.execute(queries.BY_IDS, {"ids": list(ids)}).mappings().all()
    )
    return {row["id"]: row for row in found}


def _rows(asked: _Asked, records: Mapping[int, RowMapping]) -> list[_Row]:
    """Return the programs in the order of the list, with what speaks against the step."""
    found = []
    for number, rev in asked.programs.items():
        record, warning = records.get(number), ""
        if record is None:
            warning = "bulk_refusal.not_found"
        elif asked.step in PROGRAM and _state(record) not in PROGRAM[asked.step].sources:
            warning = "bulk_refusal.illegal_transition"
        elif record["rev"] != rev and record["deleted_at"] is None:
            warning = "bulk_refusal.stale_revision"
        found.append(_Row(number, record, warning))
    return found


def _state(record: RowMapping) -> str:
    return DELETED if record["deleted_at"] is not None else record["status"]


@get("/programs/do")
async def ask_once(request: StaffRequest) -> Response[bytes]:
    """Say what a step will do to which programs, and ask whether to do it."""
    sent = request.query_params
    fields = {name: value for name, value in sent.multi_items() if not has_control_characters(value)}
    asked = _asked(request, fields, sent.getall("id", []))
    return await _question(request, asked, 200 if asked.programs else 400)


async def _question(
    request: StaffRequest, asked: _Asked, status: int, errors: Sequence[FieldError] = ()
) -> Response[bytes]:
    """Return the page that asks.

    Args:
        request: Of the page.
        asked: What is asked for.
        status: The status of the answer.
        errors: What was wrong with what was filled in.
    """
    at = asked.fields.get(steps.AT, "")
    moment = steps.moment(at, asked.zone)
    context = {
        "asked": asked,
        "step": steps.STEPS[asked.step],
        "rows": _rows(asked, await _records(request, [*asked.programs])),
        "errors": {error.field: error.code for error in errors},
        # A time with an offset comes from a step that is taken back: it stays exactly as it is.
        "exactly": moment if moment is not None and datetime.fromisoformat(at).tzinfo is not None else None,
        "categories": await _categories(request, asked),
        "no_category": steps.NO_CATEGORY,
        "zones": zones.offered(asked.zone),
        "once": secrets.token_urlsafe(16),
    }
    return page(request, "studio/listing/ask.html", context, status=status, again=asked.again(request))


async def _categories(request: StaffRequest, asked: _Asked) -> dict[str, str]:
    """Return the names of categories to choose from, by id; the one that is asked for is among them, if there is one."""
    if steps.STEPS[asked.step].field != steps.CATEGORY:
        return {}
    code = request.locale.code
    found = {str(one.id): name_of(one, code) for one in await categories(request)}
    wanted = asked.fields.get(steps.CATEGORY, "")
    if wanted not in found:
        try:
            number = steps.category(wanted)
            if number is not None:
                more = await ask(request, taxonomy.get_category, CategoryAnswer, category_id=number)
                found[str(number)] = name_of(more.data, code)
        except (NotFound, Problem):
            pass
    return found


@post("/programs/do", opt={"again": PROGRAMS})
async def act(request: StaffRequest) -> Response[bytes]:
    """Take the step, and say what became of each program. The same form is taken once.

    Raises:
        Problem: The step is refused as a whole.
    """
    form = request.sent
    asked = _asked(request, form, form.every("id"))
    if not asked.programs:
        return await _question(request, asked, 400)
    try:
        data = steps.body(asked.step, asked.programs, asked.fields, asked.zone)
        key = form.get("once", "")[:_KEY] or None
        answer = await ask(request, bulk.bulk, BulkAnswer, data=data, idempotency_key=key)
    except Problem as problem:
        if problem.code != "validation_failed":
            raise
        return await _question(request, asked, problem.status, problem.errors)
    records = await _records(request, [*asked.programs])
    planned = {number: row["scheduled_publish_at"] for number, row in records.items()}
    undo, without = undoing(asked.step, answer.data, planned)
    context = {
        "asked": asked,
        "answer": answer,
        "records": records,
        "undo": undo,
        "without": without,
        "filters": asked.back.partition("?")[2],
    }
    return page(request, "studio/listing/outcome.html", context, again=asked.back)


HANDLERS = [ask_once, act]
