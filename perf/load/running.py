"""A cluster to put load on, and the load as a process beside it."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console

from deploy.local.stack import ADMIN
from deploy.proving import debian, layout
from deploy.proving.cluster import STOP_SECONDS, Cluster
from indexer.process import stopping

ROOT = Path(__file__).parents[2]
console = Console(width=None if os.isatty(1) else 120)


def say(text: str) -> None:
    """Print a line with the time."""
    console.print(f"{time.strftime('%H:%M:%S')}  {text}", highlight=False, soft_wrap=True)


@contextmanager
def running_cluster(
    programs: int, commit: str | None = None, prepare: Callable[[Cluster], None] = lambda _: None
) -> Iterator[Cluster]:
    """Run a cluster until the block ends or somebody presses Ctrl-C.

    Args:
        programs: How many generated programs it has; 0 for the demo catalogue.
        commit: Of an older build that runs in the place of this one.
        prepare: Called before it starts.

    Raises:
        LocalStackError: A server is missing, or a part did not start.
    """
    clusters: list[Cluster] = []

    def abandon() -> None:
        for cluster in clusters:
            cluster.abandon()

    stop = stopping.requested(abandon, grace=STOP_SECONDS + 5)
    debian.require(*debian.PACKAGES)
    with layout.choose() as places:
        cluster = Cluster(places, say, stop.event.is_set)
        clusters.append(cluster)
        try:
            prepare(cluster)
            cluster.start(programs, commit)
            yield cluster
        finally:
            cluster.stop()


class Load:
    """Locust as a process; its results lie in a folder."""

    def __init__(self, url: str, folder: Path, options: Sequence[str], *, shape: str, processes: int) -> None:
        """Start it.

        Args:
            url: Whom it asks.
            folder: Gets load.html, load.json and by_second.json.
            options: Further options of `perf/locustfile.py`.
            shape: A name of `perf.load.shapes.SHAPES`.
            processes: How many processes send.
        """
        self.folder = folder
        files = {"html": "load.html", "figures": "load.json", "by-second": "by_second.json"}
        self._until = folder / "until"
        self._until.unlink(missing_ok=True)
        written = [part for option, name in files.items() for part in (f"--{option}", str(folder / name))]
        sending = ["--processes", str(processes)] if processes != 1 else []
        self._log = (folder / "locust.log").open("wb")
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "locust", "-f", str(ROOT / "perf" / "locustfile.py"), "--headless"),
                *("--host", url, "--stop-timeout", "5", *written, *sending),
                *("--until", str(self._until), *options),
            ],
            cwd=ROOT,
            env=os.environ | {"LOAD_SHAPE": shape},
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )

    def wait(self, timeout: float) -> int:
        """Wait for its end; return its exit status: 1 when a threshold was missed.

        Raises:
            subprocess.TimeoutExpired: It takes longer.
        """
        status = self.process.wait(timeout)
        self._log.close()
        return status

    def end(self) -> int:
        """Have it end in order; return its exit status."""
        self._until.touch()
        return self.wait(90)

    def figures(self, name: str = "load.json") -> Any:
        """Return what it wrote into one of its files."""
        return json.loads((self.folder / name).read_text())


def editor(cluster: Cluster) -> list[str]:
    """Return the options for an editor who publishes meanwhile."""
    return ["--editor", ADMIN, "--editor-password", cluster.parts.password]


def results_folder(named: str | None) -> Path:
    """Return the folder for results, which is made; without a name a temporary one."""
    folder = Path(named or tempfile.mkdtemp(prefix="thmanyah-load-")).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    return folder
