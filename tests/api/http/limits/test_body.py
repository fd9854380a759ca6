"""Bodies that come too slowly, or whose sender hangs up, end with a code of their own and no traceback."""

import socket
import time

import pytest

from api.answers.edge import Edge
from api.http.limits import body
from tests.support.client import Client
from tests.support.scraping import metric
from tests.support.waiting import eventually

_HEAD = b"POST /accounts/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 60\r\n\r\n"


def _connect(client: Client) -> socket.socket:
    return socket.create_connection(("127.0.0.1", int(client.base.rpartition(":")[2])), timeout=20)


def test_a_body_that_never_ends_is_refused_at_its_deadline(
    served: tuple[Client, Edge], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(body, "BODY_SECONDS", 0.5)
    with _connect(served[0]) as connection:
        began = time.monotonic()
        connection.sendall(_HEAD + b'{"email": "a"')
        answer = connection.recv(65_536)
        assert time.monotonic() - began >= 0.4
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b'"code":"request_timeout"' in answer


def test_a_body_in_parts_is_whole(served: tuple[Client, Edge]) -> None:
    whole = b'{"email": "nobody@example.com", "password": "123456789 1234"}'
    with _connect(served[0]) as connection:
        connection.sendall(_HEAD.replace(b"60", b"%d" % len(whole)) + whole[:20])
        time.sleep(0.1)
        connection.sendall(whole[20:])
        assert connection.recv(65_536).startswith(b"HTTP/1.1 401 ")


@pytest.mark.slow
def test_hanging_up_within_a_body_is_counted_apart(
    served: tuple[Client, Edge], caplog: pytest.LogCaptureFixture
) -> None:
    client, _ = served
    counted = 'http_requests_total{method="POST",route="/accounts/login",status="499"}'
    failures = counted.replace("499", "500")
    before, failed = metric(client, counted), metric(client, failures)
    with _connect(client) as connection:
        connection.sendall(_HEAD + b'{"email": "a"')
    eventually(lambda: metric(client, counted) == before + 1)
    assert "Traceback" not in caplog.text
    assert metric(client, failures) == failed
