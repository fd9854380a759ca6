"""Runs the stack: starts its children in order, restarts those that end, and stops all of them."""

import os
import signal
import time

from rich.console import Console
from rich.table import Table

from deploy.local.errors import LocalStackError
from deploy.local.home import Home
from deploy.local.preparing import Preparer
from deploy.local.process import Child, Identity, end_orphans, identity, wait_for_an_end
from deploy.local.servers import postgres
from deploy.local.stack import ADMIN, Stack, data_folder
from indexer.process import listening, stopping

READY_SECONDS = 60
# The system tells of a child's end and of a signal at once; this is for what it might not tell.
LOOK_SECONDS = 5.0
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# How long everything has to end in order, and how much of that time only the servers have.
STOP_SECONDS = 18.0
SERVERS_SECONDS = 6.0


class Supervisor:
    """The children of one `thmanyah up`."""

    def __init__(self, home: Home, console: Console, preparer: Preparer) -> None:
        """Supervise the stack of a home.

        Args:
            home: The home, whose lock the caller has.
            console: Where messages go.
            preparer: Prepares the stack; it is closed as soon as everything runs.
        """
        self.home, self.console, self.preparer = home, console, preparer
        self.children: list[Child] = []
        # The first so many children are servers, which the other children use.
        self._servers = 0
        self._stop = stopping.requested(self._abandon, signals=SIGNALS, grace=STOP_SECONDS + 1)
        # A step takes seconds. What it writes, it writes as a whole or not at all.
        self._stop.then(preparer.abandon)

    @property
    def stopping(self) -> bool:
        """Whether somebody asked the product to stop."""
        return self._stop.event.is_set()

    def say(self, text: str) -> None:
        """Print a line with the time."""
        self.console.print(f"{time.strftime('%H:%M:%S')}  {text}", highlight=False, soft_wrap=True)

    def run(self, redis_prefix: str) -> int:
        """Run until a signal asks to stop; return the exit status: 1 when a part could not be started.

        Args:
            redis_prefix: What the keys of the cache begin with.

        Raises:
            LocalStackError: The stack cannot be prepared.
        """
        orphans = end_orphans(self.home.read("pids", dict[str, Identity]))
        if orphans:
            self.say(f"ended processes that an earlier run had left: {', '.join(orphans)}")
        stack = Stack.plan(self.home, redis_prefix)
        for name, preferred in stack.moved.items():
            by = listening.taken_by(preferred)
            port = stack.ports[name]
            self.say(f"port {preferred} is taken: {name} uses {port}{by and f' (taken by {by})'}")
        try:
            if not self._start_all(stack):
                return 1
            self._print_board(stack)
            self._watch()
        except LocalStackError:
            # Ctrl-C also reaches the programs that prepare the data folder.
            if not self.stopping:
                raise
            return 1
        finally:
            self._stop_all()
            stack.claims.close()
        return 0

    def _start_all(self, stack: Stack) -> bool:
        began = time.monotonic()
        if "postgres" not in stack.external:
            if not (data_folder(self.home) / "PG_VERSION").exists():
                self.say("first start: creating the data folder")
            postgres.initialise(data_folder(self.home))
        if self.stopping or not self._start(stack.servers()):
            return False
        self._servers = len(self.children)
        stack.keys = self.preparer.ask("engine_keys", stack.facts)
        self.preparer.ask("database", stack.facts, self.say)
        if self.stopping:
            return False
        self.preparer.ask("contents", stack.facts, self.say)
        if not self._start(stack.processes()):
            return False
        deadline = time.monotonic() + READY_SECONDS
        while not self.stopping and time.monotonic() < deadline:
            if not self.preparer.ask("count_unsent", stack.facts):
                break
            self._restart_ended()
            time.sleep(0.2)
        self.preparer.close()
        self.say(f"ready after {time.monotonic() - began:.1f} s")
        return not self.stopping

    def _start(self, children: list[Child]) -> bool:
        for child in children:
            child.start(self.home.logs)
            self.children.append(child)
            self._remember()
        for child in children:
            if not child.wait_ready(READY_SECONDS, lambda: self.stopping):
                if not self.stopping:
                    self.say(f"{child.name} did not start; see {self.home.logs / child.name}.log")
                return False
        return True

    def _remember(self) -> None:
        pids = {c.name: identity(c.process.pid) for c in self.children if c.process is not None and c.running}
        self.home.write("pids", pids)

    def _watch(self) -> None:
        woken, wakes = os.pipe()
        self._stop.then(lambda: os.close(wakes))
        while not self.stopping:
            self._restart_ended()
            # One that is to be started again waits for nothing that the system would tell.
            waits = any(child.process is None for child in self.children)
            wait_for_an_end(self.children, woken, 0.1 if waits else LOOK_SECONDS)
        os.close(woken)

    def _restart_ended(self) -> None:
        for child in self.children:
            if self.stopping:
                return
            if child.process is not None and not child.running:
                self.say(f"{child.name} ended ({child.crashed()})")
            if child.process is None and time.monotonic() >= child.retry_at:
                child.start(self.home.logs)
                self._remember()
                self.say(f"{child.name} restarted")

    def _stop_all(self) -> None:
        if self.children:
            self.say("stopping")
        deadline = time.monotonic() + STOP_SECONDS
        # First the processes that use the servers, all at once; then the servers.
        processes, servers = self.children[self._servers :], self.children[: self._servers]
        for group, until in ((processes, deadline - SERVERS_SECONDS), (servers, deadline)):
            for child in reversed(group):
                child.ask_to_stop()
            for child in reversed(group):
                child.ended(max(0.0, until - time.monotonic()))
        self.home.write("pids", {})
        self.say(f"stopped; the data stays in {self.home.path}")

    def _abandon(self) -> None:
        for child in self.children:
            child.kill()

    def _print_board(self, stack: Stack) -> None:
        table = Table(title="Thmanyah Discovery", title_justify="left", expand=False)
        for column in ("part", "state", "pid", "where"):
            table.add_column(column, no_wrap=True)
        for name, url in stack.external.items():
            table.add_row(name, "yours", "", url.rpartition("@")[2])
        for child in self.children:
            pid = str(child.process.pid) if child.process is not None else ""
            table.add_row(child.name, "up" if child.running else "restarting", pid, child.where)
        self.console.print(table)
        password = self.home.secrets()["adminPassword"]
        for label, value in (
            ("pages", f"{stack.api_url}/ar"),
            ("studio", f"{stack.api_url}/studio"),
            ("board", f"{stack.api_url}/ops/board"),
            ("API", stack.api_url),
            ("docs", f"{stack.api_url}/docs"),
            ("try", f"{stack.api_url}/discovery/search?q=قهوه"),
            ("account", f"{ADMIN}  password {password}"),
            ("logs", str(self.home.logs)),
        ):
            self.console.print(f"{label:>8}  {value}", highlight=False, soft_wrap=True)
        self.console.print("Ctrl-C stops everything.", highlight=False)
