"""Which alerts fire, as Prometheus says, from one moment to the next."""

import contextlib
import threading
import time
from collections.abc import Callable

import requests

from deploy.local.errors import LocalStackError
from deploy.observability.boards.contents import BOARDS
from deploy.proving import debian
from deploy.proving.servers import exporters
from perf.cluster.alerts.faster import named

_PAUSE = 0.25


class Watch:
    """Asks Prometheus for its alerts until it is ended."""

    def __init__(self, url: str, stopping: Callable[[], bool]) -> None:
        """Begin to ask.

        Args:
            url: Of Prometheus.
            stopping: Returns True when somebody asked for the end.
        """
        self._stopping = stopping
        self._url, self._stop = f"{url}/api/v1/alerts", threading.Event()
        self._changed = threading.Condition()
        # Alert -> when it began to fire, of those that fire; and when it ended last, of the others.
        self._firing: dict[str, float] = {}
        self._ended: dict[str, float] = {}
        self._thread = threading.Thread(target=self._run, name="alerts", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Ask no more."""
        self._stop.set()
        self._thread.join()

    def firing(self) -> set[str]:
        """Return the alerts that fire now."""
        with self._changed:
            return set(self._firing)

    def wait(self, alert: str, *, fires: bool, seconds: float) -> float:
        """Wait until an alert fires, or does not; return when that began, by the monotonic clock.

        Args:
            alert: Its name.
            fires: What is waited for.
            seconds: How long at most.

        Raises:
            LocalStackError: It did not come.
        """
        with self._changed:
            self._changed.wait_for(lambda: (alert in self._firing) is fires or self._stopping(), seconds)
            if (alert in self._firing) is not fires:
                others = ", ".join(sorted(self._firing)) or "none"
                state = "did not fire" if fires else "did not clear"
                raise LocalStackError(f"{alert} {state} within {seconds:.0f} s. These fire: {others}.")
            return self._firing[alert] if fires else self._ended.get(alert, time.monotonic())

    def _run(self) -> None:
        while not self._stop.wait(_PAUSE):
            with contextlib.suppress(requests.RequestException):
                self._take(requests.get(self._url, timeout=10).json()["data"]["alerts"])
            with self._changed:
                self._changed.notify_all()

    def _take(self, found: list[dict[str, object]]) -> None:
        now = time.monotonic()
        names = {_name(alert) for alert in found if alert["state"] == "firing"}
        with self._changed:
            for name in names - self._firing.keys():
                self._firing[name] = now
            for name in self._firing.keys() - names:
                del self._firing[name]
                self._ended[name] = now


def _name(alert: dict[str, object]) -> str:
    labels = alert["labels"]
    assert isinstance(labels, dict)
    return named(str(labels["alertname"]), labels)


def silent(url: str) -> list[str]:
    """Return the expressions on Grafana's boards that have no data; those of exporters only if one is installed.

    Args:
        url: Of Prometheus.
    """
    return [
        text
        for board in BOARDS
        for panel in board.panels
        for text in panel.queries.values()
        if (exporters.REDIS if "redis_" in text else exporters.POSTGRES if "pg_" in text else "")
        in _installed()
        and not requests.get(f"{url}/api/v1/query", params={"query": text}, timeout=30).json()["data"][
            "result"
        ]
    ]


def _installed() -> set[str]:
    return {"", *(name for name in (exporters.REDIS, exporters.POSTGRES) if debian.find(name))}
