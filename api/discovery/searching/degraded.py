"""Answers from PostgreSQL, which say so. `service` and `suggestions` give them when no engine answers."""

import msgspec

from api.answers.answer import Answer
from api.discovery import schemas
from api.discovery.searching.fallback import KEPT_SECONDS

_encode = msgspec.json.Encoder().encode


def degraded(
    answer: schemas.SearchAnswer | schemas.BrowseAnswer | schemas.SuggestAnswer,
    *,
    facets: bool = False,
    highlight: bool = False,
    operators: bool = False,
    names: bool = False,
    note: str = "",
) -> Answer:
    """Return an answer from PostgreSQL, marked as degraded, with the names of the missing parts. It is cached briefly.

    Args:
        answer: What PostgreSQL found.
        facets: Facets were asked for.
        highlight: Highlights were asked for.
        operators: The query excludes words.
        names: Series or people were asked for under filters.
        note: What is counted when the answer is given.
    """
    meta = answer.meta
    meta.degraded = True
    requested = (("facets", facets), ("highlight", highlight), ("operators", operators), ("names", names))
    meta.unavailable = [name for name, is_requested in requested if is_requested]
    if facets and not isinstance(answer, schemas.SuggestAnswer):
        answer.facets = {}
    # Offers of people and tags have no program's id.
    ids = tuple(row.id for row in answer.data if row.id is not None and _is_program(row))
    return Answer(_encode(answer), ids=ids, max_ttl=KEPT_SECONDS, note=note)


def _is_program(row: schemas.ProgramCard | schemas.Suggestion) -> bool:
    return isinstance(row, schemas.ProgramCard) or row.type == "program"
