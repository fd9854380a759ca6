"""Who asks: listeners by the mission's mix of 60 % search, 30 % browse and 10 % single programs, and an editor."""

import random
import time

import gevent
from geventhttpclient.client import HTTPClientPool
from locust import FastHttpUser, constant, task

from perf.load import mix

# Arrivals a second of one source.
PER_SOURCE = 10.0
# Publishes a second of the editor.
PUBLISHES = 5.0


def zipf(count: int) -> int:
    """Return a position below `count`, the k-th as often as 1/(k+1): popular things are asked for most."""
    return min(count - 1, int(count ** random.random()) - 1) if count > 1 else 0


class _Listener(FastHttpUser):
    """Knows what there is to ask for."""

    abstract = True
    network_timeout = 10.0
    connection_timeout = 5.0
    # All users of a process share its connections.
    client_pool = HTTPClientPool(concurrency=256, network_timeout=10.0, connection_timeout=5.0)
    _ids: list[int] = []
    _categories: list[int] = []

    def on_start(self) -> None:
        """Read the ids of programs and categories, once in a process."""
        if _Listener._ids:
            return
        found = mix.ids(lambda path: self.client.get(path, name="(before)").json())
        _Listener._categories, _Listener._ids = found

    def ask(self, due: float) -> None:
        """Send one request of the mix.

        Args:
            due: When it should have been sent, by the monotonic clock: the answer's time counts from then on.
        """
        kind = random.random()
        if kind < 0.6:
            path, name = f"/discovery/search?q={mix.WORDS[zipf(len(mix.WORDS))]}", "search"
        elif kind < 0.9:
            path, name = f"/discovery/browse?categoryId={random.choice(self._categories)}", "browse"
        else:
            path, name = f"/discovery/programs/{self._ids[zipf(len(self._ids))]}", "program"
        with self.client.get(path, name=name, headers=mix.forwarded(), catch_response=True) as answer:
            answer.request_meta["response_time"] = (time.monotonic() - due) * 1000
            if answer.status_code != 200:
                answer.failure(f"HTTP {answer.status_code}")


class Source(_Listener):
    """A source of `PER_SOURCE` arrivals a second. Arrivals do not wait for the answers of earlier ones."""

    @task
    def arrive(self) -> None:
        """Let listeners arrive at random moments, as independent ones do, as long as this source exists."""
        due = time.monotonic()
        while True:
            due += random.expovariate(PER_SOURCE)
            gevent.sleep(max(0.0, due - time.monotonic()))
            gevent.spawn(self.ask, due)


class Visitor(_Listener):
    """One client that asks, waits for the answer, and pauses for a second."""

    wait_time = constant(1)

    @task
    def visit(self) -> None:
        """Ask once."""
        self.ask(time.monotonic())


class Editor(FastHttpUser):
    """Publishes `PUBLISHES` programs a second meanwhile. Signs in with --editor and --editor-password."""

    fixed_count = 1
    client_pool = HTTPClientPool(concurrency=32, network_timeout=30.0, connection_timeout=5.0)

    def on_start(self) -> None:
        """Sign in."""
        options = self.environment.parsed_options
        given = {"email": options.editor, "password": options.editor_password}
        answer = self.client.post("/accounts/login", json=given, name="(sign in)")
        self._signed_in = {"Authorization": f"Bearer {answer.json()['data']['accessToken']}"}

    @task
    def publish_on(self) -> None:
        """Publish at a steady rate, as long as the test runs."""
        due = time.monotonic()
        while True:
            due += 1 / PUBLISHES
            gevent.sleep(max(0.0, due - time.monotonic()))
            gevent.spawn(self._publish)

    def _publish(self) -> None:
        word = random.choice(mix.WORDS)
        draft = {
            "title": f"Load {word} {random.randrange(10**9)}",
            "description": "Published under load.",
            "language": "en",
            "mediaType": "audio",
            "kind": "episode",
        }
        made = self.client.post("/catalog/programs", json=draft, headers=self._signed_in, name="draft")
        if made.status_code == 201:
            path = f"/catalog/programs/{made.json()['data']['id']}/publish"
            self.client.post(path, headers=self._signed_in, name="publish")
