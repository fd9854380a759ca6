"""Lookups of the categories with their numbers of programs, and of a series with its programs.

A category or series in which no program is visible does not exist for listeners: its name may be a secret until then.
Each answer knows a visible program of everything that it names, so that the cache refuses the answer when that program
is withdrawn, and the lookup is done again.
"""

import math
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

import msgspec
from sqlalchemy import Executable, RowMapping, Select

from api.answers.answer import NOT_FOUND, Answer
from api.answers.cache import LEFT_OUT_SECONDS, Cache
from api.discovery import schemas
from api.discovery.lookups.replica import Replica
from api.http.schemas import program_detail
from catalog.programs import queries
from catalog.programs.around.subjects import Subject, formerly, subjects
from catalog.programs.models import Program
from catalog.taxonomy.models import Series
from indexer.engines.errors import EngineUnavailableError, unreadable_as_unavailable
from indexer.engines.messages import Query
from indexer.engines.search import SearchPool

# `Replica.rows`, or `Replica.newest`.
Read = Callable[[Executable], Awaitable[Sequence[RowMapping]]]
_encode = msgspec.json.Encoder().encode
# How many programs are tried, when the replica still shows programs that were withdrawn.
_TRIED = 100


class AboutSeries(NamedTuple):
    """A series, and the id of a visible program of it."""

    data: schemas.SeriesDetail
    program_id: int


