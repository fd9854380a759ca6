"""One address holds only so many connections; when there is little room, idle ones make it."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field

import pytest
from prometheus_client import REGISTRY

from api.http.limits.client_address import ClientAddresses
from api.http.limits.connections import Connections
from tests.support.waiting import eventually

A, B = "127.0.0.1", "127.0.0.2"


@dataclass
class Server:
    """A server of this process, whose side of each connection the test plays."""

    listening: socket.socket
    opened: ExitStack
    held: list[tuple[socket.socket, socket.socket]] = field(default_factory=list)

    def connections(self, per_address: int = 0, limit: int = 1000, proxies: str = "") -> Connections:
        port = self.listening.getsockname()[1]
        return Connections(port, ClientAddresses(proxies), per_address, limit)

    def connect(self, count: int, address: str = A, sent: bytes = b"") -> list[socket.socket]:
        """Connect from an address; return the clients' sides, on which so much was sent."""
        clients = []
        for _ in range(count):
            client = socket.socket()
            self.opened.enter_context(client)
            client.bind((address, 0))
            client.connect(self.listening.getsockname())
            accepted = self.opened.enter_context(self.listening.accept()[0])
            if sent:
                client.sendall(sent)
                accepted.recv(100)
            clients.append(client)
        return clients


@pytest.fixture
def server() -> Iterator[Server]:
    with ExitStack() as opened:
        yield Server(opened.enter_context(socket.create_server((A, 0), backlog=100)), opened)


def closed(clients: list[socket.socket]) -> int:
    """How many the server has closed."""
    count = 0
    for client in clients:
        client.setblocking(False)
        try:
            count += client.recv(1) == b""
        except BlockingIOError:
            continue
    return count


def counted(reason: str) -> float:
    return REGISTRY.get_sample_value("http_connections_closed_total", {"reason": reason}) or 0


def shed(connections: Connections) -> int:
    return asyncio.run(connections.shed())


def grown_silent(connections: Connections, milliseconds: int) -> None:
    """Wait until all connections have been silent for so long."""

    async def quietest() -> int:
        return min([connection.silent async for connection in connections.open()])

    eventually(lambda: asyncio.run(quietest()) >= milliseconds)


def test_of_too_many_connections_of_an_address_the_longest_idle_are_closed(server: Server) -> None:
    connections = server.connections(per_address=5)
    old, others = server.connect(4), server.connect(3, B)
    grown_silent(connections, 40)
    fresh = server.connect(4)
    before = counted("address")
    assert shed(connections) == 3
    assert (closed(old), closed(fresh), closed(others)) == (3, 0, 0)
    assert counted("address") == before + 3


def test_a_request_under_way_outlives_idle_connections(server: Server) -> None:
    connections = server.connections(per_address=3)
    idle = server.connect(3)
    grown_silent(connections, 20)
    asking = server.connect(3, sent=b"GET /")
    shed(connections)
    assert (closed(idle), closed(asking)) == (3, 0)


def test_nothing_but_unfinished_requests_is_capped_too(server: Server) -> None:
    connections = server.connections(per_address=3)
    asking = server.connect(5, sent=b"GET /")
    assert shed(connections) == 2
    assert closed(asking) == 2


@pytest.mark.parametrize("proxies", ["127.0.0.1", "127.0.0.0/8"])
def test_a_trusted_proxy_may_hold_as_many_as_it_likes(server: Server, proxies: str) -> None:
    clients = server.connect(8)
    assert shed(server.connections(per_address=3, proxies=proxies)) == 0
    assert closed(clients) == 0


def test_a_cap_of_zero_is_none(server: Server) -> None:
    clients = server.connect(8)
    assert shed(server.connections(per_address=0)) == 0
    assert closed(clients) == 0


def test_where_little_room_is_left_idle_connections_make_it_whoever_has_them(server: Server) -> None:
    connections = server.connections(limit=20, proxies=B)
    idle = server.connect(6) + server.connect(6, B)
    grown_silent(connections, 20)
    asking = server.connect(7, sent=b"GET /")
    assert shed(connections) == 4
    assert (closed(idle), closed(asking)) == (4, 0)


def test_other_sockets_and_files_of_the_process_are_left_alone(server: Server) -> None:
    with socket.create_server((A, 0)) as other:
        clients = [socket.create_connection(other.getsockname()) for _ in range(5)]
        accepted = [other.accept()[0] for _ in clients]
        # A connection to a port of that number, such as to a database, is none of a client's.
        assert shed(server.connections(per_address=1)) == 0
        assert closed(clients) == 0
        for connection in clients + accepted:
            connection.close()
