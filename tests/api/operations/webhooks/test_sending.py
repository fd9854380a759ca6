"""Where messages are never sent: private addresses, plain HTTP in production, behind redirects, for ever."""

import socket
import threading
from typing import Any

import pytest

from api.operations.webhooks.sending import Sender
from api.operations.webhooks.settings import WebhookSettings
from catalog.webhooks.deliveries import Outcome
from indexer.importing.fetching.address import Guard
from tests.support.receivers import receiver
from tests.support.sites import hear, raw, silent, trickled_headers
from tests.support.waiting import eventually

SECRETS = ["whsec_" + "A" * 43 + "="]


def send_to(port: int, timeout: float) -> Outcome:
    settings = WebhookSettings(trusted=f"127.0.0.1:{port}", timeout=timeout)
    return Sender(settings, needs_https=False).send(f"http://127.0.0.1:{port}/", "msg_1", b"{}", SECRETS)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{port}/",
        "http://localhost:{port}/",
        "http://[::1]:{port}/",
        "http://[::ffff:127.0.0.1]:{port}/",
        "http://2130706433:{port}/",
        "http://169.254.169.254:{port}/latest/meta-data",
        "http://10.0.0.1:{port}/",
    ],
)
def test_a_forbidden_address_opens_no_socket(url: str) -> None:
    with raw(silent) as (port, seen):
        settings = WebhookSettings(ports=f"443,{port}", timeout=5)
        outcome = Sender(settings, needs_https=False).send(url.format(port=port), "msg_1", b"{}", SECRETS)
        assert (outcome.error, outcome.status) == ("forbidden_address", None)
        assert seen == []


def test_a_name_that_resolves_to_a_private_address_is_refused() -> None:
    with raw(silent) as (port, seen):
        guard = Guard(frozenset({port}), frozenset(), lambda *_: ["93.184.216.34", "127.0.0.1"])
        sender = Sender(WebhookSettings(), needs_https=False, guard=guard)
        outcome = sender.send(f"http://innocent.example:{port}/", "msg_1", b"{}", SECRETS)
        assert outcome.error == "forbidden_address"
        assert seen == []


@pytest.mark.parametrize(
    ("url", "needs_https", "error"),
    [
        ("http://127.0.0.1:{port}/", True, "forbidden_scheme"),
        ("ftp://127.0.0.1:{port}/", False, "forbidden_scheme"),
        ("http://user:word@127.0.0.1:{port}/", False, "bad_url"),
        ("http://127.0.0.1:22/", False, "forbidden_port"),
        ("https://127.0.0.1:{port}/", True, "tls_failed"),
    ],
)
def test_what_is_refused_before_anything_is_sent(url: str, needs_https: bool, error: str) -> None:
    with receiver() as hook:
        settings = WebhookSettings(ports="443", trusted=hook.trusted, timeout=5)
        sender = Sender(settings, needs_https=needs_https)
        assert sender.send(url.format(port=hook.port), "msg_1", b"{}", SECRETS).error == error
        assert hook.taken == []


def test_a_redirect_is_not_followed() -> None:
    with receiver() as inner, receiver(status=307) as hook:
        hook.headers = {"Location": inner.url}
        settings = WebhookSettings(trusted=f"{hook.trusted},{inner.trusted}")
        outcome = Sender(settings, needs_https=False).send(hook.url, "msg_1", b"{}", SECRETS)
        assert (outcome.status, outcome.error) == (307, "redirected")
        assert (len(hook.taken), len(inner.taken)) == (1, 0)


def test_a_server_that_says_nothing_is_left_in_time() -> None:
    with raw(silent) as (port, seen):
        outcome = send_to(port, timeout=1)
        assert (outcome.error, outcome.status) == ("too_slow", None)
        eventually(lambda: len(seen) == 1)


def test_headers_that_never_end_are_no_success() -> None:
    with raw(trickled_headers) as (port, _):
        outcome = send_to(port, timeout=0.5)
        assert (outcome.error, outcome.status) == ("too_slow", None)


class Unforeseen(Guard):
    """Raises what no caller knows."""

    def check(self, url: str) -> Any:
        raise ZeroDivisionError(url)


@pytest.mark.parametrize("size", [b"-5", b"ffffffffffffffffffffff", b"x", b""])
def test_a_broken_answer_is_a_failure(size: bytes) -> None:
    def talk(connection: socket.socket, _: threading.Event) -> None:
        hear(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + size + b"\r\nok\r\n")

    with raw(talk) as (port, _):
        assert send_to(port, timeout=5).error == "broken_response"


def test_what_nobody_has_foreseen_is_a_failure_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    outcome = Sender(WebhookSettings(), needs_https=False, guard=Unforeseen(frozenset(), frozenset())).send(
        "http://example.com/", "msg_1", b"{}", SECRETS
    )
    assert outcome.error == "broken_response"
    assert "msg_1" in caplog.text


@pytest.mark.parametrize(
    ("status", "asked", "expected"),
    [
        (503, "120", 120),
        (503, "Thu, 01 Jan 1970 00:00:00 +99999999999999999999", None),
        (503, "Thu, 01 Jan 99999999999 00:00:00 GMT", None),
        (200, "120", None),
    ],
)
def test_a_server_that_refuses_may_ask_for_a_pause(status: int, asked: str, expected: float | None) -> None:
    with receiver(status=status, headers={"Retry-After": asked}) as hook:
        assert send_to(hook.port, timeout=5).retry_after == expected
