"""What people give in forms of the studio: their fields as the API's values, and what the API refuses, beside the fields."""

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar
from zoneinfo import ZoneInfo

import msgspec
from litestar.handlers import HTTPRouteHandler

from api.http.error_handlers import problem_of
from api.http.errors import InvalidParameter, Problem
from api.http.query import MAX_ID
from api.web.signin.asking import ask
from api.web.signin.staff import StaffRequest
from api.web.studio.editor.writing import spelling
from catalog.core.errors import CatalogError, FieldError

Shape = TypeVar("Shape")
# Of refusals that a form can show; every other one is a page of its own.
_SHOWN = frozenset({400, 403, 409, 412, 413, 422, 428})
_LONGEST_KEY = 64
_FIRST_YEAR, _LAST_YEAR = 1900, 2999
_NO_MOMENT = "Must be a date and a time such as 2026-11-27T20:00."


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a form was not taken: the API's code, its sentence, and what is wrong with each field."""

    status: int
    code: str
    detail: str
    errors: list[FieldError] = field(default_factory=list)

    def of(self, name: str) -> list[FieldError]:
        """Return what is wrong with a field, or with a part of it."""
        return [e for e in self.errors if e.field == name or e.field.startswith((f"{name}[", f"{name}."))]

    def elsewhere(self, names: list[str]) -> list[FieldError]:
        """Return what is wrong with anything but these fields."""
        told = [error for name in names for error in self.of(name)]
        return [error for error in self.errors if error not in told]


class WrongField(Problem):
    """A field of a form is wrong."""

    def __init__(self, name: str, message: str) -> None:
        """Name the field, and say what it must be."""
        super().__init__("validation_failed", message, errors=[FieldError(name, "invalid", message)])


async def attempt(asked: Awaitable[Shape]) -> Shape | Refusal:
    """Return what a route answers, or why it refuses.

    Raises:
        Problem: It refuses for a reason that has a page of its own, as has every error of the catalogue of that kind.
    """
    try:
        return await asked
    except (CatalogError, Problem) as error:
        problem = problem_of(error) if isinstance(error, CatalogError) else error
        if problem.status not in _SHOWN:
            raise problem from error
        return Refusal(problem.status, problem.code, problem.detail, problem.errors)


async def send(
    request: StaffRequest,
    route: HTTPRouteHandler,
    shape: type[Shape],
    body: type[msgspec.Struct],
    values: Callable[[], Mapping[str, object]],
    **given: object,
) -> Shape | Refusal:
    """Send what a form says to a route; return its answer, or why it refuses.

    Args:
        request: Who sends it.
        route: A handler of `api.editorial`.
        shape: The type of its answer.
        body: The type of its body.
        values: Makes the body's fields, by JSON name, of the form.
        **given: The parameters of the route.
    """

    async def asked() -> Shape:
        return await ask(request, route, shape, data=convert(body, values()), **given)

    return await attempt(asked())


def convert(body: type[Shape], values: Mapping[str, object]) -> Shape:
    """Return a body, checked as that of a request is.

    Raises:
        Problem: A field has not the type or the length that it must have.
    """
    try:
        return msgspec.convert(dict(values), body)
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at `$.")
        errors = [FieldError(path.rstrip("`"), "invalid", message)]
        raise Problem("validation_failed", message, errors=errors) from None


def number(text: str, name: str) -> int | None:
    """Return a whole number, in the digits of any script; None for nothing.

    Args:
        text: What was typed.
        name: The field.

    Raises:
        WrongField: It is no whole number from 0 to the largest id.
    """
    text = text.strip()
    if not text:
        return None
    if not text.isdecimal() or len(text) > 18 or int(text) > MAX_ID:
        raise WrongField(name, "Must be a whole number.")
    return int(text)


def moment(text: str, name: str, zone: ZoneInfo) -> datetime | None:
    """Return a moment that was typed in a time zone; None for nothing.

    Args:
        text: As `<input type="datetime-local">` sends it.
        name: The field.
        zone: The time zone.

    Raises:
        WrongField: It is no date with a time.
    """
    try:
        found = spelling.moment(text, zone)
    except ValueError:
        raise WrongField(name, _NO_MOMENT) from None
    at = datetime.fromisoformat(found) if found is not None else None
    if at is not None and not _FIRST_YEAR <= at.year <= _LAST_YEAR:
        raise WrongField(name, _NO_MOMENT)
    return at


def typed(at: datetime | None, zone: ZoneInfo) -> str:
    """Return a moment as `<input type="datetime-local">` shows it, with all that it says; nothing for None.

    Args:
        at: The moment.
        zone: The time zone of the form.
    """
    if at is None:
        return ""
    precision = "milliseconds" if at.microsecond else "seconds" if at.second else "minutes"
    return at.astimezone(zone).replace(tzinfo=None).isoformat(timespec=precision)


def listed(text: str) -> list[str]:
    """Return the parts of a list that was typed with commas of any script, or in lines."""
    return [part for raw in text.replace("،", ",").replace("\n", ",").split(",") if (part := raw.strip())]


def as_lines(form: Mapping[str, str]) -> dict[str, str]:
    """Return the fields of a form with ends of lines as they are stored: a browser ends lines as HTTP does."""
    return {name: text.replace("\r\n", "\n") for name, text in form.items()}


async def once(request: StaffRequest) -> str | None:
    """Return the idempotency key of a form: the same form, sent twice, creates one thing. None without one."""
    key = request.sent.get("once")
    if not key:
        return None
    return f"{key[:_LONGEST_KEY]}-{hashlib.sha256(await request.body()).hexdigest()[:32]}"


def behind(request: StaffRequest, name: str = "after") -> int:
    """Return where a page of a list begins.

    Args:
        request: Names it in its query string.
        name: The parameter.

    Raises:
        InvalidParameter: It is no whole number.
    """
    text = request.query_params.get(name, "")
    if not text:
        return 0
    if not (text.isascii() and text.isdigit()) or len(text) > 18 or int(text) > MAX_ID:
        raise InvalidParameter(name, "Must be a whole number.")
    return int(text)


def asked_for(request: StaffRequest, name: str, words: tuple[str, ...]) -> str:
    """Return a word of the query string; nothing when it is none of a few.

    Args:
        request: Has the query string.
        name: The parameter.
        words: What it may be.
    """
    found = request.query_params.get(name, "")
    return found if found in words else ""
