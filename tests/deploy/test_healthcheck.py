"""The image's health check: it asks the one server that its container has."""

import os
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from tests.support.paths import ROOT

CHECK = ROOT / "deploy/docker/healthcheck.py"
PORTS = ("API_PORT", "SYNC_METRICS_PORT", "WORKER_METRICS_PORT", "SCHEDULER_METRICS_PORT")
# Nobody listens there: a port that needs rights which nobody here has asked for.
NOBODY = "1"


def checked(variables: dict[str, str]) -> int:
    others = {name: value for name, value in os.environ.items() if name not in PORTS}
    command = [sys.executable, "-S", str(CHECK)]
    ended = subprocess.run(
        command, env=others | variables, timeout=60, stderr=subprocess.DEVNULL, check=False
    )
    return ended.returncode


@pytest.mark.parametrize(
    ("port", "path"),
    [
        ("API_PORT", "/health/live"),
        ("SYNC_METRICS_PORT", "/metrics"),
        ("WORKER_METRICS_PORT", "/metrics"),
        ("SCHEDULER_METRICS_PORT", "/metrics"),
    ],
)
def test_a_process_that_answers_is_healthy_and_one_that_fails_is_not(port: str, path: str) -> None:
    statuses = {path: 200}

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(statuses.get(self.path, 404))
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            variables = dict.fromkeys(PORTS, NOBODY) | {port: str(server.server_port)}
            assert checked(variables) == 0
            statuses[path] = 503
            assert checked(variables) == 1
        finally:
            server.shutdown()
            thread.join()


def test_a_container_in_which_nobody_listens_is_not_healthy() -> None:
    assert checked(dict.fromkeys(PORTS, NOBODY)) == 1
    assert checked({"API_PORT": NOBODY}) == 1
    assert checked({"API_PORT": "no number", "WORKER_METRICS_PORT": "0"}) == 1
