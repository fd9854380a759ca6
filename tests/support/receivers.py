"""A server that takes webhooks on loopback, and what it was sent."""

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from standardwebhooks.webhooks import Webhook

from tests.support.sites import serving


@dataclass
class Receiver:
    """Answers with `status` and `headers`, or as `answer` says for the number of the request."""

    port: int = 0
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    said: bytes = b"ok"
    answer: Callable[[int], int] | None = None
    taken: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Return the address that takes messages."""
        return f"http://127.0.0.1:{self.port}/hook"

    @property
    def trusted(self) -> str:
        """What WEBHOOK_TRUSTED names."""
        return f"127.0.0.1:{self.port}"

    def messages(self) -> list[dict[str, Any]]:
        """Return what was sent, in order."""
        return [json.loads(body) for _, body in self.taken]

    def told(self) -> list[tuple[str, int]]:
        """Return the types and programs of the messages, without the product's name."""
        return [(each["type"].split(".")[1], each["data"].get("id")) for each in self.messages()]

    def verify(self, secret: str, number: int = -1) -> dict[str, Any]:
        """Return a message that the library of Standard Webhooks has verified."""
        headers, body = self.taken[number]
        found: dict[str, Any] = Webhook(secret).verify(body, headers)
        return found


@contextlib.contextmanager
def receiver(**values: Any) -> Iterator[Receiver]:
    """Take webhooks until the block ends."""
    found = Receiver(**values)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.taken.append(({k.lower(): v for k, v in self.headers.items()}, body))
            status = found.answer(len(found.taken)) if found.answer else found.status
            with contextlib.suppress(OSError):
                self.send_response(status)
                for name, value in ({"Content-Length": str(len(found.said))} | found.headers).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(found.said)

        def log_message(self, *args: Any) -> None:
            pass

    with serving(Handler) as found.port:
        yield found
