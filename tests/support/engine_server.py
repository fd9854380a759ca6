"""A server that speaks Meilisearch's API, over one connection: the search node, or a Meilisearch beside it."""

import http.client
import json
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit


@dataclass
class Server:
    """A running server, its key, and the connection that all requests use."""

    url: str
    key: str
    connection: http.client.HTTPConnection | None = None

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        parts = urlsplit(self.url)
        return str(parts.hostname), parts.port or 80

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Return the decoded answer of a request.

        Args:
            method: The method of the request.
            path: Its path with the query string.
            body: Its body, not encoded.

        Raises:
            RuntimeError: The answer has a status of 400 or more.
        """
        status, answer = self.answer(method, path, body)
        if status >= 400:
            raise RuntimeError(f"{method} {path}: {status} {answer}")
        return answer

    def answer(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Return the status and the decoded answer of a request.

        Args:
            method: The method of the request.
            path: Its path with the query string.
            body: Its body, not encoded.
        """
        for last in (False, True):
            try:
                response = self._send(method, path, body)
                text = response.read()
                return response.status, json.loads(text) if text else None
            except (http.client.RemoteDisconnected, ConnectionError):
                # The server had closed the connection after an answer: once more on a fresh one.
                self.connection = None
                if last:
                    raise
        raise AssertionError

    def _send(self, method: str, path: str, body: Any) -> http.client.HTTPResponse:
        if self.connection is None:
            self.connection = http.client.HTTPConnection(*self.address, timeout=600)
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        self.connection.request(method, path, None if body is None else json.dumps(body).encode(), headers)
        return self.connection.getresponse()

    def wait(self, uid: int) -> dict[str, Any]:
        """Return the task when it is finished."""
        while True:
            task: dict[str, Any] = self.ask("GET", f"/tasks/{uid}")
            if task["status"] not in ("enqueued", "processing"):
                return task
            time.sleep(0.002)

    def finish(self, uid: int) -> dict[str, Any]:
        """Return the task when it succeeded.

        Raises:
            RuntimeError: It failed or was cancelled.
        """
        task = self.wait(uid)
        if task["status"] != "succeeded":
            raise RuntimeError(str(task["error"]))
        return task

    def another(self) -> "Server":
        """Return the same server over another connection."""
        return Server(self.url, self.key)
