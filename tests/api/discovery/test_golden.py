"""The golden queries over the demo catalogue: every kind of typing finds what it means, with and without an engine."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from catalog.core.db import session_factory
from catalog.programs.models import Program
from catalog.seed import golden
from catalog.seed.golden import GoldenQuery
from indexer.rebuild import golden as rebuild_golden
from tests.support import demo
from tests.support.pipeline import Pipeline
from tests.support.product import serve
from tests.support.stores import NOWHERE

# Each query with its first hits.
Hits = list[tuple[GoldenQuery, list[dict[str, Any]]]]


@pytest.fixture(scope="module")
def stocked() -> Iterator[Pipeline]:
    """The demo catalogue, for all tests of this module: they only read it."""
    with demo.stocked() as stores:
        yield stores


@pytest.fixture(scope="module")
def answered(stocked: Pipeline) -> Hits:
    """What the first three hits of every golden query are, with an engine."""
    with serve(stocked.settings) as (listener, _):
        demo.wait_for_words(listener)
        return [(query, demo.asked(listener, query.q)) for query in golden.queries()]


def right(answers: Hits, within: int) -> set[str]:
    """The queries of which one of so many first hits is right."""
    return {query.q for query, cards in answers if any(demo.is_right(query, card) for card in cards[:within])}


@pytest.mark.slow
def test_the_first_hit_of_every_golden_query_is_right(answered: Hits) -> None:
    found = right(answered, 1)
    assert [(query.kind, query.q) for query, _ in answered if query.q not in found] == []


@pytest.mark.slow
def test_what_is_found_without_an_engine_is_found_with_one(stocked: Pipeline, answered: Hits) -> None:
    """An engine that runs is never worse than an engine that is stopped: right in the first three hits."""
    running = right(answered, 3)
    # Only these could be found without an engine alone; every tenth of the others shows that the search works.
    asked = [query for query in golden.queries() if query.q not in running]
    asked += golden.queries()[::10]
    settings = stocked.settings
    # The two share no cache.
    prefix = f"{settings.indexer.redis_prefix}away:"
    away = settings.indexer.model_copy(update={"meili_url": NOWHERE, "redis_prefix": prefix})
    patient = settings.api.model_copy(update={"fallback_timeout_ms": 60_000})
    with serve(replace(settings, indexer=away, api=patient)) as (listener, _):
        stopped = right([(query, demo.asked(listener, query.q)) for query in asked], 3)
    assert stopped
    assert stopped - running == set()


def test_golden_queries_are_of_every_kind_and_each_is_there_once() -> None:
    queries = golden.queries()
    assert [q for q, count in Counter(query.q for query in queries).items() if count > 1] == []
    for query in queries:
        right = (query.slug, query.series, query.people)
        assert sum(part is not None for part in right) == 1, query


@pytest.mark.slow
def test_a_rebuild_asks_the_golden_queries_whose_programs_are_there(stocked: Pipeline) -> None:
    with session_factory(stocked.database)() as session:
        wanted = rebuild_golden.wanted(session)
        slugs = {row.id: row.slug for row in session.execute(select(Program.id, Program.slug))}
        one = wanted[-1][0]
        assert {program_id for program_id, _ in rebuild_golden.wanted(session, [one])} == {one}
    asked = {(slugs[program_id], q) for program_id, q in wanted}
    assert {(query.slug, query.q) for query in golden.queries() if query.slug is not None} <= asked
    uid = stocked.settings.indexer.meili_index
    assert rebuild_golden.compare(stocked.engine, uid, uid, wanted) == []
