"""Every process of production starts and answers with the packages of requirements/base.txt, and no other.

tests/deploy/test_up.py has the whole product with those of requirements/local.txt.
"""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import requests

from api.settings import Settings
from deploy.cli import COMMANDS
from deploy.local import ports
from deploy.local.stack import answers
from tests.support.databases import plain
from tests.support.installed import Environment, clean_environment
from tests.support.processes import environment
from tests.support.waiting import eventually

pytestmark = pytest.mark.slow

# What only `local` installs: the servers of one machine and the search node.
LOCAL_ONLY = {"up", "searchnode"}


class Installed:
    """The `thmanyah` of an environment, run in a folder that holds no code."""

    def __init__(self, binaries: Path, folder: Path, variables: dict[str, str]) -> None:
        self.command, self.folder = str(binaries / "thmanyah"), folder
        self.variables = clean_environment(**variables)

    def run(self, *arguments: str) -> tuple[int, str]:
        done = subprocess.run(
            [self.command, *arguments],
            env=self.variables,
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
            check=False,
        )
        return done.returncode, done.stdout

    @contextmanager
    def processes(self, *names: str) -> Iterator[None]:
        """These processes, until the block ends; they end when they are asked to."""
        children = {}
        try:
            for name in names:
                with (self.folder / f"{name}.log").open("wb") as log:
                    children[name] = subprocess.Popen(
                        [self.command, name],
                        env=self.variables,
                        cwd=self.folder,
                        stdout=log,
                        stderr=log,
                        start_new_session=True,
                    )
            yield
            for name, child in children.items():
                assert child.poll() is None, (name, (self.folder / f"{name}.log").read_text())
                child.send_signal(signal.SIGTERM)
            for child in children.values():
                child.wait(60)
        finally:
            for child in children.values():
                if child.poll() is None:
                    os.killpg(child.pid, signal.SIGKILL)
                    child.wait()


def test_every_process_answers_from_the_base_requirements(
    settings: Settings, empty_url: str, tmp_path: Path
) -> None:
    port = ports.ephemeral()
    base = f"http://127.0.0.1:{port}"
    variables = environment(settings) | {"DATABASE_URL": empty_url, "API_PORT": str(port)}
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    installed = Installed(Environment(tmp_path).install("base"), elsewhere, variables)

    code, said = installed.run("--help")
    assert code == 0, said
    for name in COMMANDS:
        assert f"  {name} " in said
    for name in LOCAL_ONLY:
        code, said = installed.run(name)
        assert (code, said.count("\n")) == (1, 1), said
        assert "requirements/local.txt" in said

    code, said = installed.run("migrate")
    assert code == 0, said
    code, said = installed.run("seed", "--count", "20")
    assert (code, "20 programs added" in said) == (0, True), said
    with installed.processes("api", "sync", "worker", "scheduler"):
        eventually(lambda: answers(f"{base}/health/live"), what=said)
        with psycopg.connect(plain(empty_url)) as connection:
            row = connection.execute("SELECT min(id) FROM programs WHERE status = 'published'").fetchone()
        found = requests.get(f"{base}/discovery/programs/{row[0] if row else 0}", timeout=60)
        assert (found.status_code, found.headers["x-cache"]) == (200, "miss"), found.text
        eventually(lambda: '"degraded":false' in requests.get(f"{base}/discovery/browse", timeout=60).text)
        # The scheduler enqueues it, the worker carries it on, the sender fills the new index.
        code, said = installed.run("reindex")
        assert (code, "done" in said) == (0, True), said
