"""Deterministic large catalogues: Zipf vocabulary in both languages, streamed into PostgreSQL."""

import bisect
import itertools
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, text

from catalog.programs.models import KINDS
from catalog.seed import demo, words
from catalog.text import fold, slugify

SOURCE = "generated"
BATCH = 10_000
SERIES, TAGS, PEOPLE = 200, 400, 600
_EPOCH = datetime(2015, 1, 1, tzinfo=UTC)
_DAYS = 4000
_STATUSES = (("published", 0.94), ("draft", 0.03), ("in_review", 0.01), ("archived", 0.02))


class Zipf:
    """Draws positions 0…n-1, the k-th as often as 1/(k+1)."""

    def __init__(self, n: int) -> None:
        self._sums = list(itertools.accumulate(1 / (k + 1) for k in range(n)))

    def draw(self, chance: random.Random) -> int:
        """A position."""
        return bisect.bisect_left(self._sums, chance.random() * self._sums[-1])


@dataclass(frozen=True, slots=True)
class ProgramRow:
    """A generated program; `tags` and `people` are positions in their lists."""

    number: int
    slug: str
    title: str
    description: str
    language: str
    media_type: str
    kind: str
    duration_sec: int
    release_date: datetime
    category: int
    series: int | None
    episode: int | None
    is_featured: bool
    status: str
    view_count: int
    tags: tuple[int, ...]
    people: tuple[int, ...]


def generate(count: int, seed: int = 1) -> Iterator[ProgramRow]:
    """`count` programs; the same count and seed give the same rows on any machine."""
    chance = random.Random(seed)  # noqa: S311
    vocabularies = {"ar": words.arabic(), "en": words.english()}
    zipfs = {language: Zipf(len(found)) for language, found in vocabularies.items()}
    shelves = len(list(demo.lines("categories")))
    tag_zipf, people_zipf, series_zipf, views_zipf = (
        Zipf(TAGS),
        Zipf(PEOPLE),
        Zipf(SERIES),
        Zipf(100_000),
    )
    names, chances = [n for n, _ in _STATUSES], [c for _, c in _STATUSES]

    def text_of(language: str, length: int) -> str:
        vocabulary, zipf = vocabularies[language], zipfs[language]
        return " ".join(vocabulary[zipf.draw(chance)] for _ in range(length))

    for number in range(1, count + 1):
        language = "ar" if chance.random() < 0.5 else "en"
        title = text_of(language, chance.randint(2, 6))
        kind = KINDS[0] if chance.random() < 0.7 else chance.choice(KINDS[1:])
        in_series = kind == "episode" and chance.random() < 0.8
        yield ProgramRow(
            number=number,
            slug=f"{slugify(title)[:90]}-g{number}",
            title=title[:1].upper() + title[1:],
            description=text_of(language, chance.randint(12, 45)),
            language=language,
            media_type="audio" if kind == "episode" and chance.random() < 0.8 else "video",
            kind=kind,
            duration_sec=max(45, int(chance.lognormvariate(7.6, 0.7))),
            release_date=_EPOCH
            + timedelta(days=chance.randrange(_DAYS), minutes=chance.randrange(1440)),
            category=chance.randrange(shelves),
            series=series_zipf.draw(chance) if in_series else None,
            episode=number if in_series else None,
            is_featured=chance.random() < 0.01,
            status=chance.choices(names, chances)[0],
            view_count=1_000_000 // (views_zipf.draw(chance) + 1),
            tags=tuple(sorted({tag_zipf.draw(chance) for _ in range(chance.randint(0, 4))})),
            people=tuple(sorted({people_zipf.draw(chance) for _ in range(chance.randint(0, 3))})),
        )


_PROGRAM_COLUMNS = (
    "id, slug, title, description, language, media_type, kind, duration_sec, release_date, category_id, series_id, "
    "season, episode, is_featured, status, view_count, published_at, source_type, external_id"
)


