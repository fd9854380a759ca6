"""Addresses of Redis: which kind of server they name, and what redis-py makes of the rest."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from redis.connection import parse_url

SINGLE, CLUSTER, SENTINEL = "single", "cluster", "sentinel"
SCHEMES = frozenset(
    {"redis", "rediss", "unix", "redis+cluster", "rediss+cluster", "redis+sentinel", "rediss+sentinel"}
)
_PORTS = {CLUSTER: 6379, SENTINEL: 26379}


@dataclass(frozen=True, slots=True)
class Address:
    """A checked address.

    Attributes:
        kind: SINGLE, CLUSTER or SENTINEL.
        url: For one server, what redis-py reads; else the same for the first node, without its host.
        nodes: Hosts and ports of the named nodes or Sentinels; none for one server.
        service: The service of the Sentinels.
    """

    kind: str
    url: str
    nodes: tuple[tuple[str, int], ...] = ()
    service: str = ""

    @property
    def options(self) -> dict[str, Any]:
        """What redis-py makes of user, password, database, TLS and the options of the query string."""
        found: dict[str, Any] = dict(parse_url(self.url))  # type: ignore[no-untyped-call]  # redis-py leaves it untyped
        found.pop("host", None)
        found.pop("port", None)
        if found.pop("connection_class", None) is not None:
            found["ssl"] = True
        return found


def parse(url: str) -> Address:
    """Return what an address names.

    Raises:
        ValueError: The scheme is unknown, a host is missing, or a port is no number.
    """
    scheme, separator, rest = url.partition("://")
    if not separator or scheme not in SCHEMES:
        raise ValueError(f"{scheme or url!r} is no scheme of a Redis address")
    base, _, kind = scheme.partition("+")
    if not kind:
        parts = urlsplit(url)
        if not (parts.hostname or parts.path) or parts.port == 0:
            raise ValueError("the address names no server")
        return Address(SINGLE, url)
    place, question, query = rest.partition("?")
    authority, _, path = place.partition("/")
    credentials, at, hosts = authority.rpartition("@")
    nodes = tuple(_node(entry.strip(), _PORTS[kind]) for entry in hosts.split(",") if entry.strip())
    if not nodes:
        raise ValueError("the address names no server")
    service, database = "", path
    if kind == SENTINEL:
        service, _, database = path.partition("/")
        if not service:
            raise ValueError("the address of Sentinels ends with the name of a service: /mymaster")
    return Address(
        kind, f"{base}://{credentials}{at}host/{database}{question}{query}", nodes, unquote(service)
    )


def _node(entry: str, port: int) -> tuple[str, int]:
    host, separator, number = entry.rpartition(":")
    if not separator or entry.endswith("]"):
        host, number = entry, str(port)
    if not host or not number.isdecimal() or not 0 < int(number) < 65_536:
        raise ValueError(f"{entry!r} is no host and port")
    return host.strip("[]"), int(number)
