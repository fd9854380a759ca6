"""The route that says why a query finds a program, or does not: for editors, and for operators."""

import asyncio
from typing import NamedTuple

from litestar import get
from sqlalchemy.orm import Session

from api.editorial.curation.preview import Query, require_words
from api.http import transaction
from api.http.auth import EDITORS, OPS
from api.http.found import index_state
from api.http.found.schemas import InSearchOut, WhyAnswer, WhyMeta, WhyOut
from api.http.parameters import Id
from api.http.reply import JsonResponse
from api.http.request import ApiRequest
from catalog.core.errors import NotFound
from catalog.curation import pins
from catalog.programs.models import ProgramRedirect
from catalog.programs.public import hidden_because
from indexer.engines import document
from indexer.engines.errors import EngineUnavailableError


class _Record(NamedTuple):
    known: index_state.Known
    is_merged: bool


@get(
    "/programs/{program_id:int}/why",
    operation_id="explainSearch",
    summary="Why a query finds a program, or does not",
    description="Whether listeners get it and at which place, which ranking rule, title or pin put it there, which reading of the "
    "query answered, synonyms, pins, words that it lacks, whether it is visible, and its state in each index. Without "
    "filters, by relevance.",
    opt={"roles": (*EDITORS, *OPS), "errors": ("not_found",)},
)
async def why(request: ApiRequest, program_id: Id, q: Query) -> JsonResponse[WhyAnswer]:
    """Explain a program's place in the results of a query.

    Raises:
        NotFound: No such program.
    """
    require_words(q)
    settings = request.shared.settings

    def work(session: Session) -> _Record:
        redirect = session.get(ProgramRedirect, program_id)
        return _Record(index_state.known(session, settings, program_id), redirect is not None)

    (known, is_merged), in_search = await asyncio.gather(
        transaction.read(request, work), _place(request, q, program_id)
    )
    if known.row is None:
        raise NotFound("program", program_id)
    indexes = (await asyncio.to_thread(index_state.of_program, settings, program_id, known)).data
    row, is_visible = known.row, document.is_indexed(known.row, known.now)
    found = WhyOut(
        program_id=program_id,
        title=row["title"],
        verdict="found",
        visible=is_visible,
        hidden_because=hidden_because(
            row["status"],
            is_visible=is_visible,
            is_deleted=row["deleted_at"] is not None,
            is_merged=is_merged,
        ),
        missing_words=request.shared.places.missing(q, document.build(row)),
        in_search=in_search,
        indexes=indexes,
    )
    found.verdict = _verdict(found)
    return JsonResponse(WhyAnswer(data=found, meta=WhyMeta(query=q, folded=pins.folded(q))))


async def _place(request: ApiRequest, q: str, program_id: int) -> InSearchOut | None:
    """Return where the query finds the program; None when no engine answers."""
    try:
        return await request.shared.places.place(q, program_id)
    except EngineUnavailableError:
        return None


def _verdict(found: WhyOut) -> str:
    if found.in_search is not None and found.in_search.position is not None:
        return "found"
    if found.hidden_because is not None:
        return "hidden"
    if any(index.state not in ("in_step", "unknown") for index in found.indexes):
        return "index"
    if found.in_search is None:
        return "unknown"
    return "words" if found.missing_words else "reading"


HANDLERS = [why]