def load(
    database: Engine, count: int, seed: int = 1, progress: Callable[[int], None] = lambda done: None
) -> int:
    """Stream `count` programs in by COPY, a batch a transaction; `progress` gets the total so far.

    Triggers mark every published program, so the sender finds them. Returns the number of rows.
    """
    categories, series, tags, people = _shelves(database)
    with database.begin() as connection:
        # Ids are claimed first, so that links can be copied beside their programs.
        first = connection.scalar(text("SELECT setval(pg_get_serial_sequence('programs', 'id'), "
                                       "nextval(pg_get_serial_sequence('programs', 'id')) + :n)"), {"n": count}) - count  # fmt: skip
    rows = generate(count, seed)
    done = 0
    raw: Any = database.raw_connection()
    try:
        while batch := list(itertools.islice(rows, BATCH)):
            with raw.cursor() as cursor:
                with cursor.copy(f"COPY programs ({_PROGRAM_COLUMNS}) FROM STDIN") as copy:
                    for row in batch:
                        copy.write_row(
                            (
                                first + row.number, row.slug if first == 1 else f"{row.slug}-{first}", row.title,
                                row.description, row.language, row.media_type, row.kind, row.duration_sec,
                                row.release_date, categories[row.category],
                                None if row.series is None else series[row.series],
                                None if row.series is None else 1, row.episode, row.is_featured, row.status,
                                row.view_count, row.release_date if row.status == "published" else None,
                                SOURCE, f"{first}-{row.number}",
                            )
                        )  # fmt: skip
                with cursor.copy("COPY program_slugs (slug, program_id) FROM STDIN") as copy:
                    for row in batch:
                        copy.write_row(
                            (row.slug if first == 1 else f"{row.slug}-{first}", first + row.number)
                        )
                with cursor.copy(
                    "COPY program_tags (program_id, tag_id, position) FROM STDIN"
                ) as copy:
                    for row in batch:
                        for position, tag in enumerate(row.tags):
                            copy.write_row((first + row.number, tags[tag], position))
                with cursor.copy(
                    "COPY program_people (program_id, person_id, role, position) FROM STDIN"
                ) as copy:
                    for row in batch:
                        for position, person in enumerate(row.people):
                            copy.write_row(
                                (
                                    first + row.number,
                                    people[person],
                                    "guest" if position else "host",
                                    position,
                                )
                            )
            raw.commit()
            done += len(batch)
            progress(done)
    except BaseException:
        raw.rollback()
        raise
    finally:
        raw.close()
    with database.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE programs, program_tags, program_people"))
    return done


def _shelves(database: Engine) -> tuple[list[int], list[int], list[int], list[int]]:
    """Ids of the categories, series, tags and people that generated programs refer to."""
    arabic, english = words.arabic(), words.english()
    shelves = list(demo.lines("categories"))
    shows = [
        (
            f"generated-series-{n}",
            f"{(arabic if n % 2 else english)[n]} {(arabic if n % 2 else english)[n + 7]}",
            "ar" if n % 2 else "en",
        )
        for n in range(SERIES)
    ]
    tags = [(arabic if n % 2 else english)[n] for n in range(TAGS)]
    people = [
        f"{(arabic if n % 2 else english)[n % 97]} {(arabic if n % 2 else english)[n + 101]}".title()
        for n in range(PEOPLE)
    ]
    with database.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO categories (slug, name_ar, name_en, sort_order) VALUES (:slug, :ar, :en, :n) ON CONFLICT DO NOTHING"
            ),
            [
                {"slug": s["slug"], "ar": s["nameAr"], "en": s["nameEn"], "n": n}
                for n, s in enumerate(shelves)
            ],
        )
        connection.execute(
            text(
                "INSERT INTO series (slug, title, language) VALUES (:slug, :title, :language) ON CONFLICT DO NOTHING"
            ),
            [{"slug": s, "title": t, "language": lang} for s, t, lang in shows],
        )
        for table, found in (("tags", tags), ("people", people)):
            connection.execute(
                text(
                    f"INSERT INTO {table} (slug, name) VALUES (:slug, :name) ON CONFLICT DO NOTHING"  # noqa: S608
                ),
                [{"slug": slugify(fold(name)), "name": name} for name in found],
            )

        def ids(table: str, slugs: list[str]) -> list[int]:
            rows = connection.execute(
                text(f"SELECT slug, id FROM {table} WHERE slug = ANY(:slugs)"),  # noqa: S608
                {"slugs": slugs},
            )
            by_slug: dict[str, int] = {slug: number for slug, number in rows}  # noqa: C416
            return [by_slug[slug] for slug in slugs]

        return (
            ids("categories", [s["slug"] for s in shelves]),
            ids("series", [slug for slug, _, _ in shows]),
            ids("tags", [slugify(fold(name)) for name in tags]),
            ids("people", [slugify(fold(name)) for name in people]),
        )
