"""The edge's nginx, from the files of deploy/edge: what it repeats, what it keeps, and what it passes on."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from deploy.local import ports
from deploy.proving import debian
from deploy.proving.servers import nginx
from tests.support.client import Client
from tests.support.upstreams import Upstream, upstream
from tests.support.waiting import eventually

pytestmark = pytest.mark.skipif(debian.find("nginx") is None, reason="nginx is not installed")
PUBLIC = {"Cache-Control": "public, max-age=30, s-maxage=30", "Content-Type": "application/json"}
SEARCH = "/discovery/search?q=coffee"


@pytest.fixture
def instances() -> Iterator[list[Upstream]]:
    with upstream() as first, upstream() as second:
        yield [first, second]


@pytest.fixture
def edge(instances: list[Upstream], tmp_path: Path) -> Iterator[Client]:
    with running(tmp_path, instances) as client:
        yield client


@contextmanager
def running(folder: Path, instances: list[Upstream], **options: list[str]) -> Iterator[Client]:
    """Run nginx before these instances until the block ends."""
    address = f"127.0.0.1:{ports.ephemeral()}"
    nginx.configure(folder, address, [found.address for found in instances], **options)
    child, client = nginx.child(folder, address), Client(f"http://{address}")
    child.start(folder)
    try:
        assert child.wait_ready(30, lambda: False), (folder / "nginx.log").read_text()
        yield client
    finally:
        client.session.close()
        child.stop(timeout=5)


def asked(instances: list[Upstream]) -> list[str]:
    return [f"{request.method} {request.path}" for one in instances for request in one.asked]


def test_a_read_that_an_instance_loses_is_asked_of_another(edge: Client, instances: list[Upstream]) -> None:
    instances[0].dies = True
    for n in range(4):
        assert edge.get(f"/discovery/programs/{n}").status_code == 200
    assert len(instances[1].asked) == 4
    assert instances[0].asked
    assert edge.ask("PUT", "/catalog/x", json={}).status_code == 200


def test_a_write_that_an_instance_read_is_not_sent_to_another(
    edge: Client, instances: list[Upstream]
) -> None:
    for one in instances:
        one.dies = True
    assert edge.post("/catalog/programs", {}).status_code == 502
    assert asked(instances) == ["POST /catalog/programs"]


def test_public_answers_are_kept_as_long_as_they_say(edge: Client, instances: list[Upstream]) -> None:
    for one in instances:
        one.headers = PUBLIC
    found = [edge.get(SEARCH).headers["X-Edge-Cache"] for _ in range(3)]
    assert found == ["MISS", "HIT", "HIT"]
    assert asked(instances) == [f"GET {SEARCH}"]
    names = {edge.get(SEARCH).headers["X-Request-Id"] for _ in range(2)}
    assert len(names) == 2
    assert edge.ask("GET", SEARCH, headers={"X-Request-Id": "mine"}).headers["X-Request-Id"] == "mine"


def test_public_pages_are_kept_for_each_host(edge: Client, instances: list[Upstream]) -> None:
    for one in instances:
        one.headers = PUBLIC | {"Vary": "Accept-Encoding"}
    page = "/ar/search?q=%D9%82%D9%87%D9%88%D8%A9"
    for host, found in (("a.example", "MISS"), ("a.example", "HIT"), ("b.example", "MISS")):
        answer = edge.ask("GET", page, headers={"Host": host, "Accept-Encoding": "gzip"})
        assert answer.headers["X-Edge-Cache"] == found
    answer = edge.ask("GET", page, headers={"Host": "a.example", "Accept-Encoding": "br"})
    assert answer.headers["X-Edge-Cache"] == "MISS"


@pytest.mark.parametrize("control", ["no-store", "private, max-age=30", "max-age=0", None])
def test_other_answers_are_not_kept(edge: Client, instances: list[Upstream], control: str | None) -> None:
    for one in instances:
        one.headers = {"Cache-Control": control} if control else {}
    for _ in range(2):
        edge.get(SEARCH)
    assert len(asked(instances)) == 2


@pytest.mark.parametrize("name", ["Authorization", "X-API-Key", "Cookie"])
def test_who_says_who_they_are_is_never_answered_from_the_cache(
    edge: Client, instances: list[Upstream], name: str
) -> None:
    for one in instances:
        one.headers, one.body = PUBLIC, b'"mine"'
    for _ in range(2):
        assert edge.ask("GET", SEARCH, headers={name: "secret=1"}).headers["X-Edge-Cache"] == "BYPASS"
    assert len(asked(instances)) == 2
    for one in instances:
        one.body = b'"everybody\'s"'
    answer = edge.get(SEARCH)
    assert (answer.text, answer.headers["X-Edge-Cache"]) == ('"everybody\'s"', "MISS")
    # And what everybody got is not what they get.
    assert edge.ask("GET", SEARCH, headers={name: "secret=1"}).headers["X-Edge-Cache"] == "BYPASS"


def test_the_catalogue_is_never_kept(edge: Client, instances: list[Upstream]) -> None:
    for one in instances:
        one.headers = PUBLIC
    for path in ("/catalog/programs", "/accounts/me", "/ops/sync", "/health/ready", "/catalog"):
        before = len(asked(instances))
        answers = [edge.get(path) for _ in range(2)]
        assert not any("X-Edge-Cache" in answer.headers for answer in answers)
        assert len(asked(instances)) - before == (0 if path.startswith("/health") else 2)


def test_a_stale_answer_is_given_while_one_request_fetches_the_newer(
    edge: Client, instances: list[Upstream]
) -> None:
    for one in instances:
        one.headers = {"Cache-Control": "public, max-age=1, stale-while-revalidate=3600"}
    edge.get(SEARCH)
    eventually(lambda: edge.get(SEARCH).headers["X-Edge-Cache"] == "STALE", what="stale")
    eventually(lambda: len(asked(instances)) == 2, what="fetched behind the listener's back")


def test_the_client_is_who_connects_whatever_they_write(edge: Client, instances: list[Upstream]) -> None:
    edge.ask("GET", "/catalog/x", headers={"X-Forwarded-For": "203.0.113.9"})
    [request] = [request for one in instances for request in one.asked]
    assert request.headers["x-forwarded-for"] == "127.0.0.1"
    assert request.headers["host"] == "127.0.0.1"


def test_a_known_balancer_names_the_client(instances: list[Upstream], tmp_path: Path) -> None:
    with running(tmp_path, instances, balancers=["127.0.0.0/8"]) as edge:
        edge.ask("GET", "/catalog/x", headers={"X-Forwarded-For": "198.51.100.1, 203.0.113.9"})
    [request] = [request for one in instances for request in one.asked]
    assert request.headers["x-forwarded-for"] == "203.0.113.9"


def test_strangers_see_no_metrics_and_bodies_pass_as_they_are(
    edge: Client, instances: list[Upstream]
) -> None:
    assert edge.get("/metrics").status_code == 404
    assert not asked(instances)
    for one in instances:
        one.headers, one.body = {"Content-Type": "application/json"}, b"[" + b"1," * 5000 + b"1]"
    answer = edge.ask("GET", "/discovery/browse", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in answer.headers
    assert answer.content == instances[0].body
    [request] = [request for one in instances for request in one.asked]
    assert request.headers["accept-encoding"] == "gzip"


@pytest.mark.parametrize("served", ["listen.conf", "tls.conf"])
def test_nginx_accepts_what_deploy_has(tmp_path: Path, served: str) -> None:
    nginx.configure(tmp_path, "127.0.0.1:1", ["127.0.0.1:2"])
    conf = tmp_path / "conf"
    for name in ("upstream.conf", "balancers.conf", "listen.conf"):
        shutil.copy(nginx.FILES / name, conf / name)
    # The names of instances are those of a network that is not here.
    names = (conf / "upstream.conf").read_text()
    (conf / "upstream.conf").write_text(names.replace("api-", "127.0.0."))
    if served == "tls.conf":
        if shutil.which("openssl") is None:
            pytest.skip("openssl is not installed")
        subprocess.run(
            [
                *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost"),
                *("-keyout", str(conf / "key.pem"), "-out", str(conf / "certificate.pem")),
            ],
            check=True,
            capture_output=True,
        )
        main = (conf / "nginx.conf").read_text()
        (conf / "nginx.conf").write_text(main.replace("include listen.conf;", "include tls.conf;"))
    done = subprocess.run(nginx.command(tmp_path, "-t"), capture_output=True, text=True, check=False)
    # Ports below 1024 are root's: as an ordinary user nginx reads everything, then may not bind.
    assert "syntax is ok" in done.stderr, done.stderr
    assert "[warn]" not in done.stderr.replace('"user" directive', ""), done.stderr


def test_one_who_is_down_is_not_asked(instances: list[Upstream], tmp_path: Path) -> None:
    gone = Upstream(address=f"127.0.0.1:{ports.ephemeral()}")
    with running(tmp_path, [gone, *instances]) as edge:
        answers = [edge.get(f"/discovery/programs/{n}").status_code for n in range(6)]
        assert answers == [200] * 6
        with pytest.raises(requests.RequestException):
            requests.get(f"http://{gone.address}", timeout=1)
