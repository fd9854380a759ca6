"""The cluster: which parts it has, in which order they start, and how they end.

A part that a fault ended is started again by `restart`; `watch` does so by itself, as systemd or Kubernetes would.
"""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import psutil
import psycopg
import requests

from deploy.local.errors import LocalStackError
from deploy.local.process import Child
from deploy.local.stack import ADMIN, thmanyah
from deploy.proving import builds
from deploy.proving.layout import ENGINES, Layout
from deploy.proving.parts import Parts
from deploy.proving.servers import postgres, valkey

READY_SECONDS = 120.0
STOP_SECONDS = 20.0
_COMMAND_SECONDS = 900.0


class Cluster:
    """The parts of one cluster. Everything it writes is in one temporary folder, which `stop` removes.

    Attributes:
        layout: Where the parts listen.
        folder: Data, logs and configurations.
        children: The parts in the order in which they started, by name.
        parts: What they are made of, with passwords and addresses.
    """

    def __init__(self, layout: Layout, say: Callable[[str], None], stopping: Callable[[], bool]) -> None:
        """Plan the cluster.

        Args:
            layout: Where the parts listen.
            say: Gets a line about each step.
            stopping: Returns True when somebody asked for the end.
        """
        self.layout, self.say, self.stopping = layout, say, stopping
        self.folder = Path(tempfile.mkdtemp(prefix="thmanyah-cluster-"))
        self.children: dict[str, Child] = {}
        self.parts = Parts(layout, self.folder)

    @property
    def url(self) -> str:
        """Where listeners ask."""
        return self.layout["edge"].url

    def start(self, programs: int = 0, commit: str | None = None) -> None:
        """Start everything; return when listeners are answered by an engine.

        Args:
            programs: How many generated programs there are; 0 for the demo catalogue.
            commit: Of an older build that runs in the place of this one.

        Raises:
            LocalStackError: A part did not start.
        """
        began = time.monotonic()
        parts, primary = self.parts, self.layout["primary"]
        if commit:
            self.say(f"the product is the build of {commit[:10]}")
            parts.build = self.folder / "build"
            builds.lay_out(commit, parts.build)
        self.say("starting the servers")
        postgres.initialise(self.folder / "primary")
        self._start(parts.servers())
        self._wait(self.children.values())
        valkey.form([self.layout[name] for name in self.layout.cache_nodes], parts.redis.operator)
        postgres.create_database(primary, parts.password)
        parts.make_keys()
        self.run("migrate")
        postgres.copy(primary, self.folder / "replica")
        self._start([parts.replica(), parts.pgbouncer()])
        self._fill(programs)
        self.say("starting the product")
        self._start([*parts.processes(), parts.edge(), *parts.watchers()])
        self._wait(self.children.values())
        self.wait_indexed()
        self._until(lambda: '"degraded":false' in self._browse(), "a search that an engine answers")
        self.say(f"ready after {time.monotonic() - began:.1f} s")

    def stop(self) -> None:
        """End everything, and remove what it wrote."""
        deadline = time.monotonic() + STOP_SECONDS
        parts = list(reversed(self.children.values()))
        # First those who use the servers, all at once; then the servers.
        own = [child for child in parts if child.name.startswith(("api", "sync", "worker", "scheduler"))]
        for group in (own, [child for child in parts if child not in own]):
            for child in group:
                child.ask_to_stop()
            for child in group:
                child.ended(max(1.0, deadline - time.monotonic()))
        self.children = {}
        shutil.rmtree(self.folder, ignore_errors=True)

    def abandon(self) -> None:
        """End everything at once."""
        for child in self.children.values():
            child.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def kill(self, name: str) -> None:
        """End a part and all its processes at once, as a machine that loses its power does."""
        child = self.children[name]
        child.kill()
        child.ended(5)

    def restart(self, name: str) -> None:
        """Start a part again on what it left, and wait until it answers.

        Raises:
            LocalStackError: It did not start.
        """
        self._start([self.children[name]])
        self._wait([self.children[name]])

    def replace(self, name: str) -> None:
        """End a process of the product in order, and start that of `parts.build` in its place.

        Raises:
            LocalStackError: It did not start.
        """
        self.children[name].stop(STOP_SECONDS)
        self.children[name] = next(child for child in self.parts.processes() if child.name == name)
        self.restart(name)

    def run(self, *words: str, check: bool = True) -> str:
        """Run a command of `thmanyah` as an operator does, and return what it printed.

        Args:
            *words: The command with its options.
            check: Whether a status other than 0 is an error.

        Raises:
            LocalStackError: It failed.
        """
        done = subprocess.run(
            thmanyah(words[0]) + list(words[1:]),
            env=os.environ | self.parts.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_COMMAND_SECONDS,
            check=False,
        )
        if check and done.returncode:
            raise LocalStackError(f"thmanyah {words[0]} failed:\n{done.stdout}{done.stderr[-1500:]}")
        return done.stdout.strip() or done.stderr.strip()

    def workers(self, name: str) -> list[psutil.Process]:
        """Return the worker processes of an instance of the API, or of another part; none while it does not run."""
        process = self.children[name].process
        found = psutil.Process(process.pid).children() if process is not None else []
        return [child for child in found if "resource_tracker" not in " ".join(child.cmdline())]

    def api_seconds(self) -> float:
        """Return how much processor time the instances of the API have taken, in seconds."""
        pids = [self.children[name].process for name in self.parts.apis]
        members = [psutil.Process(process.pid) for process in pids if process is not None]
        members += [worker for name in self.parts.apis for worker in self.workers(name)]
        times = [member.cpu_times() for member in members]
        return sum(found.user + found.system for found in times)

    def watch(self) -> None:
        """Start parts again that end, until somebody asks for the end."""
        while not self.stopping():
            for child in self.children.values():
                if child.process is not None and not child.running and not self.stopping():
                    self.say(f"{child.name} ended ({child.crashed()})")
                if child.process is None and time.monotonic() >= child.retry_at and not self.stopping():
                    child.start(self.folder / "logs")
                    self.say(f"{child.name} restarted")
            time.sleep(0.1)

    def wait_indexed(self, timeout: float = 900) -> float:
        """Wait until no engine has anything left to be told; return how many seconds that took.

        Raises:
            LocalStackError: Something was left.
        """
        began = time.monotonic()
        self._until(lambda: self.count_unsent() == 0, "an index that has every program", timeout)
        return time.monotonic() - began

    def count_unsent(self) -> int:
        """Return how many changes the engines have not got yet; at least 1 while no database answers."""
        try:
            connecting = psycopg.connect(self.parts.conninfo)
        except psycopg.OperationalError:
            return 1
        with connecting as connection:
            found = connection.execute(
                "SELECT (SELECT count(*) FROM index_dirty WHERE NOT parked), (SELECT count(*) FROM index_targets)"
            ).fetchone()
        return 1 if found is None or found[1] < len(ENGINES) else int(found[0])

    def _fill(self, programs: int) -> None:
        roles = [word for role in ("admin", "editor", "reviewer", "ops") for word in ("--role", role)]
        self.run("user", "create", *roles, "--password", self.parts.password, ADMIN)
        if programs:
            self.run("seed", "--count", str(programs))
            self.say(f"{programs} generated programs loaded")
        else:
            self.say(self.run("seed"))

    def _browse(self) -> str:
        return requests.get(f"{self.url}/discovery/browse", timeout=10).text

    def _start(self, children: Iterable[Child]) -> None:
        for child in children:
            if self.stopping():
                raise LocalStackError("Stopped before it was ready.")
            child.start(self.folder / "logs")
            self.children[child.name] = child

    def _wait(self, children: Iterable[Child]) -> None:
        for child in children:
            if not child.wait_ready(READY_SECONDS, self.stopping):
                log = self.folder / "logs" / f"{child.name}.log"
                end = log.read_text(errors="replace")[-1500:] if log.exists() else ""
                raise LocalStackError(f"{child.name} did not start. The end of its log:\n{end}")

    def _until(self, check: Callable[[], bool], what: str, timeout: float = READY_SECONDS) -> None:
        deadline = time.monotonic() + timeout
        while not check():
            if self.stopping() or time.monotonic() > deadline:
                raise LocalStackError(f"Not within {timeout:.0f} s: {what}.")
            time.sleep(0.1)
