"""The editors' route that says what listeners would find."""

from typing import Annotated

from litestar import get
from litestar.openapi.spec import Example
from litestar.params import QueryParameter
from sqlalchemy.orm import Session

from api.http import transaction
from api.http.auth import EDITORS
from api.http.errors import InvalidParameter
from api.http.parameters import Limit
from api.http.query import DEFAULT_LIMIT, MAX_ID
from api.http.reply import JsonResponse
from api.http.request import ApiRequest
from api.http.schemas import PreviewAnswer
from catalog.curation.expansions import Replaced, Rule, words_of
from catalog.curation.models import Synonym
from catalog.curation.pins import MAX_PLACE, MAX_PROGRAMS, MAX_QUERY
from catalog.curation.synonyms import MAX_TERM, MAX_TERMS, MAX_WORDS

_LONGEST = MAX_TERMS * (MAX_TERM + 1)
Query = Annotated[
    str,
    QueryParameter(
        name="q", max_length=MAX_QUERY, description="The query.", examples=[Example(value="قهوة")]
    ),
]
Pins = Annotated[
    str | None,
    QueryParameter(
        name="pins",
        max_length=MAX_PROGRAMS * 20,
        description="Pins to try: programs and their places, separated by commas.",
        examples=[Example(value="12:1,7:3")],
    ),
]
Terms = Annotated[
    str | None,
    QueryParameter(
        name="terms",
        max_length=_LONGEST,
        description="A synonym to try: its words or phrases, separated by commas. Two-way without `finds`.",
        examples=[Example(value="قهوة,coffee")],
    ),
]
Finds = Annotated[
    str | None,
    QueryParameter(
        name="finds",
        max_length=_LONGEST,
        description="What each of `terms` finds, too: a synonym of one way.",
        examples=[Example(value="espresso")],
    ),
]


PinId = Annotated[
    int | None,
    QueryParameter(
        name="pinId", ge=1, le=MAX_ID, description="A stored pin that `pins` replaces: `after` is without it."
    ),
]
SynonymId = Annotated[
    int | None,
    QueryParameter(
        name="synonymId",
        ge=1,
        le=MAX_ID,
        description="A stored synonym that `terms` replace: `after` is without it.",
    ),
]


def require_words(q: str) -> None:
    """Check that a query has words.

    Raises:
        InvalidParameter: It has none.
    """
    if not words_of(q):
        raise InvalidParameter("q", "Needs a letter or a digit.")


def _places(text: str | None) -> dict[int, int]:
    """Return program -> place.

    Raises:
        InvalidParameter: The text is no list of programs and places.
    """
    found: dict[int, int] = {}
    for part in text.split(",") if text else ():
        program, _, place = part.strip().partition(":")
        if not (program.isascii() and program.isdigit() and place.isascii() and place.isdigit()):
            raise InvalidParameter("pins", "Must be programs and places such as 12:1,7:3.")
        if len(program) > 16 or not 1 <= int(program) <= MAX_ID or len(place) > 3:
            raise InvalidParameter("pins", "Must be programs and places such as 12:1,7:3.")
        if not 1 <= int(place) <= MAX_PLACE:
            raise InvalidParameter("pins", f"Places are from 1 to {MAX_PLACE}.")
        if int(program) in found or int(place) in found.values():
            raise InvalidParameter("pins", "A program or a place is named twice.")
        found[int(program)] = int(place)
    if len(found) > MAX_PROGRAMS:
        raise InvalidParameter("pins", f"At most {MAX_PROGRAMS} programs.")
    return found


def _listed(name: str, text: str | None) -> list[str]:
    """Return the words and phrases in a list.

    Raises:
        InvalidParameter: There are too many, or one is too long or has no words.
    """
    found = [part.strip() for part in text.split(",")] if text else []
    if len(found) > MAX_TERMS:
        raise InvalidParameter(name, f"At most {MAX_TERMS}.")
    if not all(1 <= len(words_of(part)) <= MAX_WORDS and len(part) <= MAX_TERM for part in found):
        raise InvalidParameter(name, f"Each needs one to {MAX_WORDS} words, {MAX_TERM} characters at most.")
    return found


async def _stored(request: ApiRequest, synonym_id: int) -> Rule | None:
    """Return a synonym; None when there is none."""

    def work(session: Session) -> Rule | None:
        row = session.get(Synonym, synonym_id)
        return Rule(row.kind, row.terms, row.finds) if row is not None else None

    return await transaction.read(request, work)


@get(
    "/curation/preview",
    operation_id="previewCuration",
    summary="What a query finds before and after curation",
    description="The first page without pins and synonyms, and with those in force at this moment. `pins` tries further pins, "
    "`terms` (with `finds`: one way) a synonym; nothing of it is stored. `pinId` and `synonymId` name what is tried anew: `after` is without the stored one. The order of what a tried synonym finds is approximate.",
    opt={"roles": EDITORS, "errors": ("search_unavailable",)},
)
async def preview(
    request: ApiRequest,
    q: Query,
    pins: Pins = None,
    terms: Terms = None,
    finds: Finds = None,
    pin_id: PinId = None,
    synonym_id: SynonymId = None,
    limit: Limit = DEFAULT_LIMIT,
) -> JsonResponse[PreviewAnswer]:
    """Return the first page of a query before and after curation.

    Raises:
        InvalidParameter: The query has no words, or what is to be tried is wrong.
    """
    require_words(q)
    places, left, right = _places(pins), _listed("terms", terms), _listed("finds", finds)
    if right and not left:
        raise InvalidParameter("terms", "Must be given with finds.")
    if len(left) == 1 and not right:
        raise InvalidParameter("terms", "Needs two without finds.")
    rules = [Rule("one_way" if right else "two_way", left, right)] if left else []
    replaced = Replaced(pin_id, await _stored(request, synonym_id) if synonym_id is not None else None)
    return JsonResponse(await request.shared.previews.preview(q, limit, places, rules, replaced))


HANDLERS = [preview]
