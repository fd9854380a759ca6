"""Streams generated programs into PostgreSQL by COPY, past the application; the triggers mark the published ones."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, Engine, text
from sqlalchemy.orm import Session

from catalog.core.db import copy_rows, session_factory
from catalog.core.text import fold, slugify
from catalog.seed import demo, words
from catalog.seed.generator import PEOPLE, SERIES, TAGS, ProgramRow, generate

SOURCE = "generated"
# Programs in one transaction.
BATCH = 10_000
_COLUMNS = (
    "id",
    "slug",
    "title",
    "description",
    "language",
    "media_type",
    "kind",
    "duration_sec",
    "release_date",
    "category_id",
    "series_id",
    "season",
    "episode",
    "is_featured",
    "status",
    "view_count",
    "published_at",
    "source_type",
    "external_id",
)


class TaxonomyIds(NamedTuple):
    """The ids behind the positions in a ProgramRow."""

    categories: list[int]
    series: list[int]
    tags: list[int]
    people: list[int]


def load(
    database: Engine,
    count: int,
    seed: int = 1,
    progress: Callable[[int], None] = lambda done: None,
    vocabularies: Mapping[str, Sequence[str]] | None = None,
) -> int:
    """Generate programs and store them beside those that are there.

    Args:
        database: Its statement timeout must leave time for a COPY of `BATCH` programs.
        count: How many programs.
        seed: As for `generator.generate`.
        progress: Called after each batch with the number of programs stored so far.
        vocabularies: As for `generator.generate`.

    Returns:
        How many programs were stored.
    """
    with database.begin() as connection:
        ids = _create_taxonomy(connection)
        # All ids are taken from the sequence first, so that links can be copied beside their programs.
        first_id = connection.scalar(
            text(
                "SELECT setval(pg_get_serial_sequence('programs', 'id'), "
                "nextval(pg_get_serial_sequence('programs', 'id')) + :n) - :n"
            ),
            {"n": count},
        )
    rows = generate(count, seed, vocabularies)
    done = 0
    while batch := list(itertools.islice(rows, BATCH)):
        with session_factory(database).begin() as session:
            _copy(session, batch, int(first_id or 0), ids)
        done += len(batch)
        progress(done)
    with database.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE programs, program_tags, program_people"))
    return done


def _copy(session: Session, batch: Sequence[ProgramRow], first_id: int, ids: TaxonomyIds) -> None:
    # A second catalogue in the same database gets other addresses than the first.
    suffix = "" if first_id == 1 else f"-{first_id}"
    slugs = [(f"{row.slug}{suffix}", first_id + row.number) for row in batch]
    programs = [
        _columns(row, slug, program_id, f"{first_id}-{row.number}", ids)
        for row, (slug, program_id) in zip(batch, slugs, strict=True)
    ]
    copy_rows(session, "programs", _COLUMNS, programs)
    copy_rows(session, "program_slugs", ("slug", "program_id"), slugs)
    tags = [
        (first_id + row.number, ids.tags[tag], position)
        for row in batch
        for position, tag in enumerate(row.tags)
    ]
    copy_rows(session, "program_tags", ("program_id", "tag_id", "position"), tags)
    people = [
        (first_id + row.number, ids.people[person], "guest" if position else "host", position)
        for row in batch
        for position, person in enumerate(row.people)
    ]
    copy_rows(session, "program_people", ("program_id", "person_id", "role", "position"), people)


def _columns(
    row: ProgramRow, slug: str, program_id: int, external_id: str, ids: TaxonomyIds
) -> tuple[object, ...]:
    """The values of `_COLUMNS`."""
    return (
        program_id,
        slug,
        row.title,
        row.description,
        row.language,
        row.media_type,
        row.kind,
        row.duration_sec,
        row.release_date,
        ids.categories[row.category],
        None if row.series is None else ids.series[row.series],
        None if row.series is None else 1,
        row.episode,
        row.is_featured,
        row.status,
        row.view_count,
        row.release_date if row.status == "published" else None,
        SOURCE,
        external_id,
    )


def _create_taxonomy(connection: Connection) -> TaxonomyIds:
    """Create the categories, series, tags and people of generated programs where they are missing."""
    arabic, english = words.arabic(), words.english()

    def vocabulary(n: int) -> tuple[str, ...]:
        return arabic if n % 2 else english

    categories = [
        {"slug": line["slug"], "ar": line["nameAr"], "en": line["nameEn"], "n": n}
        for n, line in enumerate(demo.categories())
    ]
    series = [
        {
            "slug": f"generated-series-{n}",
            "title": f"{vocabulary(n)[n]} {vocabulary(n)[n + 7]}",
            "language": "ar" if n % 2 else "en",
        }
        for n in range(SERIES)
    ]
    tags = [vocabulary(n)[n] for n in range(TAGS)]
    people = [f"{vocabulary(n)[n % 97]} {vocabulary(n)[n + 101]}".title() for n in range(PEOPLE)]
    connection.execute(
        text(
            "INSERT INTO categories (slug, name_ar, name_en, sort_order) VALUES (:slug, :ar, :en, :n) "
            "ON CONFLICT DO NOTHING"
        ),
        categories,
    )
    connection.execute(
        text(
            "INSERT INTO series (slug, title, language) VALUES (:slug, :title, :language) "
            "ON CONFLICT DO NOTHING"
        ),
        series,
    )
    for table, names in (("tags", tags), ("people", people)):
        connection.execute(
            text(
                f"INSERT INTO {table} (slug, name) VALUES (:slug, :name) ON CONFLICT DO NOTHING"  # noqa: S608  (two fixed names)
            ),
            [{"slug": slugify(fold(name)), "name": name} for name in names],
        )

    def ids_of(table: str, slugs: list[str]) -> list[int]:
        query = text(f"SELECT slug, id FROM {table} WHERE slug = ANY(:slugs)")  # noqa: S608  (four fixed names)
        by_slug = {row.slug: row.id for row in connection.execute(query, {"slugs": slugs})}
        return [by_slug[slug] for slug in slugs]

    return TaxonomyIds(
        ids_of("categories", [str(row["slug"]) for row in categories]),
        ids_of("series", [row["slug"] for row in series]),
        ids_of("tags", [slugify(fold(name)) for name in tags]),
        ids_of("people", [slugify(fold(name)) for name in people]),
    )
