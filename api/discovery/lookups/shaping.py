"""Answers in the shape that a client asks for: only some fields (`fields`), or more about what belongs to a program (`include`).

They are made of the plain answers, whose cached bytes stay the same for everybody.
"""

from collections.abc import Collection
from dataclasses import replace

import msgspec
from msgspec import UNSET, UnsetType

from api.answers.answer import Answer
from api.discovery.lookups.taxonomy import Taxonomy
from api.discovery.schemas import CategoryItem, SeriesDetail
from api.http.schemas import Model, ProgramData

INCLUDED = ("series", "category")
_encode = msgspec.json.Encoder().encode
# The parts of an answer that have programs.
_PROGRAMS = ("data", "programs")


class Included(Model):
    """What belongs to a program, as far as it was asked for; null when the program has none."""

    series: SeriesDetail | UnsetType | None = UNSET
    category: CategoryItem | UnsetType | None = UNSET


class LookupAnswer(ProgramData):
    """A program. `included` is only there where `include` asks for it."""

    included: Included | UnsetType = UNSET


def trimmed(answer: Answer, fields: Collection[str]) -> Answer:
    """Return an answer whose programs have only these fields, and their ids; without fields, the answer as it is.

    Args:
        answer: An answer with programs under `data` or `programs`.
        fields: Names as JSON has them.
    """
    if not fields or answer.status != 200:
        return answer
    kept = {"id", *fields}
    document = msgspec.json.decode(answer.body, type=dict[str, object])
    for name in _PROGRAMS:
        programs = document.get(name)
        if isinstance(programs, list):
            document[name] = [_trimmed(program, kept) for program in programs]
    if "programs" not in document and isinstance(document.get("data"), dict):
        document["data"] = _trimmed(document["data"], kept)
    return replace(answer, body=_encode(document))


def _trimmed(program: object, kept: Collection[str]) -> object:
    if not isinstance(program, dict):
        return program
    return {name: value for name, value in program.items() if name in kept}


async def shaped(
    answer: Answer, fields: Collection[str], include: Collection[str], taxonomy: Taxonomy
) -> Answer:
    """Return the answer of a lookup in another shape.

    Args:
        answer: A program.
        fields: The fields to keep; none keeps all.
        include: What else to tell, of `INCLUDED`.
        taxonomy: Knows series and categories.

    Raises:
        DBAPIError: PostgreSQL does not answer, or not in time.
        sqlalchemy.exc.TimeoutError: No connection became free.
    """
    program = msgspec.json.decode(answer.body, type=ProgramData).data
    included, ids, max_ttl = Included(), dict.fromkeys(answer.ids), answer.max_ttl
    if "series" in include:
        found = None if program.series is None else await taxonomy.about_series(program.series.id)
        included.series = None if found is None else found.data
        ids |= dict.fromkeys(() if found is None else (found.program_id,))
    if "category" in include:
        shelf = program.category
        items, visible = await taxonomy.listed_categories()
        place = next((n for n, item in enumerate(items) if shelf is not None and item.id == shelf.id), None)
        included.category = None if place is None else items[place]
        ids |= dict.fromkeys(() if place is None else (visible[place],))
    body = _encode(LookupAnswer(data=program, included=included if include else UNSET))
    return trimmed(Answer(body, ids=tuple(ids), max_ttl=max_ttl), fields)
