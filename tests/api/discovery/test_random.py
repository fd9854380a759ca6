"""A program by chance: each with the same chance, by every filter, never cached, nothing that is not published."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import ColumnElement, text
from sqlalchemy import Engine as Database

from catalog.core.changes import ProgramChange
from catalog.core.db import session_factory
from catalog.programs.around.draw import DRAWS, draw
from catalog.programs.models import Program
from tests.support.around import scatter, visible
from tests.support.product import serve
from tests.support.programs import make
from tests.support.shared import SharedApi

TIMES = 400


@pytest.fixture(scope="module")
def seen(shared: SharedApi) -> dict[int, dict[str, Any]]:
    """Return the visible programs among many in every state."""
    scatter(shared.database, 40, seed=3)
    return visible(shared.database)


@pytest.mark.slow
@pytest.mark.parametrize(("draws", "conditions"), [(DRAWS, ()), (0, ()), (1, (Program.language == "ar",))])
def test_each_has_the_same_chance(
    draws: int, conditions: Sequence[ColumnElement[bool]], shared: SharedApi, seen: dict[int, dict[str, Any]]
) -> None:
    wanted = [i for i, row in seen.items() if not conditions or row["language"] == "ar"]
    with shared.database.connect() as connection:
        # The same numbers in every run.
        connection.execute(text("SELECT setseed(0.25)"))
        statement = draw(conditions, draws)
        found = Counter(connection.execute(statement).mappings().one()["id"] for _ in range(TIMES))
    assert set(found) == set(wanted)
    # Pearson's test: beyond this value in one of 10,000 runs, for so many programs (Wilson and Hilferty).
    mean, degrees = TIMES / len(wanted), len(wanted) - 1
    statistic = sum((found[i] - mean) ** 2 / mean for i in wanted)
    limit = degrees * (1 - 2 / (9 * degrees) + 3.72 * (2 / (9 * degrees)) ** 0.5) ** 3
    assert statistic < limit


@pytest.mark.slow
def test_filters_narrow_it_and_nothing_is_cached(shared: SharedApi, seen: dict[int, dict[str, Any]]) -> None:
    row = next(row for row in seen.values() if row["category_id"] and row["tags"])
    for asked, fits in (
        ({"kind": "film"}, lambda r: r["kind"] == "film"),
        ({"language": "ar", "kind": "film,episode"}, lambda r: r["language"] == "ar"),
        ({"category": row["category_slug"]}, lambda r: r["category_id"] == row["category_id"]),
        ({"category": str(row["category_id"])}, lambda r: r["category_id"] == row["category_id"]),
        ({"categoryId": row["category_id"]}, lambda r: r["category_id"] == row["category_id"]),
        ({"tag": row["tags"][0]}, lambda r: row["tags"][0] in (r["tags"] or ())),
    ):
        for _ in range(5):
            answer = shared.listener.get("/discovery/random", **asked)
            assert answer.status_code == 200, answer.text
            assert fits(seen[answer.json()["data"]["id"]]), asked
            assert answer.headers["cache-control"] == "no-store"
            assert "x-cache" not in answer.headers
            assert "etag" not in answer.headers
    program = answer.json()["data"]
    assert shared.listener.get(f"/discovery/programs/{program['id']}").json()["data"] == program
    origin = shared.listener.ask("GET", "/discovery/random", headers={"Origin": "https://a.example"})
    assert origin.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize(
    ("query", "status", "code", "field"),
    [
        ("kind=trailer", 404, "not_found", None),
        ("category=none", 404, "not_found", None),
        ("kind=poem", 400, "invalid_parameter", "kind"),
        ("language=a;b", 400, "invalid_parameter", "language"),
        ("category=1&category=2", 400, "invalid_parameter", "category"),
        ("durationMin=2&durationMax=1", 400, "invalid_parameter", "durationMin"),
        ("limit=2", 400, "unknown_parameter", "limit"),
    ],
)
def test_what_is_not_there_and_what_is_wrong(
    query: str, status: int, code: str, field: str | None, shared: SharedApi, seen: dict[int, dict[str, Any]]
) -> None:
    answer = shared.listener.get(f"/discovery/random?{query}")
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert field is None or answer.json()["errors"][0]["field"] == field


def test_what_a_process_knows_to_be_withdrawn_is_not_drawn(settings: Any, database: Database) -> None:
    with serve(settings) as (listener, edge):
        assert listener.get("/discovery/random").status_code == 404
        with session_factory(database).begin() as session:
            program_id = make(session, "published").id
        assert listener.get("/discovery/random").json()["data"]["id"] == program_id
        edge.app.state.shared.cache.changed([ProgramChange(program_id, 1_000, visible=False)])
        assert listener.get("/discovery/random").status_code == 404
