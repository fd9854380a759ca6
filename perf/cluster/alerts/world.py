"""What faults work with: the cluster, an operator who is signed in, listeners who ask, servers that webhooks know."""

import contextlib
import itertools
import random
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import quote

import psutil
import requests

from catalog.seed import words
from deploy.proving.cluster import Cluster
from deploy.proving.servers import postgres
from perf.cluster.exact import signed_in

# Requests a second: every other one is a search that nobody has asked before.
_RATE = 30.0
_TIMEOUT = 15.0
# More than an address may try in a minute.
_GUESSES = 30
_EVENTS = ["program.published"]


class World:
    """A cluster whose parts can be hurt.

    Attributes:
        cluster: The cluster.
        kept: What a fault leaves for its mending, by a name.
    """

    def __init__(self, cluster: Cluster) -> None:
        """Sign the operator in, and let listeners ask.

        Args:
            cluster: The cluster.
        """
        self.cluster, self.kept = cluster, dict[str, Any]()
        self._operator = signed_in(cluster)
        self._guess_passwords()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._listen, args=(n,), daemon=True) for n in range(4)]
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """Let nobody ask any more."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def api(self, method: str, path: str, body: object = None) -> Any:
        """Send a request as the operator, and return the answer's data.

        Args:
            method: The method.
            path: The path.
            body: The body.

        Raises:
            requests.HTTPError: It was refused.
        """
        answer = self._operator.request(method, self.cluster.url + path, json=body, timeout=30)
        if answer.status_code == 401:
            # The account's session has ended.
            self._operator = signed_in(self.cluster)
            answer = self._operator.request(method, self.cluster.url + path, json=body, timeout=30)
        answer.raise_for_status()
        return answer.json().get("data") if answer.content else None

    def publish(self, title: str, description: str) -> int:
        """Publish a program; return its id."""
        draft = {"title": title, "language": "en", "mediaType": "audio", "kind": "episode"}
        found: int = self.api("POST", "/catalog/programs", draft | {"description": description})["id"]
        self.api("POST", f"/catalog/programs/{found}/publish")
        return found

    def upload(self, rows: str) -> None:
        """Import a CSV file, in a job.

        Args:
            rows: The file.

        Raises:
            HTTPError: It was refused.
        """
        url = f"{self.cluster.url}/catalog/imports/upload?sourceType=csv"
        kind = {"Content-Type": "application/octet-stream"}
        # Signs in again if the session has ended.
        self.api("GET", "/catalog/imports")
        self._operator.post(url, data=rows.encode(), headers=kind, timeout=30).raise_for_status()

    def sql(self, statement: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Execute a statement as the superuser of the primary; return its rows."""
        with postgres.admin(self.cluster.layout["primary"], postgres.DATABASE) as connection:
            cursor = connection.execute(statement.encode(), values)
            return cursor.fetchall() if cursor.description else []

    def send(self, names: Sequence[str], what: signal.Signals) -> None:
        """Send a signal to parts with all their processes."""
        for name in names:
            process = self.cluster.children[name].process
            assert process is not None
            for member in (
                psutil.Process(process.pid),
                *psutil.Process(process.pid).children(recursive=True),
            ):
                member.send_signal(what)

    def stutter(self, names: Sequence[str], frozen: float, free: float) -> None:
        """Freeze parts and let them go on, again and again, until `steady`.

        Args:
            names: The parts.
            frozen: For how many seconds each time.
            free: How long they run between two times.
        """
        stop = threading.Event()

        def run() -> None:
            while not stop.wait(free):
                self.send(names, signal.SIGSTOP)
                time.sleep(frozen)
                self.send(names, signal.SIGCONT)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        self.kept["stutter"] = (stop, thread)

    def steady(self) -> None:
        """End `stutter`."""
        stop, thread = self.kept.pop("stutter")
        stop.set()
        thread.join()

    def add_webhook(self, kept: str, port: int) -> None:
        """Register a webhook at a port of this cluster's network.

        Args:
            kept: Under which name its id is kept.
            port: The port.
        """
        url = f"http://{self.cluster.layout.network}.200:{port}/hook"
        self.kept[kept] = self.api("POST", "/ops/webhooks", {"url": url, "eventTypes": _EVENTS})["id"]

    def receive(self, port: int, status: int) -> None:
        """Start a server for messages of webhooks.

        Args:
            port: Where.
            status: What it answers.
        """

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        server = ThreadingHTTPServer((f"{self.cluster.layout.network}.200", port), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()

    def _guess_passwords(self) -> None:
        """Reach a limit, and view a program, so that their counters exist."""
        for _ in range(_GUESSES):
            guess = {"email": "nobody@example.org", "password": "a wrong password"}
            answer = requests.post(f"{self.cluster.url}/accounts/login", json=guess, timeout=30)
            if answer.status_code == 429:
                break
        found = requests.get(f"{self.cluster.url}/discovery/browse", timeout=30).json()["data"][0]["id"]
        requests.post(f"{self.cluster.url}/discovery/programs/{found}/views", timeout=30)

    def _listen(self, number: int) -> None:
        place = self.cluster.layout["edge"]
        for path in self._paths(random.Random(number)):
            if self._stop.wait(4 / _RATE):
                return
            connection = HTTPConnection(place.host, place.port, timeout=_TIMEOUT)
            # A cookie keeps the edge from answering out of its own cache.
            headers = {"Cookie": "a=b", "X-Forwarded-For": f"10.9.{number}.{random.randrange(250)}"}
            with contextlib.suppress(OSError), contextlib.closing(connection):
                connection.request("GET", path, headers=headers)
                connection.getresponse().read()

    @staticmethod
    def _paths(chance: random.Random) -> Iterator[str]:
        known = words.english()
        for _ in itertools.count():
            yield f"/discovery/search?q={quote(' '.join(chance.sample(known, 2)))}"
            yield "/discovery/categories"
