"""`thmanyah up` as somebody installs and uses it: started, hurt, stopped and started again.

It runs with the packages of requirements/local.txt and no other, in folders that hold no code.
"""

import json
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from deploy.local import ports
from tests.support.installed import Environment, clean_environment
from tests.support.waiting import eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
PARTS = ("postgres", "valkey", "searchnode", "api", "sync", "worker", "scheduler")
# The demo's «قهوة» with another last letter, and a letter too few.
MISSPELT = "المراه التي سامحة"


@dataclass
class Up:
    """A running product."""

    process: "subprocess.Popen[bytes]"
    home: Path
    log: Path

    @property
    def said(self) -> str:
        return self.log.read_text()

    @property
    def base(self) -> str:
        found = re.findall(r"API\s+(http://\S+)", self.said)
        return str(found[-1])

    def pids(self) -> dict[str, int]:
        return {
            name: int(pid) for name, (pid, _) in json.loads((self.home / "pids.json").read_text()).items()
        }

    def search(self, q: str = MISSPELT) -> list[str]:
        answer = requests.get(f"{self.base}/discovery/search", params={"q": q}, timeout=60)
        by_engine = '"degraded":false' in answer.text
        return [row["title"] for row in answer.json()["data"]] if by_engine else []

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


@dataclass
class Installed:
    """The command `up` of an environment, and a folder to call it in."""

    binaries: Path
    elsewhere: Path

    @property
    def command(self) -> list[str]:
        return [str(self.binaries / "thmanyah"), "up"]

    @staticmethod
    def environment(home: Path, port: int) -> dict[str, str]:
        return clean_environment(THMANYAH_HOME=str(home), API_PORT=str(port), HOME=str(home / "nobody"))


@pytest.fixture
def installed(tmp_path: Path) -> Installed:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    return Installed(Environment(tmp_path).install("local"), elsewhere)


@contextmanager
def running(installed: Installed, home: Path, port: int) -> Iterator[Up]:
    """Until it says that it is ready; whatever is left of it is ended at the end."""
    home.mkdir(exist_ok=True)
    log = home.parent / f"{time.monotonic_ns()}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            installed.command,
            env=installed.environment(home, port),
            cwd=installed.elsewhere,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    up = Up(process, home, log)
    known: list[psutil.Process] = []
    try:
        eventually(lambda: "Ctrl-C stops everything" in up.said or process.poll() is not None, within=300)
        assert process.poll() is None, up.said
        known = psutil.Process(process.pid).children(recursive=True)
        yield up
    finally:
        if process.poll() is None:
            known += psutil.Process(process.pid).children(recursive=True)
            up.stop()
        if process.returncode == -signal.SIGKILL:
            # Nobody is left to insist: they end by themselves, asked to by the kernel.
            psutil.wait_procs(known, timeout=60)
        for child in known:
            if child.is_running() and child.status() != psutil.STATUS_ZOMBIE:
                child.kill()
                raise AssertionError(f"an orphan was left: {child}")


def _post(url: str, **options: Any) -> requests.Response:
    """Send a request, again while the server that was killed last is still coming back: the answer says when."""
    answers: list[requests.Response] = []

    def answered() -> bool:
        answers.append(requests.post(url, timeout=60, **options))
        return answers[-1].status_code != 503 or "Retry-After" not in answers[-1].headers

    eventually(answered, within=90, what=url)
    return answers[-1]


def test_a_first_run_and_everything_that_may_happen_to_it(installed: Installed, tmp_path: Path) -> None:
    home, port = tmp_path / "home", ports.ephemeral()
    with running(installed, home, port) as up:
        for part in PARTS:
            assert re.search(rf"{part}\s+│\s+up", up.said), up.said
        assert up.base == f"http://127.0.0.1:{port}"
        assert up.search()[0] == "المرأة التي سامحت"
        account = re.search(r"account\s+(\S+)\s+password (\S+)", up.said)
        assert account is not None
        login = requests.post(
            f"{up.base}/accounts/login", json={"email": account[1], "password": account[2]}, timeout=10
        )
        token = {"Authorization": f"Bearer {login.json()['data']['accessToken']}"}
        _refuses_a_second(installed, home, port)
        _the_api_holds_no_key_that_writes(up)

        for part in PARTS:
            title = f"Edited before {part} died"
            draft = {"title": title, "language": "en", "mediaType": "audio", "kind": "episode"}
            made = _post(f"{up.base}/catalog/programs", json=draft, headers=token)
            assert made.status_code == 201, (part, made.text)
            number = made.json()["data"]["id"]
            step = f"{up.base}/catalog/programs/{number}/publish"
            assert _post(step, headers=token).status_code == 200
            pid = up.pids()[part]
            os.kill(pid, signal.SIGKILL)
            eventually(lambda p=part: f"{p} restarted" in up.said, within=60, what=part)
            eventually(lambda p=part, was=pid: up.pids().get(p) not in (None, was), within=60)
            eventually(
                lambda t=title: t in _quietly(lambda: up.search(t)), within=90, what=f"{title}: {up.said}"
            )
        assert up.stop() == 0
        assert "stopped; the data stays in" in up.said
        assert not list(home.glob("*.pid"))

    with running(installed, home, port) as again:
        assert "Edited before api died" in again.search("Edited before api died")
        assert again.search()[0] == "المرأة التي سامحت"
        # The supervisor itself dies by the hardest signal: its children end, or are ended next time.
        os.kill(again.process.pid, signal.SIGKILL)
        again.process.wait()

    with socket.socket() as squatter:
        squatter.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        squatter.bind(("127.0.0.1", port))
        squatter.listen()
        with running(installed, home, port) as moved:
            assert f"port {port} is taken: api uses" in moved.said
            assert moved.base != f"http://127.0.0.1:{port}"
            assert moved.search()[0] == "المرأة التي سامحت"


def _quietly(search: object) -> list[str]:
    try:
        return list(search())
    except requests.RequestException:
        return []


def _refuses_a_second(installed: Installed, home: Path, port: int) -> None:
    second = subprocess.run(
        installed.command,
        env=installed.environment(home, port),
        cwd=installed.elsewhere,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert second.returncode == 1
    assert "already runs" in second.stderr


def _the_api_holds_no_key_that_writes(up: Up) -> None:
    environment = psutil.Process(up.pids()["api"]).environ()
    assert environment["MEILI_KEY"] == ""
    headers = {"Authorization": f"Bearer {environment['MEILI_SEARCH_KEY']}"}
    url = environment["MEILI_URL"]
    assert (
        requests.post(f"{url}/indexes/programs/search", json={}, headers=headers, timeout=60).status_code
        == 200
    )
    for method, path in (
        ("DELETE", "/indexes/programs"),
        ("GET", "/keys"),
        ("POST", "/indexes/programs/documents"),
    ):
        answer = requests.request(method, f"{url}{path}", json=[], headers=headers, timeout=60)
        assert answer.status_code == 403, (method, path, answer.text)
    writer = {"Authorization": f"Bearer {psutil.Process(up.pids()['sync']).environ()['MEILI_KEY']}"}
    assert requests.get(f"{url}/indexes/programs/stats", headers=writer, timeout=60).status_code == 200
    assert requests.get(f"{url}/keys", headers=writer, timeout=60).status_code == 403
