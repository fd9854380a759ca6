"""`thmanyah up`: the whole product, supervised by this one process."""

import os
import signal
import time
from types import FrameType

import click
from rich.console import Console
from rich.table import Table

from deploy.local import postgres, prepare
from deploy.local.home import AlreadyRunningError, Home
from deploy.local.process import Child, end_leftovers, identity
from deploy.local.stack import ADMIN, Stack, data_folder

READY_SECONDS = 60


class Supervisor:
    """Starts in order, restarts what dies, stops in the opposite order."""

    def __init__(self, home: Home, console: Console) -> None:
        self.home, self.console = home, console
        self.stopping = False
        self.children: list[Child] = []

    def say(self, text: str) -> None:
        """One line for the person who watches."""
        self.console.print(f"{time.strftime('%H:%M:%S')}  {text}", highlight=False, soft_wrap=True)

    def request_stop(self, number: int, frame: FrameType | None) -> None:
        """Ctrl-C or SIGTERM."""
        self.stopping = True

    def run(self) -> int:
        """Until asked to stop; 0 when everything could be started."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self.request_stop)
        left = end_leftovers(self.home.read("pids"))
        if left:
            self.say(f"ended what an earlier run had left: {', '.join(left)}")
        stack = Stack.plan(self.home)
        for name, preferred in stack.moved.items():
            self.say(f"port {preferred} is taken: {name} uses {stack.ports[name]}")
        try:
            if not self._start_all(stack):
                return 1
            self._board(stack)
            self._watch()
        finally:
            self._stop_all()
        return 0

    def _start_all(self, stack: Stack) -> bool:
        began = time.monotonic()
        if "postgres" not in stack.external:
            if not (data_folder(self.home) / "PG_VERSION").exists():
                self.say("first start: creating the data folder")
            postgres.initialise(data_folder(self.home))
        if not self._start(stack.servers()):
            return False
        prepare.engine(stack)
        prepare.database(stack, self.say)
        if self.stopping:
            return False
        prepare.contents(stack, self.say)
        if not self._start(stack.processes()):
            return False
        deadline = time.monotonic() + READY_SECONDS
        while not self.stopping and prepare.waiting(stack) and time.monotonic() < deadline:
            self._restart_dead()
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
        pids = {
            c.name: identity(c.process.pid)
            for c in self.children
            if c.process is not None and c.running
        }
        self.home.write("pids", pids)

    def _watch(self) -> None:
        while not self.stopping:
            self._restart_dead()
            time.sleep(0.1)

    def _restart_dead(self) -> None:
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
        for child in reversed(self.children):
            child.stop()
        self.home.write("pids", {})
        self.say("stopped; the data stays in " + str(self.home.path))

    def _board(self, stack: Stack) -> None:
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
            ("API", stack.api_url),
            ("docs", f"{stack.api_url}/docs"),
            ("try", f"{stack.api_url}/discovery/search?q=قهوه"),
            ("account", f"{ADMIN}  password {password}"),
            ("logs", str(self.home.logs)),
        ):
            self.console.print(f"{label:>8}  {value}", highlight=False, soft_wrap=True)
        self.console.print("Ctrl-C stops everything.", highlight=False)


@click.command()
def up() -> None:
    """Run the whole product on this machine, with a demo catalogue."""
    home = Home()
    console = Console(width=None if os.isatty(1) else 120)
    try:
        home.lock()
    except AlreadyRunningError as error:
        raise click.ClickException(f"It already runs in {error}.") from error
    raise SystemExit(Supervisor(home, console).run())
