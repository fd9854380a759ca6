"""The form of a program: from values to the texts of inputs, and from what was typed to values.

Values are those of the API's bodies, by JSON name. An input whose text is what the form began with keeps its value, however
the text would be read, so nothing changes that nobody touched.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

import msgspec

from api.editorial.schemas import EditorAnswer, ProgramPatch
from api.http.errors import Problem
from api.web.rendering.locales import Locale
from api.web.studio.editor.writing import spelling
from catalog.core.fields import camel
from catalog.programs.models import KINDS, MEDIA_TYPES
from catalog.programs.rules import FIELDS, MAX_PEOPLE
from catalog.review.states import LIVE
from catalog.taxonomy.models import PERSON_ROLES

Values = dict[str, object]
Typed = Mapping[str, str]
Reader = Callable[[Typed, ZoneInfo], object]
NAMES = tuple(map(camel, FIELDS))
# Rows for people beside those that there are.
_MORE_PEOPLE = 2
_TEXTS = ("title", "description", "language", "kind", "mediaType", "slug")
_OPTIONAL = ("mediaUrl", "thumbnailUrl")
_NUMBERS = ("season", "episode")
_MOMENTS = ("releaseDate", "expireAt")
_FLAGS = ("isFeatured", "isExplicit")


@dataclass(slots=True)
class Read:
    """What a form says.

    Attributes:
        values: The values by field.
        faults: Field -> the code of what is wrong with it, beside those in `values`.
    """

    values: Values = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)


def draft_of(answer: EditorAnswer) -> Values:
    """Return what somebody who goes on writing has before them: the program, with what waits of it."""
    program = answer.data
    found = {name: value for name, value in msgspec.to_builtins(program).items() if name in NAMES}
    found |= {
        "categoryId": program.category.id if program.category else None,
        "seriesId": program.series.id if program.series else None,
    }
    if answer.pending is not None and program.status in LIVE:
        found |= answer.pending.changes
    return _plain(found)


def etag_of(answer: EditorAnswer) -> str:
    """Return the ETag that saving what `draft_of` returned needs."""
    if answer.pending is not None and answer.data.status in LIVE:
        return f'"p{answer.pending.rev}"'
    return f'"{answer.data.rev}"'


def edition_of(answer: EditorAnswer) -> str:
    """Return what names the program and its pending revision as they are now, so that any change of either shows."""
    return f"{etag_of(answer)}/{answer.data.rev}"


def _plain(found: Mapping[str, object]) -> Values:
    plain: Values = msgspec.to_builtins(msgspec.convert(found, ProgramPatch))
    return plain


def sent(text: str) -> Values:
    """Return the values that a hidden field of a form has.

    Raises:
        Problem: They are no values of a program.
    """
    try:
        plain: Values = msgspec.to_builtins(msgspec.json.decode(text, type=ProgramPatch))
    except msgspec.DecodeError:
        raise Problem("bad_request", "The form cannot be read.") from None
    return plain


def blank(locale: Locale) -> Values:
    """Return what a new program begins with."""
    return {"language": locale.code, "kind": KINDS[0], "mediaType": MEDIA_TYPES[0]}


def inputs(values: Values, locale: Locale, zone: ZoneInfo) -> dict[str, str]:
    """Return the texts of the inputs that have these values, by the name of the input.

    Args:
        values: A field that is absent is blank.
        locale: The language of the page.
        zone: Where the clocks are that dates and times are shown by.
    """
    found = {name: _line(values.get(name)) for name in (*_TEXTS, *_OPTIONAL, *_NUMBERS)}
    found |= {name: _line(values.get(name)) for name in ("categoryId", "seriesId")}
    found |= {name: spelling.local(values.get(name), zone) for name in _MOMENTS}
    found |= {name: "on" if values.get(name) else "" for name in _FLAGS}
    found["durationSec"] = spelling.clock(values.get("durationSec"))
    found["tags"] = spelling.joined(_list(values, "tags"), "، " if locale.code == "ar" else ", ")
    found["zone"] = zone.key
    people = _people(values)
    for row, (name, role) in enumerate([*people, *[("", "")] * _MORE_PEOPLE][:MAX_PEOPLE]):
        found[f"person.{row}"], found[f"role.{row}"] = name, role or PERSON_ROLES[1]
    locked = _list(values, "lockedFields")
    return found | {f"lock.{name}": "on" if name in locked else "" for name in NAMES}


def _line(value: object) -> str:
    return "" if value is None else str(value).replace("\r\n", "\n")


def _list(values: Values, name: str) -> list[str]:
    found = values.get(name)
    return [str(item) for item in found] if isinstance(found, list) else []


def _people(values: Values) -> list[tuple[str, str]]:
    found = values.get("people")
    people = msgspec.convert(found or [], list[dict[str, str]])
    return [(person["name"], person["role"]) for person in people]


def rows(typed: Typed) -> int:
    """Return how many rows for people the inputs have."""
    return next(row for row in range(MAX_PEOPLE + 1) if f"person.{row}" not in typed or row == MAX_PEOPLE)


def _text(name: str) -> Reader:
    return lambda typed, _: typed.get(name, "")


def _optional(name: str) -> Reader:
    return lambda typed, _: typed.get(name, "").strip() or None


def _number(name: str) -> Reader:
    return lambda typed, _: spelling.number(typed.get(name, ""))


def _flag(name: str) -> Reader:
    return lambda typed, _: typed.get(name) == "on"


def _moment(name: str) -> Reader:
    return lambda typed, zone: spelling.moment(typed.get(name, ""), zone)


def _typed_people(typed: Typed, _: ZoneInfo) -> list[dict[str, str]]:
    named = [(typed.get(f"person.{n}", "").strip(), typed.get(f"role.{n}", "")) for n in range(MAX_PEOPLE)]
    return [{"name": name, "role": role} for name, role in named if name]


# Field -> its inputs, and what reads them. A reader raises ValueError.
_READERS: Mapping[str, tuple[list[str], Reader]] = {
    **{name: ([name], _text(name)) for name in _TEXTS},
    **{name: ([name], _optional(name)) for name in _OPTIONAL},
    **{name: ([name], _number(name)) for name in (*_NUMBERS, "categoryId")},
    **{name: ([name], _flag(name)) for name in _FLAGS},
    **{name: ([name, "zone"], _moment(name)) for name in _MOMENTS},
    "durationSec": (["durationSec"], lambda typed, _: spelling.seconds(typed.get("durationSec", ""))),
    "tags": (["tags"], lambda typed, _: spelling.names(typed.get("tags", ""))),
    "people": ([f"{part}.{n}" for n in range(MAX_PEOPLE) for part in ("person", "role")], _typed_people),
    "lockedFields": (
        [f"lock.{name}" for name in NAMES],
        lambda typed, _: [name for name in NAMES if typed.get(f"lock.{name}") == "on"],
    ),
}


def read(typed: Typed, base: Values, locale: Locale) -> Read:
    """Return what a form says. The series is left to `api.web.studio.editor.writing.series`.

    Args:
        typed: The fields of the form.
        base: The values that the form began with.
        locale: The language of the page.
    """
    found = Read(values=dict(base))
    texts = {name: text.replace("\r\n", "\n") for name, text in typed.items()}
    try:
        zone = spelling.zone(texts.get("zone", spelling.DEFAULT_ZONE).strip())
    except ValueError:
        found.faults["zone"] = "zone"
        return found
    began = inputs(base, locale, zone)
    for name, (parts, reader) in _READERS.items():
        if all(texts.get(part, "") == began.get(part, "") for part in parts):
            continue
        try:
            found.values[name] = reader(texts, zone)
        except ValueError:
            found.faults[name] = "invalid"
    return found


def taken(
    typed: Typed, base: Values, values: Values, now: Values, locale: Locale
) -> dict[str, dict[str, str]]:
    """Return the texts of the inputs of fields that a form left alone and that say something else now, by field.

    Args:
        typed: The fields of the form.
        base: The values that the form began with.
        values: What it said.
        now: The values that are there now.
        locale: The language of the page.
    """
    try:
        zone = spelling.zone(typed.get("zone", spelling.DEFAULT_ZONE).strip())
    except ValueError:
        return {}
    before, after = inputs(base, locale, zone), inputs(now, locale, zone)
    found = {}
    for name, (parts, _) in (*_READERS.items(), ("seriesId", (["seriesId"], None))):
        if values.get(name) == base.get(name):
            told = {part: after.get(part, "") for part in parts if part in before or part in after}
            if any(before.get(part, "") != text for part, text in told.items()):
                found[name] = told
    return found


def changed(values: Values, base: Values) -> Values:
    """Return the values that are not those of the base."""
    return {name: value for name, value in values.items() if name not in base or base[name] != value}
