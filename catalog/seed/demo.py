"""The demo catalogue: a few hundred programs of several series, films and documentaries.

The texts are in `data/*.jsonl`, one program a line; here is only how they become rows.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from catalog.actor import Actor
from catalog.categories import lifecycle as categories
from catalog.categories.models import Category
from catalog.programs import lifecycle
from catalog.programs.models import Program
from catalog.series import lifecycle as series
from catalog.series.models import Series
from catalog.text import slugify

SOURCE = "demo"
ACTOR = Actor("system", name="demo catalogue")
_DEFAULTS = {
    "episodes_ar": {"language": "ar", "kind": "episode", "mediaType": "audio"},
    "episodes_en": {"language": "en", "kind": "episode", "mediaType": "audio"},
    "films_ar": {"language": "ar", "kind": "film", "mediaType": "video"},
    "films_en": {"language": "en", "kind": "film", "mediaType": "video"},
    "documentaries": {"kind": "documentary", "mediaType": "video"},
    "specials": {"mediaType": "video"},
}
_ROLES = (("host", "host"), ("guests", "guest"), ("director", "director"), ("cast", "cast"))


def lines(name: str) -> Iterator[dict[str, Any]]:
    """The objects of one data file."""
    text = files("catalog.seed").joinpath("data", f"{name}.jsonl").read_text(encoding="utf-8")
    for line in text.splitlines():
        yield json.loads(line)


def programs() -> Iterator[dict[str, Any]]:
    """Every program with its series' and its file's defaults filled in."""
    shows = {row["slug"]: row for row in lines("series")}
    for name, defaults in _DEFAULTS.items():
        for row in lines(name):
            show = shows.get(row.get("series", ""), {})
            inherited = {
                k: show[k]
                for k in ("language", "kind", "mediaType", "category", "host")
                if k in show
            }
            yield defaults | inherited | row


def seconds(clock: str) -> int:
    """`1:02:03` as seconds."""
    hours, minutes, rest = (int(part) for part in clock.split(":"))
    return hours * 3600 + minutes * 60 + rest


def people(row: dict[str, Any]) -> list[tuple[str, str]]:
    """(role, name) pairs of a program."""
    found = []
    for key, role in _ROLES:
        names = row.get(key) or []
        found += [(role, name) for name in ([names] if isinstance(names, str) else names)]
    return found


def load(session: Session) -> int:
    """Load what is not there yet; returns how many programs were added. The caller commits."""
    shelves = _shelves(session)
    shows = _shows(session, shelves)
    known = set(session.scalars(select(Program.external_id).where(Program.source_type == SOURCE)))
    episode: dict[str, int] = {}
    added = 0
    for row in programs():
        external = f"{row['kind']}-{slugify(row['title'])}"
        show = row.get("series")
        if show and row["kind"] == "episode":
            episode[show] = episode.get(show, 0) + 1
        if external in known:
            continue
        _add(session, row, external, shelves, shows, episode.get(show or "", 0))
        added += 1
    return added


def _shelves(session: Session) -> dict[str, int]:
    found = {c.slug: c.id for c in session.scalars(select(Category))}
    for order, row in enumerate(lines("categories")):
        if row["slug"] not in found:
            values = {
                "slug": row["slug"],
                "name_ar": row["nameAr"],
                "name_en": row["nameEn"],
                "sort_order": order,
            }
            found[row["slug"]] = categories.create(session, values, ACTOR).id
    return found


def _shows(session: Session, shelves: dict[str, int]) -> dict[str, int]:
    found = {s.slug: s.id for s in session.scalars(select(Series))}
    for row in lines("series"):
        if row["slug"] not in found:
            values = {
                "slug": row["slug"], "title": row["title"], "description": row["description"],
                "language": row["language"], "category_id": shelves[row["category"]],
            }  # fmt: skip
            found[row["slug"]] = series.create(session, values, ACTOR).id
    return found


def _add(
    session: Session,
    row: dict[str, Any],
    external: str,
    shelves: dict[str, int],
    shows: dict[str, int],
    episode: int,
) -> None:
    values: dict[str, Any] = {
        "title": row["title"],
        "description": row["description"],
        "language": row["language"],
        "media_type": row["mediaType"],
        "kind": row["kind"],
        "duration_sec": seconds(row["duration"]),
        "release_date": datetime.fromisoformat(row["date"]).replace(tzinfo=UTC),
        "category_id": shelves[row["category"]],
        "is_featured": row.get("featured", False),
        "is_explicit": row.get("explicit", False),
        "tags": row["tags"],
        "people": people(row),
    }
    if "series" in row:
        values["series_id"] = shows[row["series"]]
        if row["kind"] == "episode":
            values |= {"season": 1, "episode": episode}
    program = lifecycle.create(session, values, ACTOR, source=(SOURCE, external))
    _bring_to(session, program.id, row)
    if row["views"]:
        session.execute(
            update(Program).where(Program.id == program.id).values(view_count=row["views"])
        )


def _bring_to(session: Session, program_id: int, row: dict[str, Any]) -> None:
    match row.get("status", "published"):
        case "published":
            lifecycle.publish(session, program_id, ACTOR)
        case "in_review":
            lifecycle.submit(session, program_id, ACTOR)
        case "scheduled":
            at = lifecycle.database_now(session) + timedelta(days=row["publishInDays"])
            lifecycle.schedule(session, program_id, at, ACTOR)
        case "archived":
            lifecycle.archive(session, program_id, ACTOR)
