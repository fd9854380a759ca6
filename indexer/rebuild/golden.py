"""Golden queries: what must still be found when an index is replaced.

These are the titles of the most popular programs, and the golden queries of `catalog.seed.golden` whose programs are
in the catalogue.
"""

from collections.abc import Collection, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.programs.models import Program
from catalog.programs.queries import VISIBLE
from catalog.seed import golden
from indexer.engines.admin import Engine
from indexer.engines.messages import IdHit, Query

QUERIES = 50
_FIRST_HITS = 10
_LONGEST_QUERY = 200
# (id, title) of the programs that are watched and heard most.
_POPULAR = (
    select(Program.id, Program.title)
    .where(*VISIBLE)
    .order_by(Program.view_count.desc(), Program.id)
    .limit(QUERIES)
)
# A query and the id of the program that it means.
Wanted = tuple[int, str]


def wanted(session: Session, ids: Collection[int] | None = None) -> list[Wanted]:
    """Return the golden queries of this catalogue, each with its program, by the titles that programs have now.

    Args:
        session: PostgreSQL.
        ids: Only queries for these programs; None for all.
    """
    slugs: dict[str, list[str]] = {}
    for query in golden.queries():
        if query.slug is not None:
            slugs.setdefault(query.slug, []).append(query.q)
    known = select(Program.id, Program.slug).where(*VISIBLE, Program.slug.in_(slugs))
    popular = _POPULAR
    if ids is not None:
        popular, known = popular.where(Program.id.in_(ids)), known.where(Program.id.in_(ids))
    return [
        *((row.id, row.title) for row in session.execute(popular)),
        *((row.id, q) for row in session.execute(known) for q in slugs[row.slug]),
    ]


def compare(engine: Engine, live: str, new: str, wanted: Sequence[Wanted]) -> list[Wanted]:
    """Return the queries that the live index answers and the new index does not.

    A query is answered when its program is among the first ten hits.

    Args:
        engine: The engine of both indexes.
        live: The live index.
        new: The index that is to replace it.
        wanted: The queries.

    Raises:
        EngineUnavailableError: The engine is away.
        EngineRejectedError: The engine refuses to search.
    """
    before, after = (_answered(engine, uid, wanted) for uid in (live, new))
    return [pair for pair in wanted if pair in before - after]


def _answered(engine: Engine, uid: str, wanted: Sequence[Wanted]) -> set[Wanted]:
    queries = [
        Query(q=q[:_LONGEST_QUERY], index_uid=uid, limit=_FIRST_HITS, attributes_to_retrieve=["id"])
        for _, q in wanted
    ]
    answers = engine.multi_search(queries, IdHit) if queries else []
    return {
        (program_id, q)
        for (program_id, q), answer in zip(wanted, answers, strict=True)
        if any(hit.id == program_id for hit in answer.hits)
    }
