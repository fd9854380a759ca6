"""Renews the lease of a run while its process works, also during a long download or parse."""

import threading

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, sessionmaker

from catalog.core.errors import LeaseLost
from catalog.imports import leases


class Heartbeat:
    """A context manager whose thread renews the lease four times in its length."""

    def __init__(self, sessions: "sessionmaker[Session]", run_id: int, token: str, seconds: float) -> None:
        """Renew the lease of a run inside the `with` block.

        Args:
            sessions: Opens sessions on the catalogue's database.
            run_id: The run.
            token: The lease's token, as `leases.claim` returned it.
            seconds: Length of the lease.
        """
        self._sessions, self._run_id, self._token, self._seconds = sessions, run_id, token, seconds
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def _beat(self) -> None:
        while not self._stop.wait(self._seconds / 4):
            try:
                with self._sessions.begin() as session:
                    leases.renew(session, self._run_id, self._token, self._seconds)
            except (LeaseLost, leases.CancelRequested):
                # The runner meets the same error when it commits its next batch, and stops there.
                return
            except DBAPIError:
                continue

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
