"""A random catalogue that is also counted by hand, and random filters over it."""

import random
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from catalog.core.db import session_factory
from catalog.taxonomy import categories, series
from tests.support.pipeline import Pipeline
from tests.support.programs import EDITOR, make

TAGS = ("قهوة", "تاريخ", "coffee", "history, modern", "مدن")
PEOPLE = ("سارة العمري", "Omar Haddad", "King, Jr.", "ليلى")
WORD = "lantern"
# In Riyadh it is 2023 already.
BEGIN = datetime(2022, 12, 31, 22, tzinfo=UTC)
RIYADH = ZoneInfo("Asia/Riyadh")
# Seconds -> the ranges that they are in.
DURATIONS = {None: set(), 300: {"0-599"}, 900: {"600-1199"}, 3600: {"3600-7199"}, 7200: {"7200-"}}
# Filter -> the facet whose values it takes, and whether a program must have all of them.
BY_VALUE = {
    "categoryId": ("categoryId", False),
    "seriesId": ("seriesId", False),
    "language": ("language", False),
    "mediaType": ("mediaType", False),
    "kind": ("kind", False),
    "tag": ("tags", False),
    "tagAll": ("tags", True),
    "person": ("people", False),
    "personAll": ("people", True),
}


class Catalogue:
    """Programs as facet -> values, and their moments and durations."""

    def __init__(self, pipeline: Pipeline, chance: random.Random, count: int) -> None:
        self.chance = chance
        self.programs: list[dict[str, Any]] = []
        with session_factory(pipeline.database).begin() as session:
            shelves = [
                categories.create(session, {"name_ar": f"رف {n}", "name_en": f"Shelf {n}"}, EDITOR).id
                for n in range(3)
            ]
            shows = [
                series.create(session, {"title": f"Show {n}", "language": "en"}, EDITOR).id for n in range(3)
            ]
            for n in range(count):
                values = {
                    "title": f"Program {n} {WORD if n % 3 else 'elsewhere'}",
                    "language": chance.choice(["ar", "en"]),
                    "media_type": chance.choice(["audio", "video"]),
                    "kind": chance.choice(["episode", "film", "documentary"]),
                    "category_id": chance.choice([None, *shelves]),
                    "series_id": chance.choice([None, *shows]),
                    "tags": chance.sample(TAGS, chance.randrange(4)),
                    "people": [("guest", name) for name in chance.sample(PEOPLE, chance.randrange(3))],
                    "is_featured": chance.random() < 0.3,
                    "duration_sec": chance.choice(list(DURATIONS)),
                    "release_date": BEGIN + timedelta(days=chance.randrange(500)),
                }
                make(session, "published", **values)
                self.programs.append(
                    {
                        "named": bool(n % 3),
                        "categoryId": _texts(values["category_id"]),
                        "seriesId": _texts(values["series_id"]),
                        "language": {values["language"]},
                        "mediaType": {values["media_type"]},
                        "kind": {values["kind"]},
                        "tags": set(values["tags"]),
                        "people": {name for _, name in values["people"]},
                        "isFeatured": {str(values["is_featured"]).lower()},
                        "duration": DURATIONS[values["duration_sec"]],
                        "releaseYear": {str(values["release_date"].astimezone(RIYADH).year)},
                        "seconds": values["duration_sec"],
                        "released": values["release_date"],
                    }
                )
        pipeline.sender().drain()
        self.values = {
            facet: sorted({value for program in self.programs for value in program[facet]})
            for facet, _ in BY_VALUE.values()
        }

    def filters(self) -> dict[str, Any]:
        """Return some filters with values of the catalogue."""
        chance, found = self.chance, dict[str, Any]()
        for name in chance.sample(sorted(BY_VALUE), chance.randrange(4)):
            facet, every = BY_VALUE[name]
            values = self.values[facet]
            found[name] = chance.sample(values, chance.randint(1, min(len(values), 2 if every else 3)))
        if chance.random() < 0.2:
            found["featured"] = chance.choice(["true", "false"])
        if chance.random() < 0.2:
            found["durationMin"] = chance.choice([1, 900, 3600])
        if chance.random() < 0.2:
            found["releasedBefore"] = (BEGIN + timedelta(days=chance.randrange(500))).date().isoformat()
        return found

    def counted(self, asked: Mapping[str, Any], facet: str | None = None) -> list[dict[str, Any]]:
        """Return the programs that meet the filters, but for those by the values of `facet`."""
        return [program for program in self.programs if _meets(program, asked, facet)]

    def counts(self, asked: Mapping[str, Any], facet: str) -> dict[str, int]:
        """Return the number of programs of each value of a facet, as its answer has to say."""
        return Counter(value for program in self.counted(asked, facet) for value in program[facet])


def sent(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return filters as a query string has them: a comma that belongs to a value is marked."""
    return {
        name: [one.replace(",", "\\,") for one in value] if isinstance(value, list) else value
        for name, value in asked.items()
    }


def _texts(value: int | None) -> set[str]:
    return set() if value is None else {str(value)}


def _meets(program: Mapping[str, Any], asked: Mapping[str, Any], without: str | None) -> bool:
    for name, wanted in asked.items():
        if name in BY_VALUE:
            facet, every = BY_VALUE[name]
            if facet == without and not every:
                continue
            has = program[facet]
            if not (set(wanted) <= has if every else has & set(wanted)):
                return False
        elif name == "featured":
            if without != "isFeatured" and program["isFeatured"] != {wanted}:
                return False
        elif name == "durationMin":
            if without != "duration" and (program["seconds"] or 0) < wanted:
                return False
        # The whole day of a listener in Riyadh.
        elif name == "releasedBefore":
            last = datetime.fromisoformat(f"{wanted}T23:59:59+03:00")
            if without != "releaseYear" and program["released"] > last:
                return False
    return program["named"] or "q" not in asked
