"""Lookups of collections with their visible programs: one statement each, in the editors' order.

A collection without a visible program does not exist for listeners. An answer ends at the moment at which the next collection
begins or ends, so that no cache shows a collection before or after its time.
"""

import math
import time
from collections.abc import Sequence
from itertools import groupby
from typing import Any, cast

import msgspec
from msgspec import UNSET
from sqlalchemy import RowMapping

from api.answers.answer import NOT_FOUND, Answer
from api.answers.cache import Cache
from api.discovery.lookups import schemas
from api.discovery.lookups.replica import Replica
from api.discovery.schemas import ProgramCard, card
from catalog.core.db import AnySelect
from catalog.core.text import MAX_SLUG
from catalog.curation import queries
from catalog.programs.queries import ProgramRow
from indexer.engines import document

MAX_COLLECTIONS, DEFAULT_COLLECTIONS = 50, 20
MAX_SHOWN = 12
_encode = msgspec.json.Encoder().encode


class Collections:
    """Lookups of the collections that listeners may see."""

    def __init__(self, replica: Replica, cache: Cache) -> None:
        """Keep the collaborators.

        Args:
            replica: Reads the collections.
            cache: Has the tombstones of withdrawn programs, because the replica may be behind.
        """
        self._replica, self._cache = replica, cache

    async def listed(self, limit: int, programs: int) -> Answer:
        """Return the collections in their order.

        Args:
            limit: How many collections at most.
            programs: How many programs of each at most.

        Raises:
            DBAPIError: PostgreSQL does not answer, or not in time.
            sqlalchemy.exc.TimeoutError: No connection became free.
        """
        # One program at least: the answer is refused when it is withdrawn, and the collection may be empty then.
        rows, ends_at = await self._rows(queries.first_programs(limit, max(programs, 1)))
        data, ids = [], list[int]()
        for _, group in groupby(rows, key=lambda row: row["collection_id"]):
            of_one = list(group)
            shown = self._shown(of_one)
            if not shown:
                continue
            ids += [row["id"] for row in shown]
            cards = _cards(shown[:programs]) if programs else UNSET
            data.append(schemas.CollectionItem(**_detail(of_one[0]), programs=cards))
        meta = schemas.CollectionsMeta(limit=limit, programs=programs)
        body = _encode(schemas.CollectionsAnswer(data=data, meta=meta))
        return Answer(body, ids=tuple(dict.fromkeys(ids)), ends_at=ends_at)

    async def collection(self, slug: str, page: int, limit: int) -> Answer:
        """Return a collection and a page of its programs, or NOT_FOUND.

        Args:
            slug: The collection.
            page: From 1.
            limit: Programs on a page.

        Raises:
            DBAPIError: PostgreSQL does not answer, or not in time.
            sqlalchemy.exc.TimeoutError: No connection became free.
        """
        if len(slug) > MAX_SLUG or "\x00" in slug:
            return NOT_FOUND
        rows, ends_at = await self._rows(queries.collection_programs(slug, (page - 1) * limit, limit))
        shown = self._shown(rows)
        cards = _cards(shown)
        if not rows and page > 1:
            # A page behind the last one is empty; the collection may be visible all the same.
            rows, ends_at = await self._rows(queries.collection_programs(slug, 0, 1))
            shown = self._shown(rows)
        if not shown:
            return Answer(b"", status=NOT_FOUND.status, ends_at=ends_at)
        detail = schemas.CollectionDetail(**_detail(rows[0]))
        meta = schemas.CollectionMeta(page=page, limit=limit, total=detail.program_count)
        body = _encode(schemas.CollectionPage(data=detail, programs=cards, meta=meta))
        return Answer(body, ids=tuple(row["id"] for row in shown), ends_at=ends_at)

    async def _rows(self, statement: AnySelect) -> tuple[Sequence[RowMapping], float]:
        """Return what a statement of `queries` finds, and when the next collection begins or ends.

        A replica that may not have the last change of a collection or of a program is not asked, or not believed.
        """
        known, replica = self._cache.invalidations, self._replica
        behind = replica.may_be_behind and known.curated_within(replica.behind_seconds)
        rows = await (replica.newest if behind else replica.rows)(statement)
        if replica.may_be_behind and not behind and known.is_behind(_programs(rows)):
            rows = await replica.newest(statement)
        seconds = rows[0]["seconds"]
        return _programs(rows), math.inf if seconds is None else time.time() + seconds

    def _shown(self, rows: Sequence[RowMapping]) -> list[RowMapping]:
        withdrawn = self._cache.withdrawn(row["id"] for row in rows)
        return [row for row in rows if row["id"] not in withdrawn]


def _programs(rows: Sequence[RowMapping]) -> list[RowMapping]:
    return [row for row in rows if row["id"] is not None]


def _cards(rows: Sequence[RowMapping]) -> list[ProgramCard]:
    return [card(document.build(cast("ProgramRow", dict(row)))) for row in rows]


def _detail(row: RowMapping) -> dict[str, Any]:
    names = msgspec.structs.fields(schemas.CollectionDetail)
    found = {field.name: row[f"collection_{field.name}"] for field in names if field.name != "program_count"}
    return found | {"program_count": row["collection_total"]}
