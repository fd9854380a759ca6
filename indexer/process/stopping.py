"""How a long-running process of the product ends when it is asked to, from its first moment on.

Called first thing by `thmanyah api`, `sync`, `worker`, `scheduler` and `up`. Before that call the system's
own handling holds: the signal ends the process.

The signals are read by a thread of their own and not by Python's handlers, which run in the main thread
between two of its instructions: there they can meet a lock that the main thread holds, or raise into code
that swallows what is raised, and the request is lost.
"""

import contextlib
import ctypes
import os
import select
import signal
import threading
import time
from collections.abc import Callable

SIGNALS = (signal.SIGINT, signal.SIGTERM)
GRACE_SECONDS = 10.0
SAME_SECONDS = 1.0
_PR_SET_PDEATHSIG = 1


class Stop:
    """A request to end. `event` is set when it came; wait on it instead of sleeping."""

    def __init__(self) -> None:
        self.event = threading.Event()
        self._lock = threading.Lock()
        self._then: list[Callable[[], None]] = []

    def then(self, action: Callable[[], None]) -> None:
        """Call `action` in another thread when the request comes; now, if it has come already."""
        with self._lock:
            if not self.event.is_set():
                self._then.append(action)
                return
        action()

    def request(self) -> None:
        """Note the request. Further ones change nothing."""
        with self._lock:
            self.event.set()
            actions, self._then = self._then, []
        for action in actions:
            action()


def requested(
    abandon: Callable[[], None] = lambda: None,
    *,
    signals: tuple[signal.Signals, ...] = SIGNALS,
    grace: float = GRACE_SECONDS,
) -> Stop:
    """Note the signals from now on. Call it in the main thread, once in a process.

    The first signal requests the stop. Another one after a second, or `grace` seconds, ends the process at
    once, whatever it does. Children that are forked start with the system's own handling again: they end at the first.

    Args:
        abandon: Ends the children of this process, before it is ended at once.
        signals: What asks for the stop.
        grace: Seconds the process has for an orderly end.
    """
    stop = Stop()
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    # The handlers do nothing; that there are any makes the interpreter write the signal's number.
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    for number in signals:
        signal.signal(number, lambda number, frame: None)
    os.register_at_fork(
        before=lambda: signal.pthread_sigmask(signal.SIG_BLOCK, signals),
        after_in_parent=lambda: signal.pthread_sigmask(signal.SIG_UNBLOCK, signals),
        after_in_child=lambda: _forget(signals),
    )
    arguments = (reading, frozenset(map(int, signals)), stop, abandon, grace)
    threading.Thread(target=_watch, args=arguments, name="signals", daemon=True).start()
    return stop


def end_with_parent() -> None:
    """Called in a child: Linux sends it SIGTERM when its parent is gone, however that died."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


def _forget(signals: tuple[signal.Signals, ...]) -> None:
    """In a child: its parent's signals are not its own."""
    signal.set_wakeup_fd(-1)
    for number in signals:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, signals)


def _watch(
    reading: int, signals: frozenset[int], stop: Stop, abandon: Callable[[], None], grace: float
) -> None:
    number = _next(reading, signals, None)
    # Actions may take their time or fail; the end does not wait for them.
    threading.Thread(target=stop.request, name="stop", daemon=True).start()
    # `timeout` and shells send a signal twice at once: that is one request.
    same_until = time.monotonic() + SAME_SECONDS
    while time.monotonic() < same_until:
        _next(reading, signals, max(0.0, same_until - time.monotonic()))
    _next(reading, signals, grace - SAME_SECONDS)
    try:
        abandon()
    finally:
        os._exit(128 + number)


def _next(reading: int, signals: frozenset[int], timeout: float | None) -> int:
    """Wait for one of `signals`; its number, or 0 after `timeout` seconds."""
    while select.select([reading], [], [], timeout)[0]:
        number = os.read(reading, 1)[0]
        if number in signals:
            return number
    return 0
