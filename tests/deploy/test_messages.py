"""What a person at the prompt reads: whole help texts, and one line about what can be mended."""

import os
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from api.settings import Settings
from deploy import cli
from deploy.explain import explain
from deploy.local.home import Home, UnusableHome
from tests.support.processes import environment

NOWHERE = "postgresql+psycopg://nobody@127.0.0.1:1/nothing"
POSTGRES = "should be an address such as postgresql+psycopg://user:password@host:5432/database."


def typed(*arguments: str, **variables: str) -> tuple[int, str]:
    """The exit status of a command and everything that it prints."""
    done = CliRunner().invoke(cli.main, list(arguments), env={"DATABASE_URL": NOWHERE} | variables)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


@pytest.mark.parametrize("command", ["up", "migrate"])
@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("DATABASE_URL", "nonsense", POSTGRES),
        ("DATABASE_URL", "postgres://user:secret@host/db", POSTGRES),
        ("DATABASE_URL", "postgresql+psycopg://host:port/db", POSTGRES),
        ("DATABASE_POOL_MAX", "0", "should be greater than or equal to 1."),
    ],
)
def test_a_wrong_variable_is_one_line_that_names_it(
    command: str, variable: str, value: str, said: str, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    result = typed(command, **{"THMANYAH_HOME": str(home), variable: value})
    assert result == (1, f"Error: {variable} {said}\n")
    assert not home.exists()


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("API_PORT", "abc"),
        ("API_PORT", "99999"),
        ("API_WORKERS", "0"),
        ("REDIS_CACHE_URL", "localhost:6379"),
        ("REDIS_QUEUE_URL", "redis://localhost:port/0"),
        ("MEILI_URL", "localhost:7700"),
        ("MEILI_FRESH_SECONDS", "soon"),
        ("IMPORT_BATCH", "0"),
    ],
)
def test_the_variables_of_every_process_are_read_before_the_first_one_starts(
    variable: str, value: str, tmp_path: Path
) -> None:
    status, said = typed("up", **{"THMANYAH_HOME": str(tmp_path / "home"), variable: value})
    assert (status, said.count("\n")) == (1, 1)
    assert said.startswith(f"Error: {variable} should be ")


def test_two_wrong_variables_are_both_named(tmp_path: Path) -> None:
    _, said = typed("up", THMANYAH_HOME=str(tmp_path), API_PORT="abc", API_WORKERS="0")
    assert said == (
        "Error: API_PORT should be a valid integer, unable to parse string as an integer. "
        "API_WORKERS should be greater than or equal to 1.\n"
    )


@pytest.mark.parametrize("inside", [False, True])
def test_a_file_in_the_place_of_the_home_is_one_line(tmp_path: Path, inside: bool) -> None:
    (tmp_path / "file").touch()
    home = tmp_path / "file" / "home" if inside else tmp_path / "file"
    reason = "Not a directory" if inside else "it is a file"
    assert typed("up", THMANYAH_HOME=str(home)) == (
        1,
        f"Error: {home} cannot be used: {reason}. Name another folder: THMANYAH_HOME=…\n",
    )
    status, said = typed("doctor", THMANYAH_HOME=str(home), DATABASE_URL="")
    assert status == 1
    assert f"data folder  BROKEN   {home} cannot be used" in said


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    """A folder that this process may not write."""
    tmp_path.chmod(0o500)
    user = os.geteuid()
    if user == 0:
        # The permissions do not bind root.
        os.seteuid(65534)
    yield tmp_path
    if user == 0:
        os.seteuid(0)
    tmp_path.chmod(0o700)


def test_a_home_that_cannot_be_written_is_one_line(read_only: Path) -> None:
    for use in (lambda: Home(read_only / "home"), lambda: Home(read_only).lock()):
        with pytest.raises(UnusableHome, match=r"cannot be used: Permission denied\. Name another folder"):
            use()


def test_servers_that_are_away_are_named_with_what_to_do(settings: Settings) -> None:
    status, said = typed("user", "list")
    assert status == 1
    first, second = said.splitlines()
    assert first.startswith("Error: PostgreSQL cannot be reached: ")
    assert second == "Start everything with `thmanyah up` (make run), or name a server: DATABASE_URL=…"
    known = environment(settings)
    away = "http://127.0.0.1:1"
    assert typed("engine", "add", "west", away, **known) == (
        1,
        f"Error: The engine at {away} cannot be added: it cannot be reached: Connection refused.\n",
    )
    assert typed("engine", "add", "west", settings.indexer.meili_url, **known | {"MEILI_KEY": "wrong"}) == (
        1,
        f"Error: The engine at {settings.indexer.meili_url} cannot be added: it does not accept the key, "
        "MEILI_KEY (invalid_api_key).\n",
    )


def test_an_old_schema_is_named_with_what_to_do(empty_url: str) -> None:
    assert typed("user", "list", DATABASE_URL=empty_url) == (
        1,
        "Error: The database schema is older than this build: run `thmanyah migrate`.\n",
    )


def test_a_defect_keeps_its_traceback() -> None:
    assert explain(ValueError("a defect")) is None


def test_help_is_never_cut_and_the_page_of_commands_has_all_of_them() -> None:
    status, said = typed("--help")
    assert status == 0
    assert said.count("...") == said.count("[ARGS]...")
    assert list(cli.SUMMARIES) == list(cli.COMMANDS)
    listed = " ".join(said.split())
    for name in cli.COMMANDS:
        assert f"\n    {name} " in str(cli.__doc__)
        command = cli.main.get_command(click.Context(cli.main), name)
        assert isinstance(command, click.Command)
        assert command.short_help == cli.SUMMARIES[name]
        assert f" {name} {command.short_help}" in listed
        if isinstance(command, click.Group):
            said = typed(name, "--help")[1]
            assert said.count("...") == said.count("[ARGS]...")
