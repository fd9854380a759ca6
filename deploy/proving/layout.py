"""Where each part of the cluster listens: an address of its own on loopback, as it would have a machine of its own."""

import contextlib
import socket
from collections.abc import Iterator
from dataclasses import dataclass

from deploy.local import ports
from deploy.local.errors import LocalStackError

API_INSTANCES, CACHE_NODES = 3, 6
ENGINES = ("a", "b")
# Name -> last number of its address, and its port.
_PLACES: dict[str, tuple[int, int]] = {
    "edge": (10, 8080),
    **{f"api-{n}": (10 + n, 8000) for n in range(1, API_INSTANCES + 1)},
    "pgbouncer": (21, 6432),
    "primary": (22, 5432),
    "replica": (23, 5432),
    **{f"cache-{n}": (30 + n, 6379) for n in range(1, CACHE_NODES + 1)},
    "queue": (41, 6379),
    **{f"engine-{name}": (50 + n, 7700) for n, name in enumerate(ENGINES, 1)},
    **{f"sync-{n}": (60 + n, 9101) for n in (1, 2)},
    **{f"worker-{n}": (80 + n, 9102) for n in (1, 2)},
    **{f"scheduler-{n}": (90 + n, 9103) for n in (1, 2)},
    "prometheus": (71, 9090),
}
_NETWORKS = range(1, 250)
# A node of Valkey's cluster speaks to the others on a port so much higher.
_BUS = 10_000


@dataclass(frozen=True)
class Place:
    """Where a part listens."""

    host: str
    port: int

    @property
    def address(self) -> str:
        """As host:port."""
        return f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """As an HTTP address."""
        return f"http://{self.address}"


@dataclass(frozen=True)
class Layout:
    """The places of one cluster by the names of its parts."""

    network: str
    places: dict[str, Place]

    def __getitem__(self, name: str) -> Place:
        return self.places[name]

    @property
    def cache_nodes(self) -> list[str]:
        """The names of the cache's nodes, the masters first."""
        return [name for name in self.places if name.startswith("cache-")]

    @property
    def apis(self) -> list[str]:
        """The names of the API's instances."""
        return [name for name in self.places if name.startswith("api-")]


@contextlib.contextmanager
def choose() -> Iterator[Layout]:
    """Give a network 127.0.N.0/24 on which all ports are free; no other cluster gets it until the block ends.

    Raises:
        LocalStackError: There is none, as on systems whose loopback has one address only.
    """
    for number in _NETWORKS:
        network = f"127.0.{number}"
        # The name of a socket as a lock: it ends with this process, however that ends.
        with socket.socket(socket.AF_UNIX) as lock:
            try:
                lock.bind(f"\0thmanyah-cluster-{number}")
            except OSError:
                continue
            places = {name: Place(f"{network}.{last}", port) for name, (last, port) in _PLACES.items()}
            buses = [Place(p.host, p.port + _BUS) for name, p in places.items() if name.startswith("cache-")]
            if all(ports.is_free(place.port, place.host) for place in (*places.values(), *buses)):
                yield Layout(network, places)
                return
    raise LocalStackError(
        "No network of 127.0.0.0/8 has its ports free. The cluster needs Linux, whose loopback has them all."
    )
