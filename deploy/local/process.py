"""One supervised child: started in its own group, watched, restarted, stopped without orphans."""

import contextlib
import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

_PR_SET_PDEATHSIG = 1
MAX_LOG_BYTES = 10_000_000
MAX_BACKOFF = 10.0
# A child that ran this long is healthy again: its next crash is restarted at once.
SETTLED_SECONDS = 20.0


def _die_with_parent() -> None:
    """In the child, before it becomes the program: Linux ends it when the supervisor dies."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


@dataclass
class Child:
    """What to run, how to see that it is up, and how it is doing."""

    name: str
    command: list[str]
    ready: Callable[[], bool]
    where: str
    environment: Mapping[str, str] = field(default_factory=dict)
    popen: Mapping[str, Any] = field(default_factory=dict)
    stop_signal: signal.Signals = signal.SIGTERM
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
        extra = dict(self.popen)
        environment = dict(extra.pop("env", os.environ)) | dict(self.environment)
        with path.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
                preexec_fn=_die_with_parent,  # noqa: PLW1509  (no threads are running)
                **extra,
            )
        self.started_at = time.monotonic()

    @property
    def running(self) -> bool:
        """Is the process there?"""
        return self.process is not None and self.process.poll() is None

    def wait_ready(self, timeout: float, stopping: Callable[[], bool]) -> bool:
        """Wait until it answers; False when it died, `timeout` passed or the product stops."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline and not stopping():
            if not self.running:
                return False
            if self.ready():
                return True
            time.sleep(0.05)
        return False

    def crashed(self) -> str:
        """Note the death; says how, and sets when to try again."""
        code = self.process.returncode if self.process is not None else None
        self._end_group()
        if time.monotonic() - self.started_at > SETTLED_SECONDS:
            self.failures = 0
        pause = 0.0 if not self.failures else min(MAX_BACKOFF, 0.5 * 2 ** (self.failures - 1))
        self.failures += 1
        self.restarts += 1
        self.retry_at = time.monotonic() + pause
        self.process = None
        how = (
            f"signal {signal.Signals(-code).name}"
            if code is not None and code < 0
            else f"exit {code}"
        )
        return how + (f", next start in {pause:.1f} s" if pause else "")

    def stop(self, timeout: float = 15) -> None:
        """Ask it to end, then insist; nothing of its group stays."""
        if self.process is None:
            return
        if self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(self.stop_signal)
            try:
                self.process.wait(timeout)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(5)
        self._end_group()
        self.process = None

    def _end_group(self) -> None:
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)


def identity(pid: int) -> list[float]:
    """A process as it can be recognised later: its id and when it began."""
    return [pid, psutil.Process(pid).create_time()]


def end_leftovers(known: Mapping[str, list[float]], patience: float = 10) -> list[str]:
    """End children that outlived a supervisor; returns their names."""
    found = []
    for name, (pid, began) in known.items():
        try:
            process = psutil.Process(int(pid))
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
