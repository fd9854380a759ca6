"""One message to one server, by the rules of Standard Webhooks and behind the guard of imports.

The address is resolved once, every IP address has to be public, the connection goes to one that was checked, and no redirect is
followed. A forbidden address opens no socket.
See https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import logging
import time
from collections.abc import Sequence
from datetime import UTC, datetime

import urllib3
from standardwebhooks.webhooks import Webhook
from urllib3.exceptions import HTTPError

from api.operations.webhooks.settings import WebhookSettings
from catalog import __version__
from catalog.core import tracing
from catalog.webhooks.deliveries import MAX_BODY, Outcome
from indexer.importing.errors import FetchError
from indexer.importing.fetching import connections, failures
from indexer.importing.fetching.address import Guard
from indexer.importing.fetching.connections import Route
from indexer.importing.fetching.deadline import Deadline

log = logging.getLogger(__name__)
USER_AGENT = f"ThmanyahDiscovery/{__version__} (webhooks)"


def signed(message_id: str, body: bytes, secrets: Sequence[str], now: datetime) -> dict[str, str]:
    """Return the headers of a message.

    Args:
        message_id: The same in every attempt.
        body: What is sent.
        secrets: Those of the endpoint that count; the message has a signature for each.
        now: When it is sent.
    """
    signatures = [Webhook(secret).sign(message_id, now, body.decode()) for secret in secrets]
    return {
        "Content-Type": "application/json",
        "User-Agent": USER_AGENT,
        "Accept-Encoding": "identity",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


class Sender:
    """Sends messages. It keeps nothing between two of them."""

    def __init__(self, settings: WebhookSettings, *, needs_https: bool, guard: Guard | None = None) -> None:
        """Use these limits.

        Args:
            settings: The limits.
            needs_https: Nothing is sent over plain HTTP.
            guard: Checks the addresses; by default one made from the settings.
        """
        self._settings, self._needs_https = settings, needs_https
        self._guard = guard or Guard.of(settings.ports, settings.trusted)

    def send(self, url: str, message_id: str, body: bytes, secrets: Sequence[str] | None) -> Outcome:
        """Send a message once.

        Args:
            url: The endpoint's address.
            message_id: The message's id.
            body: The message.
            secrets: What it is signed with; None when the key which they are derived from was changed.
        """
        if secrets is None:
            return Outcome(error="secret_changed")
        if self._needs_https and not url.startswith("https://"):
            return Outcome(error="forbidden_scheme")
        began, deadline = time.monotonic(), Deadline(self._settings.timeout)
        try:
            status, said, retry_after = self._post(url, message_id, body, secrets, deadline)
        except FetchError as error:
            return Outcome(error=error.code, duration_ms=_since(began))
        except Exception as error:
            # Whatever a server sends, the attempt is noted: else the message would be sent again without a pause.
            found = failures.too_slow() if deadline.passed else failures.of_exception(error)
            if not isinstance(error, HTTPError | OSError):
                log.exception("webhook message %s: the answer cannot be read", message_id)
            return Outcome(error=found.code, duration_ms=_since(began))
        finally:
            deadline.close()
        wrong = None if 200 <= status < 300 else "redirected" if 300 <= status < 400 else "refused"
        return Outcome(status, wrong, said, _since(began), retry_after)

    def _post(
        self, url: str, message_id: str, body: bytes, secrets: Sequence[str], deadline: Deadline
    ) -> tuple[int, str, float | None]:
        parts, addresses = self._guard.check(url)
        timeout = urllib3.Timeout(
            connect=self._settings.connect_timeout, read=deadline.seconds_left(self._settings.timeout)
        )
        headers = signed(message_id, body, secrets, datetime.now(UTC))
        # The host alone: an address may have a secret of its own.
        asked = tracing.span("webhook", {"server.address": str(parts.host)}, kind="client")
        with (
            asked,
            connections.exchange(
                "POST", parts, Route(addresses, deadline), headers, timeout, body
            ) as response,
        ):
            asked.note({"http.response.status_code": response.status})
            said = response.read(MAX_BODY) or b""
            # A connection that the deadline cut looks like the end of the headers, or of the body.
            if deadline.passed:
                raise failures.too_slow()
            is_taken = 200 <= response.status < 300
            pause = None if is_taken else failures.retry_after(response.headers.get("Retry-After"))
            return response.status, _text(said), pause


def _since(began: float) -> int:
    return int((time.monotonic() - began) * 1000)


def _text(said: bytes) -> str:
    """Return what a server answered as text that can be stored and shown."""
    text = said.decode("utf-8", "replace")
    return "".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in text)
