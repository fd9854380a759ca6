"""The facets of an answer: the engine's counts with the names of categories and series. `service` and `values` call it.

Without a cache, a page with facets would cost two queries for the names alone. So a process keeps each name until its
category or series changes: every writer publishes changes after its commit, and `Invalidations` has the minimum
revision that may be shown. When a replica that is behind answers with an older revision, the primary is asked. A name
that is older all the same is shown but not kept.
"""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

from msgspec import UNSET, UnsetType
from sqlalchemy import Executable, RowMapping, select

from api.answers.invalidations import Invalidations
from api.answers.memory import BLIND_SECONDS
from api.discovery.lookups.replica import Replica
from api.discovery.narrowing import ranges
from api.discovery.narrowing.filters import RANGES
from api.discovery.schemas import FacetValue
from catalog.taxonomy.models import Category, Series

# Names of each kind; the oldest entry is dropped first.
MAX_NAMES = 20_000
# After so many seconds a name is read again, in case the message about its change was lost or never sent.
MAX_AGE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Label:
    """The display name of a value: of a category in two languages, of a series its title."""

    name_ar: str | UnsetType = UNSET
    name_en: str | UnsetType = UNSET
    name: str | UnsetType = UNSET


@dataclass(frozen=True, slots=True)
class _Entry:
    label: Label
    rev: int
    epoch: int
    read_at: float


class Labels:
    """The labels of categories or of series, by id."""

    def __init__(
        self,
        entity: str,
        statement: Callable[[Collection[int]], Executable],
        label: Callable[[RowMapping], Label],
        replica: Replica,
        known: Invalidations,
    ) -> None:
        """Begin without any label.

        Args:
            entity: What changes call these rows: category or series.
            statement: Selects `id`, `rev` and what a label needs, for ids.
            label: Makes a label of such a row.
            replica: Where the rows are read.
            known: Says which revisions may be shown.
        """
        self._entity, self._statement, self._label = entity, statement, label
        self._replica, self._known = replica, known
        self._entries: dict[int, _Entry] = {}

    async def of(self, ids: Collection[int]) -> dict[int, Label]:
        """Return the labels of these ids; an id without a row has none.

        Raises:
            DBAPIError: The replica does not answer.
            sqlalchemy.exc.TimeoutError: No connection became free.
        """
        found, unknown = {}, []
        for row_id in ids:
            entry = self._entries.get(row_id)
            if entry is not None and self._usable(row_id, entry):
                found[row_id] = entry.label
            else:
                unknown.append(row_id)
        if unknown:
            epoch = self._known.taxonomy_epoch
            rows = await self._replica.rows(self._statement(unknown))
            if self._replica.may_be_behind and any(row["rev"] < self._minimum(row["id"]) for row in rows):
                rows = await self._replica.newest(self._statement(unknown))
            for row in rows:
                found[row["id"]] = label = self._label(row)
                self._store(row["id"], _Entry(label, row["rev"], epoch, time.monotonic()))
        return found

    def _usable(self, row_id: int, entry: _Entry) -> bool:
        age = time.monotonic() - entry.read_at
        if age > MAX_AGE_SECONDS or (age > BLIND_SECONDS and self._known.blind):
            return False
        return entry.epoch == self._known.taxonomy_epoch and entry.rev >= self._minimum(row_id)

    def _minimum(self, row_id: int) -> int:
        return self._known.taxonomy_revisions.get((self._entity, row_id), 0)

    def _store(self, row_id: int, entry: _Entry) -> None:
        self._entries.pop(row_id, None)
        if entry.rev < self._minimum(row_id):
            return
        self._entries[row_id] = entry
        if len(self._entries) > MAX_NAMES:
            del self._entries[next(iter(self._entries))]


class Facets:
    """Makes the facets of an answer from the engine's counts."""

    def __init__(self, replica: Replica, known: Invalidations) -> None:
        """Begin without any name.

        Args:
            replica: Where names are read.
            known: Says which names may be shown.
        """
        self._labels = {
            "categoryId": Labels("category", _categories, _category_label, replica, known),
            "seriesId": Labels("series", _series, _series_label, replica, known),
        }

    async def named(self, counts: dict[str, dict[str, int]]) -> dict[str, list[FacetValue]]:
        """Return the values of every facet with their names, the most frequent value first, and ranges in their order.

        Args:
            counts: Facet -> value -> number of hits.

        Raises:
            DBAPIError: The replica does not answer.
            sqlalchemy.exc.TimeoutError: No connection became free.
            ValueError: The engine counted an id that is no number.
        """
        return {facet: await self._values(facet, values) for facet, values in counts.items()}

    async def _values(self, facet: str, values: dict[str, int]) -> list[FacetValue]:
        ordered = sorted(values.items(), key=lambda pair: place(facet, *pair))
        labels = self._labels.get(facet)
        if labels is None:
            return [FacetValue(value=value, count=count) for value, count in ordered]
        found = await labels.of([int(value) for value in values])
        return [_value(value, count, found.get(int(value), Label())) for value, count in ordered]


def place(facet: str, value: str, count: int) -> tuple[int, str]:
    """Return where a value stands among those of its facet.

    Args:
        facet: The facet.
        value: The value.
        count: The number of programs that have it.
    """
    return (ranges.place(facet, value), "") if facet in RANGES else (-count, value)


def _value(value: str, count: int, label: Label) -> FacetValue:
    return FacetValue(value=value, count=count, name_ar=label.name_ar, name_en=label.name_en, name=label.name)


def _categories(ids: Collection[int]) -> Executable:
    return select(Category.id, Category.rev, Category.name_ar, Category.name_en).where(Category.id.in_(ids))


def _category_label(row: RowMapping) -> Label:
    return Label(name_ar=row["name_ar"], name_en=row["name_en"])


def _series(ids: Collection[int]) -> Executable:
    return select(Series.id, Series.rev, Series.title).where(Series.id.in_(ids))


def _series_label(row: RowMapping) -> Label:
    return Label(name=row["title"])
