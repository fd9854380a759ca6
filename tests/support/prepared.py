"""Processes of the product that begin with other projects' libraries imported, for tests.

Two thirds of the processor time that a process of the product takes until it serves is the import of libraries. A
process here is forked from one that has them (tests/support/nursery.py). Everything of the product is new in it: its
modules, settings, signals, connections. Tests of a start itself use the fixture `whole_starts`.
"""

import array
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import CDLL
from typing import Any

import pytest

from indexer.process.stopping import end_with_parent

_PR_SET_CHILD_SUBREAPER = 36
_STANDARD = (0, 1, 2)
# Variables of the interpreter itself: a process that has others than the tests is started as always.
_INTERPRETER = ("PYTHON", "LD_", "COVERAGE")


class Nursery:
    """The prepared process of this test process; it is started at its first use."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asking: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0

    def fork(self, request: dict[str, Any], descriptors: list[int]) -> int:
        """Start a process.

        Args:
            request: What nursery.py reads.
            descriptors: The open files of the process.

        Returns:
            Its id; it is a child of this process.
        """
        with self._lock:
            if self._asking is None or self._owner != os.getpid():
                self._start()
            assert self._asking is not None
            adopt = CDLL(None).prctl
            # The process becomes a child of this one when the fork between the two ends.
            adopt(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
            try:
                files = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))
                self._asking.sendmsg([json.dumps(request).encode()], [files])
                return int(self._asking.recv(32))
            finally:
                adopt(_PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)

    def _start(self) -> None:
        self._asking, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._owner = os.getpid()
        with theirs:
            self._process = _Popen(
                [sys.executable, "-m", "tests.support.nursery", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
            )

    def end(self) -> None:
        """End the prepared process; the processes that it made go on."""
        if self._asking is not None and self._owner == os.getpid():
            self._asking.close()
            assert self._process is not None
            self._process.wait()
            self._asking = None


_Popen = subprocess.Popen
_nursery = Nursery()


class Prepared(subprocess.Popen[Any]):
    """`subprocess.Popen` that gets processes of the product from the nursery, and starts any other as always."""

    def _execute_child(self, args: Any, executable: Any, preexec_fn: Any, *others: Any) -> None:
        """Start the process. The arguments are those of CPython's own method, which has been the same since 3.11."""
        _, pass_fds, cwd, env, _, _, _ = others[:7]
        pipes = others[7:13]
        p2cread, _, _, c2pwrite, _, errwrite = pipes
        _, gid, gids, uid, umask, session, group = others[13:]
        wanted = os.environ if env is None else env
        if not (
            isinstance(args, list)
            and args[:3] == [sys.executable, "-m", "deploy"]
            and preexec_fn in (None, end_with_parent)
            and (executable, gid, gids, uid, umask, group) == (None, None, None, None, -1, -1)
            and _interpreters(wanted) == _interpreters(os.environ)
        ):
            return super()._execute_child(args, executable, preexec_fn, *others)  # type: ignore[misc]  # CPython's own
        standard = [
            own if number == -1 else number
            for own, number in zip(_STANDARD, (p2cread, c2pwrite, errwrite), strict=True)
        ]
        self.pid = _nursery.fork(
            {
                "arguments": args[3:],
                "environment": dict(wanted),
                "folder": os.path.realpath(cwd or "."),
                "session": session,
                "ends_with_parent": preexec_fn is not None,
                "parent": os.getpid(),
                "descriptors": [*_STANDARD, *pass_fds],
            },
            [*standard, *pass_fds],
        )
        self._child_created = True
        self._close_pipe_fds(*pipes)  # type: ignore[attr-defined]  # CPython's own
        return None


def _interpreters(environment: Any) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name.startswith(_INTERPRETER)}


@contextmanager
def prepared_processes() -> Iterator[None]:
    """Start the product's processes from prepared ones in this block, where the system can."""
    if sys.platform != "linux" or any(name.startswith("COVERAGE") for name in os.environ):
        yield
        return
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(subprocess, "Popen", Prepared)
        yield
    _nursery.end()


@contextmanager
def whole_processes() -> Iterator[None]:
    """Start every process as always in this block."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(subprocess, "Popen", _Popen)
        yield
