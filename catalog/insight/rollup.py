"""Adds what was counted to the table of searches: the only writer. The scheduler's clock calls it (`indexer.jobs.insight`)."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, delete, func, text
from sqlalchemy.orm import Session

from catalog.core.db import change_rows
from catalog.insight.models import QueryDaily
from catalog.words.joined import is_arabic

# For how long searches are stored.
KEPT = timedelta(days=90)
# What is counted as a number of its own; `RUNG` and `FILTER` stand before the names of the others.
MEASURES = ("searches", "pages", "empty", "hits", "clicks", "positions", "plays")
RUNG, FILTER = "rung:", "filter:"
# Rows are written in the order of their key, so that no deadlock can come about.
_ADD = text("""
INSERT INTO query_daily AS q
  (day, language, query, searches, pages, empty, hits, clicks, positions, plays, rungs, filters)
SELECT day, language, query, searches, pages, empty, hits, clicks, positions, plays, rungs, filters
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (
  day date, language text, query text, searches bigint, pages bigint, empty bigint, hits bigint, clicks bigint,
  positions bigint, plays bigint, rungs jsonb, filters jsonb
)
ORDER BY day, language, query COLLATE "C"
ON CONFLICT (day, language, query) DO UPDATE SET
  searches = q.searches + excluded.searches, pages = q.pages + excluded.pages, empty = q.empty + excluded.empty,
  hits = q.hits + excluded.hits, clicks = q.clicks + excluded.clicks, positions = q.positions + excluded.positions,
  plays = q.plays + excluded.plays,
  rungs = (
    SELECT coalesce(jsonb_object_agg(name, total), '{}') FROM (
      SELECT name, sum(CAST(n AS bigint)) AS total FROM (
        SELECT * FROM jsonb_each_text(q.rungs) UNION ALL SELECT * FROM jsonb_each_text(excluded.rungs)
      ) AS every (name, n) GROUP BY name
    ) AS summed
  ),
  filters = (
    SELECT coalesce(jsonb_object_agg(name, total), '{}') FROM (
      SELECT name, sum(CAST(n AS bigint)) AS total FROM (
        SELECT * FROM jsonb_each_text(q.filters) UNION ALL SELECT * FROM jsonb_each_text(excluded.filters)
      ) AS every (name, n) GROUP BY name
    ) AS summed
  )
""")


class Place(NamedTuple):
    """A row: what is counted together. `query` is empty for the sums of a day and language."""

    day: date
    language: str
    query: str


def language_of(words: Iterable[str]) -> str:
    """Return the language of a query by the script of its words: one Arabic word makes it Arabic.

    Args:
        words: In the spelling of comparison.
    """
    found = list(words)
    if any(map(is_arabic, found)):
        return "ar"
    return "en" if any("a" <= word[:1] <= "z" for word in found) else "other"


def add(connection: Connection, counted: Mapping[Place, Mapping[str, int]]) -> None:
    """Add counts to the rows of their places, in the caller's transaction.

    Args:
        connection: The transaction.
        counted: Place -> measure -> number. A measure is one of `MEASURES`, or a name behind `RUNG` or `FILTER`.
    """
    rows = []
    for place, measures in counted.items():
        row: dict[str, object] = {
            "day": place.day.isoformat(),
            "language": place.language,
            "query": place.query,
        }
        row |= {name: measures.get(name, 0) for name in MEASURES}
        row |= {"rungs": _named(measures, RUNG), "filters": _named(measures, FILTER)}
        rows.append(row)
    if rows:
        connection.execute(_ADD, {"rows": msgspec.json.encode(rows).decode()})


def _named(measures: Mapping[str, int], prefix: str) -> dict[str, int]:
    return {name.removeprefix(prefix): n for name, n in measures.items() if name.startswith(prefix)}


def prune(session: Session) -> int:
    """Delete the searches of days longer than `KEPT` ago; return how many rows."""
    return change_rows(session, delete(QueryDaily).where(QueryDaily.day < func.now() - KEPT))
