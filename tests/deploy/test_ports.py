"""A port belongs to one process: a second one is refused by name, whatever the moment it comes."""

import os
import secrets
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.settings import Settings
from deploy.local import ports
from deploy.local.ports import Claims
from deploy.local.stack import answers, thmanyah
from indexer.process import listening
from tests.support.processes import environment, running
from tests.support.waiting import eventually

pytestmark = pytest.mark.slow


@pytest.fixture
def squatter() -> Iterator[int]:
    """A port on which this process listens, willing to share it."""
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield taken.getsockname()[1]


@pytest.fixture
def claims() -> Iterator[list[Claims]]:
    """Two products."""
    found = [Claims(), Claims()]
    yield found
    for one in found:
        one.close()


def _environment(settings: Settings, port: int, folder: Path) -> dict[str, str]:
    return environment(settings) | {
        "API_PORT": str(port),
        "SYNC_METRICS_PORT": str(port),
        "MEILI_HTTP_ADDR": f"127.0.0.1:{port}",
        "MEILI_DB_PATH": str(folder / "engine"),
    }


# Outside production nothing listens on other addresses than loopback's.
PRODUCTION = {
    "THMANYAH_ENV": "production",
    "THMANYAH_SECRET_KEY": secrets.token_urlsafe(40),
    "MEILI_SEARCH_KEY": "may only search",
}


def _refused(command: str, env: dict[str, str]) -> str:
    """The one line that a process says that does not start."""
    done = subprocess.run(
        thmanyah(command), env=os.environ | env, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1), done.stderr
    return done.stderr


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
@pytest.mark.parametrize("command", ["api", "sync", "searchnode"])
def test_a_taken_port_is_one_line(
    settings: Settings, tmp_path: Path, squatter: int, command: str, host: str
) -> None:
    env = _environment(settings, squatter, tmp_path) | PRODUCTION | {"API_HOST": host}
    who = "another process" if command == "searchnode" else f"pid {os.getpid()} ("
    assert _refused(command, env).startswith(f"Error: port {squatter} is taken by {who}")


@pytest.mark.parametrize("command", ["api", "searchnode"])
def test_of_two_that_start_at_the_same_instant_one_serves(
    settings: Settings, tmp_path: Path, command: str
) -> None:
    port = ports.ephemeral()
    env = _environment(settings, port, tmp_path)
    # One listens on every address, the other on one of them.
    hosts = ("0.0.0.0", "127.0.0.1")
    logs = [tmp_path / f"{n}.log" for n in range(2)]
    both = [
        running(
            thmanyah(command),
            env
            | PRODUCTION
            | {"API_HOST": host, "MEILI_HTTP_ADDR": f"{host}:{port}", "MEILI_DB_PATH": str(tmp_path / host)},
            log,
        )
        for host, log in zip(hosts, logs, strict=True)
    ]
    try:
        refused = eventually(lambda: [n for n in range(2) if both[n].poll() is not None], within=60)
        assert isinstance(refused, list)
        assert len(refused) == 1
        lost, kept = refused[0], 1 - refused[0]
        assert both[lost].returncode == 1
        assert logs[lost].read_text().startswith(f"Error: port {port} is taken by ")
        where = "/health" if command == "searchnode" else "/health/live"
        eventually(lambda: answers(f"http://127.0.0.1:{port}{where}"), within=60, what=logs[kept].read_text())
        assert both[kept].poll() is None
        # The process to end is named, not the worker that it would replace.
        who = "another process" if command == "searchnode" else f"pid {both[kept].pid} ("
        assert _refused(command, env | PRODUCTION).startswith(f"Error: port {port} is taken by {who}")
    finally:
        for process in both:
            process.terminate()
            process.wait(60)


def test_a_bound_port_is_had_alone_before_anybody_listens() -> None:
    port = ports.ephemeral()
    with listening.bind("127.0.0.1", port):
        for options in ((), (socket.SO_REUSEADDR,), (socket.SO_REUSEADDR, socket.SO_REUSEPORT)):
            for host in ("127.0.0.1", "0.0.0.0", ""):
                with socket.socket() as second:
                    for option in options:
                        second.setsockopt(socket.SOL_SOCKET, option, 1)
                    with pytest.raises(OSError, match="in use"):
                        second.bind((host, port))
        with pytest.raises(listening.CannotListenError, match=f"port {port} is taken by another process"):
            listening.bind("0.0.0.0", port)


def test_workers_share_a_port_that_everybody_else_is_refused() -> None:
    port = ports.ephemeral()
    with (
        listening.bind("127.0.0.1", port) as first,
        socket.socket() as worker,
        socket.socket() as other,
        socket.socket() as alone,
    ):
        listening.share_with_workers(first)
        for socket_ in (worker, other):
            socket_.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            socket_.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            socket_.bind(("127.0.0.1", port))
            socket_.listen()
        for host in ("127.0.0.1", "0.0.0.0"):
            with pytest.raises(listening.CannotListenError, match=rf"taken by pid {os.getpid()} \("):
                listening.bind(host, port)
            with pytest.raises(OSError, match="in use"):
                alone.bind((host, port))


def test_connections_that_are_still_closing_do_not_keep_a_port() -> None:
    port = ports.ephemeral()
    first = socket.create_server(("127.0.0.1", port))
    with first, socket.create_connection(("127.0.0.1", port)) as client:
        accepted, _ = first.accept()
        # The side that closes first waits (TIME_WAIT).
        accepted.close()
        assert client.recv(1) == b""
    listening.bind("127.0.0.1", port).close()


def test_an_address_of_another_machine_is_one_line() -> None:
    with pytest.raises(listening.CannotListenError, match=r"cannot listen on 192\.0\.2\.1 port 80: "):
        listening.bind("192.0.2.1", 80)
    with pytest.raises(listening.CannotListenError, match=r"cannot listen on no\.such\.host\.invalid: "):
        listening.bind("no.such.host.invalid", 80)


@pytest.mark.parametrize("bind", [False, True])
def test_two_products_never_choose_the_same_port(claims: list[Claims], bind: bool) -> None:
    first = ports.ephemeral()
    chosen = [one.choose("api", [first], bind=bind) for one in claims]
    assert chosen[0] == first
    assert chosen[1] != first
    # Within one product neither.
    assert claims[0].choose("engine", [first], bind=bind) not in chosen
    claims[0].close()
    third = Claims()
    assert third.choose("api", [first], bind=bind) == first
    third.close()


def test_a_product_takes_the_port_it_had_when_its_own_is_taken(claims: list[Claims], squatter: int) -> None:
    remembered = ports.ephemeral()
    assert claims[0].choose("api", [squatter, remembered], bind=True) == remembered
