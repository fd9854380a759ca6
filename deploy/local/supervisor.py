"""Runs the stack: starts its children in order, restarts those that end, and stops all of them."""

import signal
import time

from rich.console import Console
from rich.table import Table

from deploy.local import prepare
from deploy.local.errors import LocalStackError
from deploy.local.home import Home
from deploy.local.process import Child, Identity, end_orphans, identity
from deploy.local.servers import postgres
from deploy.local.stack import ADMIN, Stack, data_folder
from indexer.process import listening, stopping

READY_SECONDS = 60
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# How long everything has to end in order, and how much of that time only the servers have.
STOP_SECONDS = 18.0
SERVERS_SECONDS = 6.0


class Supervisor:
    """The children of one `thmanyah up`."""

    def __init__(self, home: Home, console: Console) -> None:
        """Supervise the stack of this home, whose lock the caller has; messages go to the console."""
        self.home, self.console = home, console
        self.children: list[Child] = []
        # The first so many children are servers, which the other children use.
        self._servers = 0
        self._stop = stopping.requested(self._abandon, signals=SIGNALS, grace=STOP_SECONDS + 1)

    @property
    def stopping(self) -> bool:
        """Whether somebody asked the product to stop."""
        return self._stop.event.is_set()

    def say(self, text: str) -> None:
        """Print a line with the time."""
        self.console.print(f"{time.strftime('%H:%M:%S')}  {text}", highlight=False, soft_wrap=True)

    def run(self) -> int:
        """Run until a signal asks to stop; return the exit status: 1 when a part could not be started.

        Raises:
            LocalStackError: The stack cannot be prepared.
        """
        orphans = end_orphans(self.home.read("pids", dict[str, Identity]))
        if orphans:
            self.say(f"ended processes that an earlier run had left: {', '.join(orphans)}")
        stack = Stack.plan(self.home)
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
        prepare.engine_keys(stack)
        prepare.database(stack, self.say)
        if self.stopping:
            return False
        prepare.contents(stack, self.say, lambda: self.stopping)
        if not self._start(stack.processes()):
            return False
        deadline = time.monotonic() + READY_SECONDS
        while not self.stopping and prepare.count_unsent(stack) and time.monotonic() < deadline:
            self._restart_ended()
            time.sleep(0.2)
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
        while not self.stopping:
            self._restart_ended()
            time.sleep(0.1)

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
