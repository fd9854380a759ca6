"""What a pin or a synonym that is being written would change: the preview of the API, side by side."""

from collections.abc import Mapping

from api.editorial.curation.preview import preview, require_words
from api.editorial.curation.schemas import PinnedIn
from api.http.errors import Problem
from api.http.schemas import PreviewAnswer
from api.web.signin.asking import ask
from api.web.signin.staff import StaffRequest
from api.web.studio.given import Refusal, WrongField, attempt, number
from indexer.engines.errors import EngineUnavailableError

_SHOWN = 10
# Rows of the form of a pin: as many as a pin may have programs.
ROWS = 10


async def tried(request: StaffRequest, q: str, **given: str | int | None) -> PreviewAnswer | Refusal | None:
    """Return what a query finds before and after; None without a query, or while search does not answer.

    Args:
        request: Who asks.
        q: The query.
        **given: What is tried, as the route takes it: `pins`, or `terms` and `finds`; and the stored one that it replaces.

    Raises:
        Problem: The API refuses for a reason that has a page of its own.
    """
    if not q.strip():
        return None

    async def asked() -> PreviewAnswer:
        require_words(q)
        return await ask(request, preview, PreviewAnswer, q=q, limit=_SHOWN, **given)

    try:
        return await attempt(asked())
    except EngineUnavailableError:
        return None
    except Problem as problem:
        if problem.code == "search_unavailable":
            return None
        raise


def placed(form: Mapping[str, str]) -> list[PinnedIn]:
    """Return the programs of a form with their places. A row without a program is left out.

    Raises:
        WrongField: A row has no whole numbers.
    """
    found = []
    for n in range(1, ROWS + 1):
        program_id = number(form.get(f"program-{n}", ""), "programs")
        place = number(form.get(f"place-{n}", ""), "programs")
        if program_id:
            if not place:
                raise WrongField("programs", "Each program needs a place from 1 to 50.")
            found.append(PinnedIn(program_id=program_id, place=place))
    return found


def as_text(programs: list[PinnedIn]) -> str | None:
    """Return programs and places as the preview takes them; None for none."""
    return ",".join(f"{one.program_id}:{one.place}" for one in programs) or None
