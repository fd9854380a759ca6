"""An editor who publishes all the time and remembers what was acknowledged: how long writing paused, what was lost."""

import itertools
import threading
import time
from dataclasses import dataclass, field

import psycopg
import requests

from deploy.local.stack import ADMIN
from deploy.proving.cluster import Cluster

_PAUSE = 0.2
_TIMEOUT = 15.0


@dataclass
class Probe:
    """Publishes one program after another until it is ended.

    Attributes:
        cluster: Where.
        acknowledged: When, and the id of the published program.
        refused: When, and what was answered instead.
    """

    cluster: Cluster
    acknowledged: list[tuple[float, int]] = field(default_factory=list)
    refused: list[tuple[float, str]] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _session: requests.Session = field(default_factory=requests.Session)

    def __post_init__(self) -> None:
        self._thread = threading.Thread(target=self._run, name="probe", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Stop publishing."""
        self._stop.set()
        self._thread.join()

    def gap(self, since: float, until: float) -> float:
        """Return the longest time without an acknowledged publish, in seconds, between two moments."""
        moments = [since, *(at for at, _ in self.acknowledged if since <= at <= until), until]
        return max(later - earlier for earlier, later in itertools.pairwise(moments))

    def lost(self) -> list[int]:
        """Return the acknowledged programs that the database does not have."""
        ids = [program_id for _, program_id in self.acknowledged]
        with psycopg.connect(self.cluster.parts.conninfo) as connection:
            rows = connection.execute(
                "SELECT id FROM programs WHERE status = 'published' AND id = ANY(%s)", [ids]
            )
            kept = {row[0] for row in rows}
        return sorted(set(ids) - kept)

    def _run(self) -> None:
        number = 0
        while not self._stop.wait(_PAUSE):
            number += 1
            try:
                self._publish(number)
            except (requests.RequestException, KeyError, ValueError) as error:
                self.refused.append((time.time(), str(error)[:80] or type(error).__name__))

    def _publish(self, number: int) -> None:
        if "Authorization" not in self._session.headers:
            given = {"email": ADMIN, "password": self.cluster.parts.password}
            answer = self._post("/accounts/login", given)
            self._session.headers["Authorization"] = f"Bearer {answer.json()['data']['accessToken']}"
        draft = {"title": f"Probe {number}", "language": "en", "mediaType": "audio", "kind": "episode"}
        made = self._post("/catalog/programs", draft | {"description": "Published under faults."})
        program_id = made.json()["data"]["id"]
        self._post(f"/catalog/programs/{program_id}/publish", None)
        self.acknowledged.append((time.time(), program_id))

    def _post(self, path: str, body: object) -> requests.Response:
        answer = self._session.post(self.cluster.url + path, json=body, timeout=_TIMEOUT)
        if answer.status_code >= 400:
            if answer.status_code == 401:
                self._session.headers.pop("Authorization", None)
            raise ValueError(f"{path}: HTTP {answer.status_code}")
        return answer
