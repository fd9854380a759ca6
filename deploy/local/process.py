"""One supervised child: started in a process group of its own, watched, restarted, stopped without orphans."""

import contextlib
import os
import select
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from indexer.process.listening import INHERITED
from indexer.process.stopping import end_with_parent

MAX_LOG_BYTES = 10_000_000
# Longest pause before a child that keeps ending is started again, in seconds.
MAX_BACKOFF = 10.0
# A child that ran this long counts as healthy: when it ends after that, it is restarted at once.
SETTLED_SECONDS = 20.0
_LOOK_SECONDS = 0.1


@dataclass
class Child:
    """What to run, how to see that it is up, and its process.

    Attributes:
        name: Names the log and the messages.
        command: The program and its arguments.
        ready: Returns True once it answers.
        where: What the board shows beside it: an address, or what it does.
        environment: Variables on top of `base_environment`.
        base_environment: None for this process's own variables.
        user: Id of the user and group to run as; None for this process's own.
        stop_signal: The signal at which it ends in order.
        bound: A socket bound when the port was chosen; the first start inherits it. Later starts bind the port
            themselves.
        process: None while it does not run.
        restarts: How often it ended by itself.
        failures: How often in a row it ended soon after its start.
        started_at: When it was started, by the monotonic clock.
        retry_at: When it may be started again, by the monotonic clock.
    """

    name: str
    command: list[str]
    ready: Callable[[], bool]
    where: str
    environment: Mapping[str, str] = field(default_factory=dict)
    base_environment: Mapping[str, str] | None = None
    user: int | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    bound: socket.socket | None = None
    process: "subprocess.Popen[bytes] | None" = None
    restarts: int = 0
    failures: int = 0
    started_at: float = 0.0
    retry_at: float = 0.0

    def start(self, logs: Path) -> None:
        """Start it; its output goes to `logs/<name>.log`."""
        logs.mkdir(parents=True, exist_ok=True)
        path = logs / f"{self.name}.log"
        if path.exists() and path.stat().st_size > MAX_LOG_BYTES:
            path.replace(path.with_suffix(".log.1"))
        base = os.environ if self.base_environment is None else self.base_environment
        environment = {**base, **self.environment}
        inherited = []
        if self.bound is not None:
            inherited = [self.bound.fileno()]
            environment[INHERITED] = str(self.bound.fileno())
        with path.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
                preexec_fn=end_with_parent,  # noqa: PLW1509 (no other thread has a lock that it needs)
                pass_fds=inherited,
                user=self.user,
                group=self.user,
            )
        if self.bound is not None:
            self.bound.close()
            self.bound = None
        self.started_at = time.monotonic()

    @property
    def running(self) -> bool:
        """Whether its process runs."""
        return self.process is not None and self.process.poll() is None

    def wait_ready(self, timeout: float, stopping: Callable[[], bool]) -> bool:
        """Wait until it answers.

        Args:
            timeout: Seconds to wait.
            stopping: Returns True when the product was asked to stop.

        Returns:
            False when it ended, the time is over, or the product stops.
        """
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline and not stopping():
            if not self.running:
                return False
            if self.ready():
                return True
            time.sleep(0.05)
        return False

    def crashed(self) -> str:
        """Note that it ended by itself, and set when to start it again; return how it ended, for a message."""
        code = self.process.returncode if self.process is not None else None
        self.kill()
        if time.monotonic() - self.started_at > SETTLED_SECONDS:
            self.failures = 0
        pause = 0.0 if not self.failures else min(MAX_BACKOFF, 0.5 * 2 ** (self.failures - 1))
        self.failures += 1
        self.restarts += 1
        self.retry_at = time.monotonic() + pause
        self.process = None
        how = f"signal {signal.Signals(-code).name}" if code is not None and code < 0 else f"exit {code}"
        return how + (f", next start in {pause:.1f} s" if pause else "")

    def ask_to_stop(self) -> None:
        """Send it the signal at which it ends in order."""
        if self.running and self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(self.stop_signal)

    def stop(self, timeout: float = 15) -> None:
        """Ask it to end and wait for that, at most `timeout` seconds; then end it and its process group."""
        self.ask_to_stop()
        self.ended(timeout)

    def ended(self, timeout: float) -> None:
        """Wait until it has ended, at most `timeout` seconds; then end it and its process group."""
        if self.process is None:
            return
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(5)
        self.kill()
        self.process = None

    def kill(self) -> None:
        """End it and its process group at once."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)


def wait_for_an_end(children: Iterable[Child], woken: int, seconds: float) -> None:
    """Wait until a child has ended, until a file can be read, or for so long.

    Args:
        children: The children; those that do not run are passed over.
        woken: The number of the file.
        seconds: The longest wait; where the system tells of no process's end, it is a tenth of a second.
    """
    if not hasattr(os, "pidfd_open"):
        time.sleep(_LOOK_SECONDS)
        return
    with contextlib.ExitStack() as opened:
        found = select.poll()
        found.register(woken, select.POLLIN)
        for child in children:
            with contextlib.suppress(ProcessLookupError):
                if child.process is not None and child.running:
                    number = os.pidfd_open(child.process.pid)
                    opened.callback(os.close, number)
                    found.register(number, select.POLLIN)
        found.poll(seconds * 1000)


# A process as a later run recognises it: its id and when it began, because ids are used again.
Identity = tuple[int, float]


def identity(pid: int) -> Identity:
    """Return the identity of a running process."""
    return pid, psutil.Process(pid).create_time()


def end_orphans(known: Mapping[str, Identity], patience: float = 10) -> list[str]:
    """End children that outlived their supervisor; return their names.

    Args:
        known: Children of an earlier run by name.
        patience: Seconds that each of them gets for an orderly end.
    """
    found = []
    for name, (pid, began) in known.items():
        try:
            process = psutil.Process(pid)
            if abs(process.create_time() - began) > 1:
                continue
            members = [process, *process.children(recursive=True)]
        except psutil.NoSuchProcess:
            continue
        found.append(name)
        with contextlib.suppress(psutil.NoSuchProcess):
            # PostgreSQL's fast shutdown; the others take it as Ctrl-C.
            process.send_signal(signal.SIGINT)
        _, alive = psutil.wait_procs(members, timeout=patience)
        for member in alive:
            with contextlib.suppress(psutil.NoSuchProcess):
                member.kill()
        psutil.wait_procs(alive, timeout=5)
    return found
