"""`thmanyah doctor` over real servers: each line is ok, warn or fail, and says what to do."""

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine as Database
from sqlalchemy import make_url, text

from api.settings import Settings
from deploy.doctor import Size, connections_of_instance, doctor, examine
from tests.support.commands import Terminal
from tests.support.databases import plain

ONE = Size(1, 1000)
AWAY = "postgresql+psycopg://postgres@127.0.0.1:1/x"


def verdicts(settings: Settings, size: Size = ONE) -> dict[str, tuple[str, str]]:
    return {verdict.about: (verdict.level, verdict.said) for verdict in examine(settings, size)}


def changed(settings: Settings, layer: str, **values: object) -> Settings:
    return replace(settings, **{layer: getattr(settings, layer).model_copy(update=values)})


@pytest.fixture
def durable(settings: Settings, database: Database) -> Settings:
    """The settings of a database that keeps what was committed; the tests' server does not."""
    name = make_url(settings.catalog.database_url).database
    with database.begin() as connection:
        connection.execute(text(f"ALTER DATABASE {name} SET synchronous_commit = on"))
    return settings


def test_servers_that_fit_are_ok(durable: Settings) -> None:
    found = verdicts(durable)
    # The tests' Valkey keeps nothing on disk.
    assert found.pop("queue") == ("warn", "jobs are lost when it restarts: set appendonly yes")
    assert {about: level for about, (level, _) in found.items()} == dict.fromkeys(found, "ok")
    wanted = {
        "primary",
        "clock",
        "direct",
        "migrations",
        "replicas",
        "connections",
        "cache",
        "engine default",
        "pictures",
    }
    assert set(found) == wanted


@pytest.mark.parametrize(
    ("layer", "values", "about", "level", "said"),
    [
        ("catalog", {"database_replica_url": AWAY}, "replica 127.0.0.1", "warn", "start it or remove it"),
        ("indexer", {"redis_cache_url": "redis://127.0.0.1:1"}, "cache", "fail", "everything is slower"),
        ("indexer", {"redis_queue_url": "redis://127.0.0.1:1"}, "queue", "fail", "imports, rebuilds"),
        ("indexer", {"meili_url": "http://127.0.0.1:1"}, "engine default", "fail", "MEILI_URLS"),
        (
            "catalog",
            {"database_url": AWAY, "database_direct_url": AWAY},
            "primary",
            "fail",
            "does not answer",
        ),
        ("catalog", {}, "primary", "fail", "synchronous_commit is off"),
        ("catalog", {"pool_max": 5000}, "connections", "fail", "lower DATABASE_POOL_MAX"),
    ],
)
def test_what_is_wrong_is_named_with_what_to_do(
    layer: str, values: dict[str, object], about: str, level: str, said: str, settings: Settings
) -> None:
    found = verdicts(changed(settings, layer, **values))
    assert found[about][0] == level
    assert said in found[about][1]


def test_a_database_without_a_schema_is_told(settings: Settings, empty_url: str) -> None:
    found = verdicts(changed(settings, "catalog", database_url=empty_url))
    assert found["migrations"] == ("fail", "the database has no schema: run `thmanyah migrate`")


def test_pgbouncers_limit_counts_when_there_is_one(settings: Settings) -> None:
    # Another address of the same server, as a pooler's would be.
    pooled = settings.catalog.database_url.replace("127.0.0.1", "localhost")
    through = changed(
        settings, "catalog", database_url=pooled, database_direct_url=settings.catalog.database_url
    )
    each = connections_of_instance(settings)
    assert verdicts(through, Size(2, 2 * each))["connections"][0] == "ok"
    level, said = verdicts(through, Size(2, 2 * each - 1))["connections"]
    assert (level, f"2 instances x {each} = {2 * each} at most" in said) == ("fail", True)


def test_the_place_of_pictures(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def said(size: Size = ONE, **variables: str) -> tuple[str, str]:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        return verdicts(settings, size)["pictures"]

    assert said() == ("ok", "no place is set: editors upload none")
    assert said(PICTURES_FOLDER=str(tmp_path)) == ("ok", "a folder")
    level, advice = said(Size(3, 1000))
    assert (level, "all 3 instances must share" in advice) == ("warn", True)
    assert said(PICTURES_FOLDER=__file__)[0] == "fail"
    bucket = {"PICTURES_FOLDER": "", "PICTURES_BUCKET_URL": "http://127.0.0.1:1/pictures"}
    level, advice = said(**bucket)
    assert (level, "PICTURES_BUCKET_SECRET" in advice) == ("fail", True)
    level, advice = said(PICTURES_BUCKET_KEY_ID="key", PICTURES_BUCKET_SECRET="hidden")
    assert (level, "does not answer" in advice, "hidden" in advice) == ("fail", True, False)


def test_the_command_ends_with_one_on_a_failure(durable: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal(durable, monkeypatch)
    code, said = terminal.type(doctor, "--instances", "1")
    assert code == 0, said
    assert said.startswith("ok    settings")
    code, said = terminal.type(doctor, "--instances", "1000")
    assert code == 1
    assert "fail  connections" in said
    assert plain(durable.catalog.database_url) not in said
