"""The demo catalogue: a few hundred episodes, films and documentaries with their series, categories and collections.

The texts are in `data/*.jsonl`, one object a line. This module turns them into rows, by the rules that editors' changes
follow.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import NotRequired, TypedDict, TypeVar

import msgspec
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from catalog.core.actor import Actor
from catalog.core.db import change_rows, database_now
from catalog.core.text import slugify
from catalog.curation import collections as collection_editing
from catalog.curation.models import Collection
from catalog.programs import editing, lifecycle
from catalog.programs.models import Program
from catalog.review.rights import EVERYTHING
from catalog.taxonomy import categories as category_editing
from catalog.taxonomy import series as series_editing
from catalog.taxonomy.models import Category, Series

SOURCE = "demo"
ACTOR = Actor("system", name="demo catalogue")


class CategoryLine(TypedDict):
    """A line of categories.jsonl."""

    slug: str
    nameAr: str
    nameEn: str


class SeriesLine(TypedDict):
    """A line of series.jsonl; episodes inherit language, kind, mediaType, category and host."""

    slug: str
    title: str
    description: str
    language: str
    kind: str
    mediaType: str
    category: str
    host: str


class ProgramLine(TypedDict):
    """A line of another file, with what its series and its file say filled in.

    `duration` is h:mm:ss, `date` is ISO 8601, `series` and `category` are slugs. `publishInDays` belongs to the status
    scheduled.
    """

    title: str
    description: str
    language: str
    kind: str
    mediaType: str
    category: str
    tags: list[str]
    duration: str
    date: str
    views: int
    series: NotRequired[str]
    host: NotRequired[str]
    guests: NotRequired[list[str]]
    director: NotRequired[str]
    cast: NotRequired[list[str]]
    featured: NotRequired[bool]
    explicit: NotRequired[bool]
    status: NotRequired[str]
    publishInDays: NotRequired[int]


class CollectionLine(TypedDict):
    """A line of collections.jsonl; `programs` are titles."""

    slug: str
    titleAr: str
    titleEn: str
    descriptionAr: str
    descriptionEn: str
    programs: list[str]


# The files with programs, and what holds for every line of a file unless the line or its series says otherwise.
_DEFAULTS: dict[str, dict[str, object]] = {
    "episodes_ar": {"language": "ar", "kind": "episode", "mediaType": "audio"},
    "episodes_en": {"language": "en", "kind": "episode", "mediaType": "audio"},
    "films_ar": {"language": "ar", "kind": "film", "mediaType": "video"},
    "films_en": {"language": "en", "kind": "film", "mediaType": "video"},
    "documentaries": {"kind": "documentary", "mediaType": "video"},
    "specials": {"mediaType": "video"},
}
Line = TypeVar("Line")


def _lines(name: str, shape: type[Line]) -> Iterator[Line]:
    text = files("catalog.seed").joinpath("data", f"{name}.jsonl").read_text(encoding="utf-8")
    for line in text.splitlines():
        yield msgspec.json.decode(line, type=shape)


def categories() -> list[CategoryLine]:
    """Return the categories, in the order in which listeners see them."""
    return list(_lines("categories", CategoryLine))


def series() -> dict[str, SeriesLine]:
    """Return the series by slug."""
    return {line["slug"]: line for line in _lines("series", SeriesLine)}


def collections() -> list[CollectionLine]:
    """Return the collections, in the order in which listeners see them."""
    return list(_lines("collections", CollectionLine))


def programs() -> Iterator[ProgramLine]:
    """Yield every program, with what its series and its file say filled in."""
    by_slug = {line["slug"]: line for line in _lines("series", dict[str, object])}
    inherited_names = ("language", "kind", "mediaType", "category", "host")
    for name, defaults in _DEFAULTS.items():
        for line in _lines(name, dict[str, object]):
            show = by_slug.get(line.get("series"), {})
            inherited = {field: show[field] for field in inherited_names if field in show}
            yield msgspec.convert(defaults | inherited | line, ProgramLine)


def seconds(duration: str) -> int:
    """Return a duration such as `1:02:03` in seconds."""
    hours, minutes, rest = (int(part) for part in duration.split(":"))
    return hours * 3600 + minutes * 60 + rest


def people(line: ProgramLine) -> list[tuple[str, str]]:
    """Return the (role, name) pairs of a program."""
    host, director = line.get("host"), line.get("director")
    return [
        *([("host", host)] if host else []),
        *(("guest", name) for name in line.get("guests", [])),
        *([("director", director)] if director else []),
        *(("cast", name) for name in line.get("cast", [])),
    ]


def load(session: Session, before_each: Callable[[], None] = lambda: None) -> int:
    """Load the programs that are not there yet, and return how many. The caller commits.

    Args:
        session: The transaction.
        before_each: Called before each program. What it raises ends the load, which takes seconds.
    """
    category_ids = _category_ids(session)
    series_ids = _series_ids(session, category_ids)
    loaded = set(session.scalars(select(Program.external_id).where(Program.source_type == SOURCE)))
    episodes: dict[str, int] = {}
    added = 0
    for line in programs():
        slug = line.get("series")
        if slug and line["kind"] == "episode":
            episodes[slug] = episodes.get(slug, 0) + 1
        external_id = f"{line['kind']}-{slugify(line['title'])}"
        if external_id in loaded:
            continue
        before_each()
        values = _values(line, category_ids)
        if slug:
            values["series_id"] = series_ids[slug]
            if line["kind"] == "episode":
                values |= {"season": 1, "episode": episodes[slug]}
        source = editing.Source(SOURCE, external_id, None)
        program = editing.create(session, values, ACTOR, source=source)
        _reach_status(session, program.id, line)
        if line["views"]:
            viewed = update(Program).where(Program.id == program.id)
            change_rows(session, viewed.values(view_count=line["views"]))
        added += 1
    _load_collections(session)
    return added


def _load_collections(session: Session) -> None:
    """Make the collections that are not there yet."""
    there = set(session.scalars(select(Collection.slug)))
    for n, line in enumerate(collections()):
        if line["slug"] in there:
            continue
        of_title = select(Program.title, Program.id).where(
            Program.source_type == SOURCE, Program.title.in_(line["programs"])
        )
        ids = {row.title: row.id for row in session.execute(of_title)}
        values = {
            "slug": line["slug"],
            "title_ar": line["titleAr"],
            "title_en": line["titleEn"],
            "description_ar": line["descriptionAr"],
            "description_en": line["descriptionEn"],
            "sort_order": n,
            "status": "published",
        }
        made = collection_editing.create(session, values, ACTOR, EVERYTHING)
        chosen = [ids[title] for title in line["programs"] if title in ids]
        collection_editing.arrange(session, made.id, chosen, ACTOR, EVERYTHING)


def _category_ids(session: Session) -> dict[str, int]:
    """The ids of the categories by slug; missing categories are created."""
    ids = {category.slug: category.id for category in session.scalars(select(Category))}
    for order, line in enumerate(categories()):
        if line["slug"] not in ids:
            names = {"name_ar": line["nameAr"], "name_en": line["nameEn"]}
            values = {"slug": line["slug"], **names, "sort_order": order}
            ids[line["slug"]] = category_editing.create(session, values, ACTOR).id
    return ids


def _series_ids(session: Session, category_ids: dict[str, int]) -> dict[str, int]:
    """The ids of the series by slug; missing series are created."""
    ids = {row.slug: row.id for row in session.scalars(select(Series))}
    for slug, line in series().items():
        if slug not in ids:
            values = {
                "slug": slug,
                "title": line["title"],
                "description": line["description"],
                "language": line["language"],
                "category_id": category_ids[line["category"]],
            }
            ids[slug] = series_editing.create(session, values, ACTOR).id
    return ids


def _values(line: ProgramLine, category_ids: dict[str, int]) -> dict[str, object]:
    return {
        "title": line["title"],
        "description": line["description"],
        "language": line["language"],
        "media_type": line["mediaType"],
        "kind": line["kind"],
        "duration_sec": seconds(line["duration"]),
        "release_date": datetime.fromisoformat(line["date"]).replace(tzinfo=UTC),
        "category_id": category_ids[line["category"]],
        "is_featured": line.get("featured", False),
        "is_explicit": line.get("explicit", False),
        "tags": line["tags"],
        "people": people(line),
    }


def _reach_status(session: Session, program_id: int, line: ProgramLine) -> None:
    """Bring a draft to the status of its line."""
    match line.get("status", "published"):
        case "published":
            lifecycle.transition(session, program_id, "publish", ACTOR)
        case "in_review":
            lifecycle.transition(session, program_id, "submit", ACTOR)
        case "scheduled":
            at = database_now(session) + timedelta(days=line.get("publishInDays", 1))
            lifecycle.transition(session, program_id, "schedule", ACTOR, at=at)
        case "archived":
            lifecycle.transition(session, program_id, "archive", ACTOR)
