"""Headers, addresses and bodies by which a client may try to pass a limit, fill memory or reach what it may not."""

import os
import socket
import subprocess
from pathlib import Path

import pytest

from catalog.core.db import session_factory
from deploy.local.stack import thmanyah
from indexer.jobs.views import pending_key, shard
from indexer.stores import queues
from tests.attack.conftest import PER_MINUTE, Target
from tests.support.processes import environment
from tests.support.programs import make
from tests.support.waiting import eventually

# The process that they attack takes seconds to start.
pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer nonsense"},
        {"X-Api-Key": "thm_nonsense"},
        {"X-Forwarded-For": "198.51.100.1"},
        {"Forwarded": "for=198.51.100.1"},
        {"X-Real-Ip": "198.51.100.1"},
    ],
)
def test_no_header_lifts_the_limit_of_an_address(target: Target, headers: dict[str, str]) -> None:
    answer = target.listener(**headers).get("/discovery/categories")
    assert answer.headers["ratelimit-policy"] == f'"client";q={PER_MINUTE};w=60'


def test_guesses_are_counted_before_they_cost_a_query(target: Target) -> None:
    answer = target.listener(**{"X-Api-Key": "thm_guess"}).get("/catalog/programs")
    assert (answer.status_code, answer.headers["ratelimit-policy"].partition(";")[0]) == (401, '"credential"')
    guess = {"email": "admin@example.com", "password": "guess"}
    codes = [target.listener().post("/accounts/login", guess).status_code for _ in range(25)]
    assert codes.count(429) >= 5
    assert set(codes) == {401, 429}


def test_probes_are_never_limited(target: Target) -> None:
    answers = [target.listener().get("/health/live") for _ in range(100)]
    assert {answer.status_code for answer in answers} == {200}
    assert all("ratelimit" not in answer.headers for answer in answers)


def test_a_protocol_without_time_limits_is_not_spoken(target: Target) -> None:
    with socket.create_connection(("127.0.0.1", target.port), timeout=60) as client:
        client.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        answer = client.recv(100)
        # Refused as HTTP/1.1, or closed.
        assert not answer or answer.startswith((b"HTTP/1.1 4", b"HTTP/1.1 505"))


def test_a_proxy_that_is_not_trusted_is_told_to_operators(target: Target) -> None:
    target.listener(**{"X-Forwarded-For": "198.51.100.1"}).get("/discovery/programs/999999")
    assert "TRUSTED_PROXIES" in target.listener().get("/health/ready").json()["detail"]


def test_production_shows_no_documentation_and_no_metrics(target: Target) -> None:
    for path in ("/docs", "/openapi.json", "/metrics"):
        assert target.listener().get(path).status_code == 404, path


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        (f"/discovery/programs/{'x' * 60_000}", 414, "target_too_long"),
        (f"/discovery/search?q={'x' * 9000}", 414, "target_too_long"),
        ("/discovery/programs/1?a=1", 400, "unknown_parameter"),
        ("/discovery/search?q=a&q=b", 400, "invalid_parameter"),
        ("/discovery/search?q=&q=", 400, "invalid_parameter"),
        ("/discovery/search?q=%00", 400, "invalid_parameter"),
    ],
)
def test_addresses_that_would_fill_memory_are_refused(
    target: Target, path: str, status: int, code: str
) -> None:
    answer = target.listener().get(path)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/catalog/imports", {"sourceType": "feed", "url": "http://["}),
        ("/catalog/imports", {"sourceType": "feed", "url": "file:///etc/passwd"}),
        ("/catalog/imports", {"sourceType": "feed", "url": "gopher://127.0.0.1/"}),
        ("/catalog/imports", {"sourceType": "feed", "url": "http://user:secret@a.example/"}),
        ("/catalog/programs", {"title": "a\x00b"}),
        ("/catalog/programs/1/submit", {"unknown": "field"}),
    ],
)
def test_bodies_that_no_route_may_take_are_refused(
    target: Target, path: str, body: dict[str, object]
) -> None:
    answer = target.staff("editor").post(path, body)
    assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")


def test_a_forged_job_runs_nothing(target: Target, tmp_path: Path) -> None:
    queue = queues.connect(target.settings.indexer.redis_queue_url)
    job = queues.JsonQueue(queues.MAINTENANCE, connection=queue).enqueue(
        "os.system", f"touch {tmp_path / 'here'}"
    )
    env = os.environ | environment(target.settings)
    done = subprocess.run([*thmanyah("worker"), "--burst"], env=env, capture_output=True, check=False)
    assert done.returncode == 0
    assert queues.status(queue, job.id) == "failed"
    assert list(tmp_path.iterdir()) == []
    job.delete()
    queue.close()


def test_one_client_is_one_view(target: Target) -> None:
    with session_factory(target.database).begin() as session:
        program_id = make(session, "published").id
    codes = [target.listener().post(f"/discovery/programs/{program_id}/views").status_code for _ in range(50)]
    assert set(codes) == {202}
    # The worker of the process tells Redis every second: one client of it is one view, whenever it is asked.
    key = pending_key(target.settings.indexer.redis_prefix, shard(program_id))
    redis = queues.connect(target.settings.indexer.redis_cache_url)
    eventually(lambda: redis.hexists(key, str(program_id)))
    assert redis.hget(key, str(program_id)) == b"1"
    redis.close()
