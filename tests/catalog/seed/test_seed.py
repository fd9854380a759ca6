"""The demo catalogue is sound line by line; the generator repeats itself and streams."""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime

import pytest
from click.testing import CliRunner
from sqlalchemy import Connection, text
from sqlalchemy import Engine as Database
from sqlalchemy.orm import Session

from catalog.core.db import session_factory
from catalog.core.text import fold, slugify
from catalog.programs.models import KINDS, MEDIA_TYPES
from catalog.seed import demo, generator
from catalog.seed.cli import seed as command
from tests.support.demo import template
from tests.support.shared import shared_stores

pytestmark = pytest.mark.slow

ARABIC, LATIN = re.compile("[\u0621-\u064a]"), re.compile("[A-Za-z]")


def test_the_demo_catalogue_is_sound() -> None:
    rows = list(demo.programs())
    assert len(rows) >= 300
    categories = {line["slug"] for line in demo.categories()}
    shows = demo.series()
    assert len({fold(row["title"]) for row in rows}) == len(rows)
    assert len({fold(row["description"]) for row in rows}) == len(rows)
    for row in rows:
        where = row["title"]
        assert row["kind"] in KINDS, where
        assert row["mediaType"] in MEDIA_TYPES, where
        assert row["category"] in categories, where
        assert row.get("series") is None or row["series"] in shows, where
        assert date(1890, 1, 1) <= date.fromisoformat(row["date"]) <= date(2026, 12, 31), where
        assert 30 <= demo.seconds(row["duration"]) <= 5 * 3600, where
        assert 15 <= len(row["description"]) <= 600, where
        assert row["tags"], where
        assert len(set(row["tags"])) == len(row["tags"]), where
        letters = ARABIC if row["language"] == "ar" else LATIN
        assert letters.search(row["title"]), where
        assert letters.search(row["description"]), where
        assert row["title"] == row["title"].strip(), where
        if row["kind"] in ("film", "documentary"):
            assert any(role == "director" for role, _ in demo.people(row)), where
    languages = Counter(row["language"] for row in rows)
    assert min(languages["ar"], languages["en"]) >= 120
    assert all(Counter(row.get("series") for row in rows)[slug] >= 7 for slug in shows)
    assert {row["category"] for row in rows} == categories
    titles = {row["title"] for row in rows if "status" not in row}
    for line in demo.collections():
        assert len(set(line["programs"]) & titles) == len(line["programs"]) >= 5, line["slug"]


def _states(connection: Connection | Session) -> dict[str, int]:
    rows = connection.execute(text("SELECT status, count(*) AS n FROM programs GROUP BY status"))
    return {row.status: row.n for row in rows}


@pytest.fixture
def loaded() -> Iterator[Session]:
    """A session on a database with the demo catalogue."""
    with shared_stores(template()) as stores, session_factory(stores.database)() as session:
        yield session


def test_the_demo_catalogue_loads_once(loaded: Session) -> None:
    session = loaded
    assert session.scalar(text("SELECT count(*) FROM programs")) == len(list(demo.programs()))
    assert demo.load(session) == 0
    states = _states(session)
    assert states["published"] >= 290
    assert set(states) == {"published", "in_review", "scheduled", "archived", "draft"} & set(states)
    # Every published program waits for the engine, by the trigger alone.
    waiting = "SELECT count(*) FROM programs p JOIN index_dirty d ON d.program_id = p.id WHERE p.status = 'published'"
    assert session.scalar(text(waiting)) == states["published"]
    twice = session.scalars(
        text(
            "SELECT series_id FROM programs WHERE kind = 'episode' AND series_id IS NOT NULL "
            "GROUP BY series_id, season, episode HAVING count(*) > 1"
        )
    ).all()
    assert twice == []


def test_a_load_that_is_stopped_writes_nothing(database: Database) -> None:
    calls: list[None] = []

    def stop_at_the_third() -> None:
        calls.append(None)
        if len(calls) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), session_factory(database).begin() as session:
        demo.load(session, stop_at_the_third)
    with database.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM programs")) == 0


def test_the_same_seed_gives_the_same_programs() -> None:
    first = list(generator.generate(500, 7))
    assert first == list(generator.generate(500, 7))
    assert first != list(generator.generate(500, 8))
    # A larger catalogue begins with the smaller one, so that measurements can be compared.
    assert list(generator.generate(600, 7))[:500] == first
    languages = Counter(row.language for row in first)
    assert min(languages["ar"], languages["en"]) > 100
    assert all(slugify(row.slug) == row.slug for row in first)
    assert all(isinstance(row.release_date, datetime) for row in first)


def test_its_words_are_used_as_words_are() -> None:
    counted = Counter(
        word for row in generator.generate(3000, 1) for word in fold(row.title).split()
    ).most_common()
    # Zipf: a few words everywhere, most of them seldom.
    top = sum(count for _, count in counted[: len(counted) // 20])
    assert top > 0.25 * sum(count for _, count in counted)
    assert counted[0][1] > 10 * counted[len(counted) // 2][1]


def test_it_streams_into_the_record(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    done = CliRunner().invoke(command, ["--count", "1500"])
    assert done.exit_code == 0, done.output
    assert "1500 programs added" in done.output
    with database.connect() as connection:
        states = _states(connection)
        assert sum(states.values()) == 1500
        assert states["published"] > 1300
        marked = connection.scalar(text("SELECT count(*) FROM index_dirty"))
        assert marked == states["published"]
        assert connection.scalar(text("SELECT count(*) FROM program_tags")) > 1500
        orphans = "SELECT count(*) FROM program_slugs s LEFT JOIN programs p ON p.id = s.program_id WHERE p.id IS NULL"
        assert connection.scalar(text(orphans)) == 0
        assert connection.scalar(text("SELECT count(*) FROM program_slugs")) == 1500
    again = CliRunner().invoke(command, ["--count", "10000001"])
    assert again.exit_code == 2
