"""A child process that reads a stranger's document, and that is killed when it takes too long.

A document can be made so that reading it takes hours, in libraries that nothing interrupts. The child has a budget of
processor seconds for each call, which the kernel holds, so a busy machine fails no honest document. It also works
ahead while its parent writes to the database.

The child is forked, not started anew: starting Python and loading the libraries would take longer than most feeds. It
calls only what reads documents. It uses no lock, connection or thread of its parent.
"""

import gc
import logging
import multiprocessing
import resource
import signal
import time
import traceback
import warnings
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.context import ForkProcess

from indexer.importing.errors import ImportFailed

log = logging.getLogger(__name__)
# A call that waits for a processor may take so many times its budget; then it is killed, too.
_PATIENCE = 10
_Call = tuple[str, tuple[object, ...]]


class Child:
    """One child process with an object in it, whose methods are called by name."""

    def __init__(self, make: Callable[[], object], seconds: int) -> None:
        """Start the child.

        Args:
            make: Makes the object, in the child.
            seconds: Processor seconds that each call may take.
        """
        self._seconds = seconds
        self._asked: _Call | None = None
        fork = multiprocessing.get_context("fork")
        self._pipe, there = fork.Pipe()
        self._process: ForkProcess = fork.Process(
            target=_serve, args=(make, seconds, there, self._pipe), daemon=True, name="reader"
        )
        with warnings.catch_warnings():
            # Python 3.12 warns of forks beside threads, because the child may need a lock that one of them holds.
            warnings.simplefilter("ignore", DeprecationWarning)
            self._process.start()
        there.close()

    def call(self, method: str, *arguments: object) -> object:
        """Call a method of the object in the child and return what it returns.

        Args:
            method: The method's name.
            *arguments: Its arguments.

        Raises:
            ImportFailed: What the method raised; `too_slow_to_read` when it took longer than its budget;
                `unreadable` when the child has died otherwise.
        """
        wanted = (method, arguments)
        if self._asked is not None:
            ahead, self._asked = self._asked, None
            with suppress(ImportFailed):
                found = self._answer()
                if ahead == wanted:
                    return found
        self._send(wanted)
        return self._answer()

    def call_ahead(self, method: str, *arguments: object) -> None:
        """Let the child work on a call that will likely be made next, and do not wait for it."""
        if self._asked is None:
            self._asked = (method, arguments)
            self._send(self._asked)

    def close(self) -> None:
        """End the child."""
        self._pipe.close()
        self._process.kill()
        self._process.join()
        self._process.close()

    def _send(self, wanted: _Call) -> None:
        # A child that has died shows when its answer is read.
        with suppress(OSError):
            self._pipe.send(wanted)

    def _answer(self) -> object:
        try:
            if not self._pipe.poll(self._seconds * _PATIENCE):
                raise self._too_slow()
            kind, said = self._pipe.recv()
        except (EOFError, OSError) as error:
            self._process.join()
            if self._process.exitcode == -signal.SIGXCPU:
                raise self._too_slow() from None
            log.error("the reader of a document died with %s", self._process.exitcode)  # noqa: TRY400  (no traceback of ours)
            detail = "The process that read the document has died, perhaps for lack of memory."
            raise ImportFailed("unreadable", detail, retryable=True) from error
        if kind == "refused":
            raise ImportFailed(*said)
        if kind == "failed":
            log.error("the reader of a document failed: %s", said)
            raise RuntimeError("the reader of a document failed")
        return said

    def _too_slow(self) -> ImportFailed:
        detail = f"Reading the document takes more than {self._seconds} seconds (IMPORT_READ_SECONDS)."
        return ImportFailed("too_slow_to_read", detail)


def _serve(make: Callable[[], object], seconds: int, pipe: Connection, parents: Connection) -> None:
    """Answer calls until the parent has closed its end of the pipe, or has died."""
    parents.close()
    # The parent's objects live as long as the child: looking through them for garbage would copy all their memory.
    gc.freeze()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGXCPU):
        signal.signal(number, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    served = make()
    with suppress(EOFError, OSError):
        while True:
            method, arguments = pipe.recv()
            resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time()) + 1 + seconds, most))
            pipe.send(_result(served, method, arguments))


def _result(served: object, method: str, arguments: tuple[object, ...]) -> tuple[str, object]:
    try:
        return "found", getattr(served, method)(*arguments)
    except ImportFailed as error:
        return "refused", (error.code, error.detail)
    except Exception:
        return "failed", traceback.format_exc()
