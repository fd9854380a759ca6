"""Reads a page of an editors' list: programs, what each row says beside them, and the meta of the page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from msgspec import UNSET
from sqlalchemy import RowMapping
from sqlalchemy.orm import Session

from api.editorial.listing.params import ListRequest
from api.editorial.listing.schemas import ProgramsMeta, StateCount
from api.editorial.listing.search import Meaning, Search, meaning_of
from api.http import cursor
from api.http.readings.choosing import Shown
from api.http.schemas import Rewrite
from catalog.programs import queries
from catalog.programs.fallback.conditions import Condition
from catalog.programs.listing import orders, statements
from catalog.programs.listing.filters import conditions
from catalog.programs.listing.marks import MARKS


@dataclass(frozen=True, slots=True)
class Page:
    """The rows of `queries.detail()` on a page, each with its row of `marks.MARKS`, and the meta."""

    rows: Sequence[tuple[RowMapping, RowMapping]]
    meta: ProgramsMeta


def read(session: Session, asked: ListRequest, secret: str, seconds: float) -> Page:
    """Return a page of a list.

    Args:
        session: Reads, in a transaction.
        asked: The list and the page.
        secret: Signs cursors.
        seconds: The time that a list with words may take.

    Raises:
        Problem: The cursor belongs to another list.
        sqlalchemy.exc.DBAPIError: The time did not suffice.
    """
    binding = cursor.bound("catalog", asked.q, asked.sort, str(asked.filters.key()))
    sent = None if asked.cursor is None else cursor.decode(secret, binding, asked.cursor)
    wanted = conditions(asked.filters)
    meaning, having = Meaning(asked.q), list[Condition]()
    if asked.q:
        search = Search(session, seconds, asked.filters.trashed)
        meaning = meaning_of(sent[0]) if sent is not None else search.meaning(asked.q, wanted)
        having = meaning.conditions(asked.filters.trashed)
        search.limit()
    place = None if sent is None else sent[1:]
    read_rows = _ordered if asked.sort is not None else _ranked
    rows, following = read_rows(session, asked, meaning, [*wanted, *having], place)
    meta = ProgramsMeta(
        limit=asked.limit,
        next_cursor=None
        if following is None
        else cursor.encode(secret, binding, [meaning.plain(), *following]),
        rewrite=_shown(meaning.rewrite),
        did_you_mean=_shown(meaning.offer) or UNSET,
    )
    if asked.counts:
        _count(session, asked, meta, having)
    ids = [row["id"] for row in rows]
    marks = {row["id"]: row for row in session.execute(MARKS, {"ids": ids}).mappings()}
    return Page([(row, marks[row["id"]]) for row in rows], meta)


def _ordered(
    session: Session,
    asked: ListRequest,
    meaning: Meaning,
    wanted: Sequence[Condition],
    place: Sequence[Any] | None,
) -> tuple[list[RowMapping], list[object] | None]:
    """Return a page in an order, and the place that the next page begins behind, if there is a next page."""
    sort = asked.sort or ""
    after = None if place is None else orders.Place(*place)
    valued = asked.filters.gives_values(sort)
    found = statements.page(wanted, sort, after, asked.limit + 1, valued=valued)
    rows = list(session.execute(found).mappings())
    if len(rows) <= asked.limit:
        return rows, None
    last = rows[asked.limit - 1]
    value = last[orders.COLUMNS[sort.removeprefix("-")]]
    if isinstance(value, datetime):
        value = value.isoformat()
    elif isinstance(value, str):
        value = value[: orders.TITLE_LETTERS]
    return rows[: asked.limit], [value, last["id"]]


def _ranked(
    session: Session,
    asked: ListRequest,
    meaning: Meaning,
    wanted: Sequence[Condition],
    place: Sequence[Any] | None,
) -> tuple[list[RowMapping], list[object] | None]:
    """Return a page with the programs first that fit the words best, and what the next page begins behind."""
    after = None
    if place is not None:
        is_title, likeness, updated_at, last_id = place
        after = statements.Ranked(is_title, likeness, datetime.fromisoformat(updated_at), last_id)
    ranked = statements.ranked(meaning.words, wanted, after, asked.limit + 1, trashed=asked.filters.trashed)
    found = session.execute(ranked).all()
    ids = [row.id for row in found[: asked.limit]]
    rows = {row["id"]: row for row in session.execute(queries.BY_IDS, {"ids": ids}).mappings()}
    following = None
    if len(found) > asked.limit:
        last = found[asked.limit - 1]
        following = [last.is_title, last.likeness, last.updated_at.isoformat(), last.id]
    return [rows[program_id] for program_id in ids], following


def _count(session: Session, asked: ListRequest, meta: ProgramsMeta, having: Sequence[Condition]) -> None:
    """Say in the meta how many programs there are."""
    every_state = conditions(asked.filters.in_every_state())
    counts = dict(session.execute(statements.by_state([*every_state, *having])).all())
    chosen = [counts[state] for state in asked.filters.status or counts]
    meta.total = sum(chosen)
    meta.total_is_exact = all(count < statements.MOST for count in chosen)
    meta.states = [StateCount(status=state, programs=count) for state, count in counts.items()]


def _shown(reading: Shown | None) -> Rewrite | None:
    return None if reading is None else Rewrite(kind=reading.rung, query=reading.text)
