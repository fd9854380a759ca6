"""Which addresses an import may reach: the guard against requests forged through our own servers.

A name is resolved once. Every address it resolves to must be public, and the connection goes to an
address that was checked, so an answer that changes in between (DNS rebinding) changes nothing.
"""

import socket
import threading
from collections.abc import Callable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any

from urllib3.exceptions import LocationParseError
from urllib3.util import Url, parse_url

from indexer.importing.errors import FetchError

MAX_URL = 2000
SCHEMES = {"http": 80, "https": 443}
# Not public although `is_global` may say so, or not worth leaving to its release notes: the lists
# of IANA's special-purpose registries, and two cloud services behind public addresses.
_REFUSED4 = tuple(
    IPv4Network(n)
    for n in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
        "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24",
        "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/4", "240.0.0.0/4", "168.63.129.16/32",
    )
)  # fmt: skip
# Whatever wraps an IPv4 address is refused whole: no public server needs to be reached through it.
_REFUSED6 = tuple(
    IPv6Network(n)
    for n in (
        "::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64",
        "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10",
        "fec0::/10", "ff00::/8",
    )
)  # fmt: skip
Resolve = Callable[[str, int], list[str]]


def is_public(address: str) -> bool:
    """May strangers' documents come from this IP address?"""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if not found.is_global or found.is_multicast:
        return False
    if isinstance(found, IPv4Address):
        return not any(found in network for network in _REFUSED4)
    return _is_public6(found)


def _is_public6(found: IPv6Address) -> bool:
    # 2000::/3 is all that is handed out to the public internet.
    return found in IPv6Network("2000::/3") and not any(found in n for n in _REFUSED6)


def resolve(host: str, port: int) -> list[str]:
    """Every address of the name, as the system's resolver gives them. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def parse(url: str) -> Url:
    """The address in parts, if it is one that may be asked for. Raises FetchError."""
    if len(url) > MAX_URL or not url.isprintable() or any(c in url for c in " \\\t"):
        raise FetchError("bad_url", "The address is too long or has characters it may not have.")
    try:
        parts = parse_url(url)
    except LocationParseError:
        raise FetchError("bad_url", "The address cannot be read.") from None
    if parts.scheme not in SCHEMES:
        raise FetchError("forbidden_scheme", "Only http and https addresses are fetched.")
    if not parts.host:
        raise FetchError("bad_url", "The address names no server.")
    if parts.auth is not None:
        raise FetchError("bad_url", "The address must not carry a user name or password.")
    return parts


class Guard:
    """Opens connections to public addresses on allowed ports, and to nothing else."""

    def __init__(
        self,
        ports: frozenset[int],
        trusted: frozenset[tuple[str, int]],
        resolver: Resolve = resolve,
    ) -> None:
        self.ports, self.trusted, self.resolver = ports, trusted, resolver

    @classmethod
    def of(cls, ports: str, trusted: str, resolver: Resolve = resolve) -> "Guard":
        """From the settings' comma separated lists."""
        pairs = [entry.strip().rpartition(":") for entry in trusted.split(",") if entry.strip()]
        return cls(
            frozenset(int(port) for port in ports.split(",") if port.strip()),
            frozenset((host.strip("[]"), int(port)) for host, _, port in pairs),
            resolver,
        )

    def check(self, url: str) -> tuple[Url, list[str]]:
        """The address in parts and the IP addresses that may be connected to. Raises FetchError."""
        parts = parse(url)
        host = str(parts.host).strip("[]")
        port = parts.port or SCHEMES[str(parts.scheme)]
        # Asked before the name is: a forbidden port needs no look-up.
        if port not in self.ports and not any(port == trusted for _, trusted in self.trusted):
            raise FetchError("forbidden_port", f"Port {port} is not fetched from.")
        addresses = self._look_up(host, port)
        refused = [a for a in addresses if not self._allowed(a, port)]
        if refused or not addresses:
            # Which address it was stays in the log of the caller: it tells a stranger about us.
            raise FetchError("forbidden_address", "The server is not on the public internet.")
        return parts, addresses

    def _allowed(self, address: str, port: int) -> bool:
        return (address, port) in self.trusted or (port in self.ports and is_public(address))

    def _look_up(self, host: str, port: int, seconds: float = 10) -> list[str]:
        # The system's resolver takes no timeout: a thread of its own may be left behind.
        answer: list[Any] = []

        def ask() -> None:
            try:
                answer.append(self.resolver(host, port))
            except (OSError, UnicodeError) as error:
                answer.append(error)

        thread = threading.Thread(target=ask, daemon=True)
        thread.start()
        thread.join(seconds)
        if not answer:
            raise FetchError("unresolvable", "The name server did not answer.", retryable=True)
        if isinstance(answer[0], UnicodeError):
            raise FetchError("bad_url", "The server's name cannot be read.")
        if isinstance(answer[0], OSError):
            raise FetchError("unresolvable", "The server's name is not known.", retryable=True)
        return list(answer[0])
