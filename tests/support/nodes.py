"""Search nodes of a test's own: it may kill, freeze and wipe them."""

import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from deploy.local import ports
from deploy.local.process import Child
from deploy.local.stack import answers, thmanyah
from tests.support.servers import MASTER_KEY


class Node:
    """One search node on a port that stays the same over restarts."""

    def __init__(self, folder: Path, name: str, *, master_key: str = MASTER_KEY) -> None:
        self.folder, self.name = folder / name, name
        port = ports.ephemeral()
        self.url = f"http://127.0.0.1:{port}"
        environment = {
            "MEILI_HTTP_ADDR": f"127.0.0.1:{port}",
            "MEILI_MASTER_KEY": master_key,
            "MEILI_DB_PATH": str(self.folder / "data"),
        }
        self._child = Child(
            name, thmanyah("searchnode"), lambda: answers(f"{self.url}/health"), self.url, environment
        )

    def start(self) -> None:
        """Start it and wait until it answers."""
        self._child.start(self.folder)
        log = self.folder / f"{self.name}.log"
        assert self._child.wait_ready(120, lambda: False), log.read_text()

    @property
    def process(self) -> psutil.Process:
        """The operating system's process; the node has to be running."""
        assert self._child.process is not None
        return psutil.Process(self._child.process.pid)

    def send(self, number: signal.Signals) -> None:
        """Send a signal."""
        assert self._child.process is not None
        self._child.process.send_signal(number)

    def kill(self) -> None:
        """Send SIGKILL and wait for the end, as a power cut does."""
        assert self._child.process is not None
        self._child.process.kill()
        self._child.process.wait()

    def revive(self) -> None:
        """Thaw the node if it is frozen; start it if it was killed."""
        if self._child.running:
            self.send(signal.SIGCONT)
        else:
            self.start()

    def wipe(self) -> None:
        """Delete everything it stored; it has to be stopped."""
        shutil.rmtree(self.folder / "data")

    def stop(self) -> None:
        """End it, frozen or not."""
        if self._child.running:
            self.send(signal.SIGCONT)
        self._child.stop(timeout=5)


@contextmanager
def nodes(folder: Path, *names: str) -> Iterator[list[Node]]:
    """Start a node for each name; end them with the block."""
    found = [Node(folder, name) for name in names]
    try:
        for node in found:
            node.start()
        yield found
    finally:
        for node in found:
            node.stop()