class Taxonomy:
    """Lookups of categories and series."""

    def __init__(self, engine: SearchPool, replica: Replica, cache: Cache) -> None:
        """Keep the collaborators.

        Args:
            engine: Counts the programs of each category.
            replica: Reads everything else, and counts when no engine answers.
            cache: Has the tombstones of withdrawn programs.
        """
        self.engine, self.replica, self.cache = engine, replica, cache

    async def categories(self) -> Answer:
        """Return the active categories with a visible program in their order, each with its number of programs."""
        items, shown = await self.listed_categories()
        answer = schemas.CategoriesAnswer(data=items, meta={"total": len(items)})
        return Answer(_encode(answer), ids=tuple(shown), max_ttl=self._max_ttl())

    async def listed_categories(self) -> tuple[list[schemas.CategoryItem], list[int]]:
        """Return the active categories with a visible program, and the id of such a program of each."""
        counts = await self._counts()
        items, shown = [], []
        for row in await self.replica.rows(queries.shown_categories()):
            visible = await self._visible(
                self.replica.rows,
                [row["program_id"]],
                queries.visible_in(Program.category_id, row["id"]).limit(_TRIED),
            )
            if visible is None:
                continue
            shown.append(visible)
            items.append(
                schemas.CategoryItem(
                    id=row["id"],
                    slug=row["slug"],
                    name_ar=row["name_ar"],
                    name_en=row["name_en"],
                    program_count=counts.get(str(row["id"]), 0),
                )
            )
        return items, shown

    async def about_series(self, series_id: int) -> AboutSeries | None:
        """Return what is known of a series with a visible program."""
        rows = await self.replica.rows(subjects(Series, Series.id == series_id))
        return AboutSeries(series_detail(rows[0]), rows[0]["program_id"]) if rows else None

    def _may_miss(self) -> bool:
        """Return whether a replica may miss programs that were just published."""
        known = self.cache.invalidations
        return self.replica.may_be_behind and known.changed_within(self.replica.behind_seconds)

    def _max_ttl(self) -> float:
        return LEFT_OUT_SECONDS if self._may_miss() else math.inf

    async def _visible(self, read: Read, known: Sequence[int], others: Select[int]) -> int | None:
        """Return the id of a program without a tombstone, or None.

        Args:
            read: Runs a statement.
            known: Ids that `read` has shown already.
            others: Finds the ids of further programs, when all of `known` were withdrawn.
        """
        withdrawn = self.cache.withdrawn(known)
        found = next((i for i in known if i not in withdrawn), None)
        if found is not None:
            return found
        ids = [row["id"] for row in await read(others)]
        withdrawn = self.cache.withdrawn(ids)
        return next((i for i in ids if i not in withdrawn), None)

    async def _counts(self) -> dict[str, int]:
        """Number of programs by the category's id."""
        try:
            found = await self.engine.search(Query(q="", limit=0, facets=["categoryId"]))
            with unreadable_as_unavailable():
                return found.counts("categoryId")
        except EngineUnavailableError:
            # Counting in PostgreSQL is slower than the engine's facets, but the categories must be shown.
            rows = await self.replica.rows(queries.category_counts())
            return {str(row["category_id"]): row["count"] for row in rows}

    async def series_id(self, slug: str) -> int | None:
        """Return the id of the series with a slug, or None when listeners may see no such series."""
        found = await self.series_place(slug)
        return None if found.status == 404 else msgspec.json.decode(found.body, type=int)

    async def series_place(self, slug: str) -> Answer:
        """Return the id of the series with a slug, or NOT_FOUND when listeners may see no such series."""
        statement = subjects(Series, Series.slug == slug)
        rows = await self.replica.rows(statement)
        if not rows and self._may_miss():
            rows = await self.replica.newest(statement)
        if not rows:
            return NOT_FOUND
        return Answer(_encode(rows[0]["id"]), ids=(rows[0]["program_id"],), max_ttl=self._max_ttl())

    async def formerly(self, model: Subject, slug: str) -> Answer:
        """Return `[slug, name]` of the subject that has or had a slug, or NOT_FOUND when listeners may see no such one.

        Args:
            model: The kind of subject.
            slug: The slug.
        """
        statement = formerly(model, slug)
        rows = await self.replica.rows(statement)
        if not rows and self._may_miss():
            rows = await self.replica.newest(statement)
        if not rows or self.cache.withdrawn([rows[0]["program_id"]]):
            return NOT_FOUND
        name = rows[0]["title" if model is Series else "name"]
        return Answer(_encode([rows[0]["slug"], name]), ids=(rows[0]["program_id"],), max_ttl=self._max_ttl())

    async def series(self, series_id: int, page: int, limit: int) -> Answer:
        """Return a series and a page of its programs, or NOT_FOUND when no program of it is visible.

        Args:
            series_id: The series.
            page: From 1.
            limit: Programs on a page.
        """
        found = await self._series(self.replica.rows, series_id, page, limit)
        if found is NOT_FOUND and self._may_miss():
            found = await self._series(self.replica.newest, series_id, page, limit)
        return found

    async def _series(self, read: Read, series_id: int, page: int, limit: int) -> Answer:
        max_ttl = self._max_ttl()
        rows = await read(subjects(Series, Series.id == series_id, counted=True))
        if not rows:
            return NOT_FOUND
        series = rows[0]
        of_page = queries.series_programs(series_id, (page - 1) * limit, limit)
        rows = await read(of_page)
        if self.replica.may_be_behind and self.cache.invalidations.is_behind(rows):
            rows = await self.replica.newest(of_page)
        withdrawn = self.cache.withdrawn(row["id"] for row in rows)
        programs = [program_detail(row) for row in rows if row["id"] not in withdrawn]
        # A page behind the last one is empty; the series may be visible all the same.
        visible = await self._visible(
            read,
            [program.id for program in programs] or [series["program_id"]],
            queries.visible_in(Program.series_id, series_id).limit(_TRIED),
        )
        if visible is None:
            return NOT_FOUND
        answer = schemas.SeriesPage(
            data=series_detail(series),
            programs=programs,
            meta=schemas.SeriesMeta(page=page, limit=limit, total=series["programs"]),
        )
        return Answer(_encode(answer), ids=tuple(p.id for p in programs) or (visible,), max_ttl=max_ttl)


def series_detail(row: RowMapping) -> schemas.SeriesDetail:
    """Return the series in a row of `catalog.programs.around.subjects`."""
    return schemas.SeriesDetail(
        id=row["id"],
        slug=row["slug"],
        title=row["title"],
        description=row["description"],
        language=row["language"],
        thumbnail_url=row["thumbnail_url"],
        category_id=row["category_id"],
        latest_release_date=row["latest_release"],
    )
