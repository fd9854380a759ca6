"""The deadline of one document: a timer that cuts the connection, so that a slow server holds no worker."""

import contextlib
import socket
import threading
import time


class Deadline:
    """Shuts the watched connection down when the time is up.

    Timeouts of single reads are not enough: a server that sends one byte a second never runs into them.
    """

    def __init__(self, seconds: float) -> None:
        self._at = time.monotonic() + seconds
        self._watched: socket.socket | None = None
        self._lock = threading.Lock()
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True
        self._timer.start()

    @property
    def passed(self) -> bool:
        """Whether the time is up."""
        return time.monotonic() >= self._at

    def seconds_left(self, most: float) -> float:
        """Return the seconds left until the deadline: at most `most`, at least a millisecond."""
        return max(0.001, min(most, self._at - time.monotonic()))

    def watch(self, connection: socket.socket) -> None:
        """Cut this connection at the deadline, and no longer the one before it.

        A duplicate of the socket is kept, because TLS wraps (and empties) the original.
        """
        with self._lock:
            self._release()
            self._watched = connection.dup()
            # The timer has fired already, while this one was being connected.
            if self.passed:
                self._shut()

    def close(self) -> None:
        """Stop the timer; nothing is cut any more."""
        self._timer.cancel()
        with self._lock:
            self._release()

    def _release(self) -> None:
        if self._watched is not None:
            self._watched.close()
            self._watched = None

    def _cut(self) -> None:
        with self._lock:
            self._shut()

    def _shut(self) -> None:
        if self._watched is not None:
            with contextlib.suppress(OSError):
                self._watched.shutdown(socket.SHUT_RDWR)
