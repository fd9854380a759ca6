"""How searches are read: statements that the caller runs. Days count back from today, in UTC."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Date, Float, Text, cast, func, literal, select, true, tuple_, union_all

from catalog.core.db import AnySelect
from catalog.insight.models import QueryDaily

# A click-through is compared of queries that were searched so often in both times, and fell when it lost such a share.
LEAST_SEARCHES, FALL = 20, 0.3
_TODAY = cast(func.timezone("UTC", func.now()), Date)
_SUMS = [
    func.sum(column).label(name)
    for name, column in (
        ("searches", QueryDaily.searches),
        ("pages", QueryDaily.pages),
        ("empty", QueryDaily.empty),
        ("hits", QueryDaily.hits),
        ("clicks", QueryDaily.clicks),
        ("positions", QueryDaily.positions),
        ("plays", QueryDaily.plays),
    )
]


def _during(days: int, language: str | None, before: int = 0) -> list[ColumnElement[bool]]:
    """The condition of so many days that ended so many days ago."""
    first, last = _TODAY - (before + days), _TODAY - before
    within: list[ColumnElement[bool]] = [QueryDaily.day > first, QueryDaily.day <= last]
    return [*within, QueryDaily.language == language] if language is not None else within


def totals(days: int, language: str | None) -> AnySelect:
    """Return the sums of all searches, those whose query is not known included: one row.

    Args:
        days: How many days.
        language: Of the queries; None for every one.
    """
    return select(*_SUMS).where(*_during(days, language), QueryDaily.query == "")


def top(days: int, language: str | None, limit: int) -> AnySelect:
    """Return the sums of the queries that are searched most.

    Args:
        days: How many days.
        language: Of the queries; None for every one.
        limit: How many queries at most.
    """
    most = func.sum(QueryDaily.searches).desc()
    return _of_queries(days, language).order_by(most, QueryDaily.query, QueryDaily.language).limit(limit)


def without_hits(days: int, language: str | None, limit: int) -> AnySelect:
    """Return the sums of the queries that find nothing most often, and the last day when each did (`last_empty`).

    Args:
        days: How many days.
        language: Of the queries; None for every one.
        limit: How many queries at most.
    """
    last = func.max(QueryDaily.day).filter(QueryDaily.empty > 0).label("last_empty")
    most = func.sum(QueryDaily.empty)
    statement = _of_queries(days, language).add_columns(last).having(most > 0)
    return statement.order_by(most.desc(), QueryDaily.query, QueryDaily.language).limit(limit)


def _of_queries(days: int, language: str | None) -> AnySelect:
    key = (QueryDaily.language, QueryDaily.query)
    return select(*key, *_SUMS).where(*_during(days, language), QueryDaily.query != "").group_by(*key)


def falling(days: int, language: str | None, limit: int) -> AnySelect:
    """Return the sums of the queries whose click-through fell, and what it was before (`before`).

    Those that lost the most clicks come first.

    Args:
        days: How many days are compared with as many before them.
        language: Of the queries; None for every one.
        limit: How many queries at most.
    """
    now = _of_queries(days, language).cte("now")
    key = (QueryDaily.language, QueryDaily.query)
    earlier = (
        select(
            *key, func.sum(QueryDaily.searches).label("searches"), func.sum(QueryDaily.clicks).label("clicks")
        )
        .where(*_during(days, language, days), QueryDaily.query != "")
        .group_by(*key)
        .cte("earlier")
    )
    rate = cast(now.c.clicks, Float) / func.nullif(now.c.searches, 0)
    before = cast(earlier.c.clicks, Float) / func.nullif(earlier.c.searches, 0)
    return (
        select(*now.c, before.label("before"))
        .join(earlier, (earlier.c.language == now.c.language) & (earlier.c.query == now.c.query))
        .where(now.c.searches >= LEAST_SEARCHES, earlier.c.searches >= LEAST_SEARCHES)
        .where(rate < (1 - FALL) * before)
        .order_by(((before - rate) * now.c.searches).desc(), now.c.query, now.c.language)
        .limit(limit)
    )


def details(days: int, queries: Sequence[tuple[str, str]]) -> AnySelect:
    """Return for some queries which readings answered and which filters were set: `language`, `query`, `kind`, `name`, `times`.

    Args:
        days: How many days.
        queries: Languages and queries.
    """
    parts = []
    for kind, column in (("rungs", QueryDaily.rungs), ("filters", QueryDaily.filters)):
        each = func.jsonb_each_text(column).table_valued("key", "value", joins_implicitly=True)
        key = (QueryDaily.language, QueryDaily.query)
        parts.append(
            select(
                *key,
                literal(kind, Text).label("kind"),
                each.c.key.label("name"),
                func.sum(cast(each.c.value, QueryDaily.searches.type)).label("times"),
            )
            .select_from(QueryDaily)
            .join(each, true())
            .where(*_during(days, None), tuple_(*key).in_(list(queries)))
            .group_by(*key, each.c.key)
        )
    return select(union_all(*parts).subquery("details"))
