"""Golden queries: what listeners ask for most must still be found when an index is replaced."""

from collections.abc import Sequence

from sqlalchemy import select

from catalog.programs.models import Program
from catalog.programs.queries import VISIBLE
from indexer.engine import Engine

ASKED = 50
_TOP = 10
# (id, title) of the programs that are watched and heard most.
POPULAR_TITLES = (
    select(Program.id, Program.title)
    .where(*VISIBLE)
    .order_by(Program.view_count.desc(), Program.id)
    .limit(ASKED)
)


def compare(
    engine: Engine, live: str, new: str, wanted: Sequence[tuple[int, str]]
) -> list[tuple[int, str]]:
    """Those of the programs that a search for their own title finds among the first ten in the `live`
    index and not in the `new` one. Raises EngineUnavailableError."""
    before, after = (_found(engine, uid, wanted) for uid in (live, new))
    return [pair for pair in wanted if pair[0] in before - after]


def _found(engine: Engine, uid: str, wanted: Sequence[tuple[int, str]]) -> set[int]:
    asked = [
        {"indexUid": uid, "q": title[:200], "limit": _TOP, "attributesToRetrieve": ["id"]}
        for _, title in wanted
    ]
    answers = engine.multi_search(asked) if asked else []
    return {
        program_id
        for (program_id, _), answer in zip(wanted, answers, strict=True)
        if any(hit["id"] == program_id for hit in answer["hits"])
    }
