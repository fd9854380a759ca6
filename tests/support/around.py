"""A random catalogue in every state, for what is offered around a program."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine as Database
from sqlalchemy import text

from catalog.core.db import session_factory
from catalog.programs import queries
from catalog.taxonomy import categories, series
from tests.support.client import Client
from tests.support.programs import EDITOR, make

STATES = ("published", "published", "published", "draft", "in_review", "scheduled", "archived")
WORDS = ("coffee", "desert", "harbour", "قهوة", "صحراء", "ميناء", "night", "train")


def scatter(database: Database, count: int, seed: int) -> list[int]:
    """Make programs at random, with few series, people, tags and categories, in every state; return their ids."""
    chance = random.Random(seed)
    with session_factory(database).begin() as session:
        shelves = [
            categories.create(session, {"name_ar": f"رف {n}", "name_en": f"Shelf {n}"}, EDITOR).id
            for n in range(3)
        ]
        shows = [
            series.create(session, {"title": f"Show {n}", "language": "en"}, EDITOR).id for n in range(3)
        ]
        ids = []
        for n in range(count):
            values: dict[str, Any] = {
                "title": " ".join(chance.sample(WORDS, 2)) + f" {n}",
                "language": chance.choice(("ar", "en")),
                "kind": chance.choice(("episode", "film")),
                "tags": chance.sample(("a", "b", "c", "d"), chance.randrange(3)),
                "people": [
                    ("host", name) for name in chance.sample(("Ann", "Bo", "سعد"), chance.randrange(3))
                ],
            }
            if chance.random() < 0.8:
                values["release_date"] = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=n)
            if chance.random() < 0.7:
                values["category_id"] = chance.choice(shelves)
            if chance.random() < 0.5:
                values |= {"series_id": chance.choice(shows), "season": 1, "episode": n}
            ids.append(make(session, chance.choice(STATES), **values).id)
        session.flush()
        session.execute(text("UPDATE programs SET expire_at = now() - interval '1 second' WHERE id % 17 = 3"))
        session.execute(text("UPDATE programs SET deleted_at = now() WHERE id % 19 = 4"))
        session.execute(text("UPDATE programs SET view_count = (id * 7919) % 90"))
    return ids


def check_manners(listener: Client, path: str, query: str, wrong: Sequence[tuple[str, str, str]]) -> None:
    """Check what every cached public route does: memory, 304, CORS, HEAD, and refusals with a code and a field.

    Args:
        listener: A client of the API.
        path: The route.
        query: A good query string.
        wrong: Query strings with the field and the code of their refusal.
    """
    first = listener.get(f"{path}?{query}")
    assert first.status_code == 200, first.text
    again = listener.ask("GET", f"{path}?{query}", headers={"Origin": "https://a.example"})
    assert (again.headers["x-cache"], again.content) == ("l1", first.content)
    assert again.headers["access-control-allow-origin"] == "*"
    assert again.headers["cache-control"] == first.headers["cache-control"]
    tagged = listener.ask("GET", f"{path}?{query}", headers={"If-None-Match": first.headers["etag"]})
    assert (tagged.status_code, tagged.content) == (304, b"")
    head = listener.ask("HEAD", f"{path}?{query}")
    assert (head.status_code, head.headers["content-length"]) == (200, first.headers["content-length"])
    for asked, field, code in wrong:
        refused = listener.get(f"{path}?{asked}")
        problem = refused.json()
        assert (refused.status_code, problem["code"], problem["errors"][0]["field"]) == (400, code, field), (
            asked
        )


def visible(database: Database) -> dict[int, dict[str, Any]]:
    """Return the programs that listeners may see, by id, as `queries.detail()` has them."""
    with database.connect() as connection:
        rows = connection.execute(queries.detail().where(*queries.VISIBLE)).mappings()
        return {row["id"]: dict(row) for row in rows}
