"""`thmanyah import`: as a process, and in the test's own where nothing depends on that."""

import os
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from api.settings import Settings
from deploy import cli
from deploy.local.stack import thmanyah
from tests.support.importing import Importer, episode, rss
from tests.support.processes import environment
from tests.support.sites import site

pytestmark = pytest.mark.slow


class Shell:
    """Runs the command in a folder; remembers nothing."""

    def __init__(self, env: dict[str, str], folder: Path) -> None:
        self.env, self.folder = env | {"COLUMNS": "200"}, folder

    def run(self, *arguments: str, **env: str) -> tuple[int, str]:
        """Run it in this process."""
        done = CliRunner().invoke(cli.main, ["import", *arguments], env=self.env | env)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done.exit_code, done.output

    def start(self, *arguments: str) -> tuple[int, str]:
        """Run it as somebody types it."""
        done = subprocess.run(
            [*thmanyah("import"), *arguments],
            env=os.environ | self.env,
            capture_output=True,
            text=True,
            cwd=self.folder,
            timeout=120,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr


@pytest.fixture
def shell(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.chdir(tmp_path)
    return Shell(environment(settings), tmp_path)


def test_a_file(shell: Shell, importer: Importer) -> None:
    (shell.folder / "a.csv").write_text("id,Name,lang,kind\n1,قهوة,ar,episode\n2,,ar,episode\n")
    code, said = shell.start("a.csv", "--map", "Name=title", "--media-type", "audio")
    assert code == 1
    assert "succeeded" in said
    assert "title: Must be given." in said
    assert [p.title for p in importer.programs()] == ["قهوة"]
    assert shell.run("nothing.csv")[0] == 1
    assert shell.run("a.csv", "--map", "Name")[0] == 2
    assert shell.run("a.bin")[0] == 2


def test_without_a_database_it_says_what_to_do(shell: Shell) -> None:
    (shell.folder / "a.csv").write_text("id,title\n1,a\n")
    shell.env["DATABASE_URL"] = "postgresql+psycopg://nobody@127.0.0.1:1/nothing"
    code, said = shell.run("a.csv")
    assert code == 1
    assert said.startswith("Error: PostgreSQL cannot be reached")
    assert "thmanyah up" in said
    assert len(said.splitlines()) <= 3


def test_the_stack_of_the_same_folder_is_found(shell: Shell, importer: Importer) -> None:
    (shell.folder / "a.csv").write_text("id,title,lang,mediaType\n1,a,en,audio\n")
    (shell.folder / ".thmanyah").mkdir()
    (shell.folder / ".thmanyah/ports.json").write_text('{"postgres": 1, "valkey": 1}')
    # What the environment names is used as it is.
    assert shell.run("a.csv")[0] == 0
    del shell.env["DATABASE_URL"]
    code, said = shell.start("a.csv")
    assert (code, "port 1 failed" in said) == (1, True)


def test_a_feed_is_tried_published_and_remembered(shell: Shell, importer: Importer) -> None:
    with site() as stranger:
        stranger.pages["/feed"] = (200, {}, rss(episode(1), episode(2)))
        trusted = {"IMPORT_TRUSTED": stranger.trusted}
        code, said = shell.run(stranger.url("/feed"), "--dry-run", **trusted)
        assert (code, "dry run" in said, importer.programs()) == (0, True, [])
        assert shell.run(stranger.url("/feed"), "--publish", "--remember", **trusted)[0] == 0
        assert [p.status for p in importer.programs()] == ["published", "published"]
        stranger.pages["/feed"] = (410, {}, b"")
        code, said = shell.run(stranger.url("/feed"), **trusted)
        assert (code, "gone" in said) == (1, True)
