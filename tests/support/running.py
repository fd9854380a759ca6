"""The product as processes over a test's own stores: two APIs, a sender and the scheduler."""

import os
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType

import requests

from api.settings import Settings
from deploy.local import ports
from deploy.local.stack import answers, thmanyah
from tests.support.accounts import PASSWORD, signed_in
from tests.support.client import Client
from tests.support.processes import environment, running
from tests.support.waiting import eventually


@dataclass
class RunningProduct:
    """The addresses of its APIs; every role of tests.support.accounts may sign in."""

    settings: Settings
    addresses: list[str]
    _apis: list["_Api"]

    def kill(self, n: int = 0) -> None:
        """Kill the n-th API without a warning, as a fault of its machine does."""
        self._apis[n].kill()

    def start_again(self, n: int = 0) -> None:
        """Start the n-th API anew at its address, and wait until it answers."""
        self._apis[n].start()
        eventually(partial(answers, f"{self.addresses[n]}/health/live"), what="the API answers again")

    def listener(self, n: int = 0) -> Client:
        """Return a client of the n-th API that is not signed in."""
        return Client(self.addresses[n])

    def sign_in(self, role: str, n: int = 0) -> Client:
        """Return a client of the n-th API that is signed in with this role alone."""
        anybody = self.listener(n)
        answer = anybody.post("/accounts/login", {"email": f"{role}@example.com", "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        return signed_in(anybody, answer.json()["data"]["accessToken"])


class _Api:
    """An API's process, which may be killed and started again."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        self._environment, self._log = environment, log
        self.start()

    def start(self) -> None:
        self.process = running(thmanyah("api"), self._environment, self._log)

    def kill(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@contextmanager
def running_product(
    settings: Settings,
    folder: Path,
    *,
    others: Sequence[str] = ("sync", "scheduler"),
    api: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[RunningProduct]:
    """Start the processes and wait until the engine answers searches; end them with the block.

    Args:
        settings: The stores, whose database has accounts.
        folder: Gets the processes' logs and metrics.
        others: The processes beside the two APIs.
        api: Variables that the APIs alone have.
    """
    env = environment(settings)
    children = [running(thmanyah(name), env, folder / f"{name}.log") for name in others]
    addresses, apis = [], []
    for n in range(2):
        port = ports.ephemeral()
        addresses.append(f"http://127.0.0.1:{port}")
        own = {"API_PORT": str(port), "PROMETHEUS_MULTIPROC_DIR": str(folder / f"metrics{n}")}
        apis.append(_Api({**env, **api, **own}, folder / "api.log"))
    try:
        for address in addresses:
            eventually(partial(answers, f"{address}/health/live"), what=(folder / "api.log").read_text())
        eventually(
            lambda: '"degraded":false' in requests.get(f"{addresses[0]}/discovery/browse", timeout=60).text,
            what=(folder / "sync.log").read_text(),
        )
        yield RunningProduct(settings, addresses, apis)
    finally:
        _end([*children, *(one.process for one in apis)])


def _end(children: "list[subprocess.Popen[bytes]]") -> None:
    for child in children:
        child.send_signal(signal.SIGTERM)
    killer = threading.Timer(15, lambda: [c.kill() for c in children])
    killer.start()
    for child in children:
        child.wait()
    killer.cancel()
    for child in children:
        try:
            os.killpg(child.pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
