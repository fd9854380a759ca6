"""Which addresses an import may reach: the guard against requests forged through our servers (SSRF).

A name is resolved once. Every IP address it resolves to must be public, and the connection goes to an IP
address that was checked: an answer that changes in between (DNS rebinding) changes nothing.
`fetcher.py` asks the guard before every request.
"""

import socket
import threading
from collections.abc import Callable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from urllib3.exceptions import LocationParseError
from urllib3.util import Url, parse_url

from indexer.importing.errors import FetchError

MAX_URL = 2000
SCHEMES = {"http": 80, "https": 443}
_RESOLVE_SECONDS = 10.0
# What `ipaddress.is_global` calls global in some Python release, although it is not public: IANA's registries
# of special-purpose addresses (iana.org/assignments/iana-ipv4-special-registry), and the public address
# behind which Azure's services answer its virtual machines (168.63.129.16).
_REFUSED4 = tuple(
    IPv4Network(n)
    for n in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "168.63.129.16/32",
    )
)
# Every IPv6 range that wraps IPv4 addresses is refused: no public server needs to be reached through one.
_REFUSED6 = tuple(
    IPv6Network(n)
    for n in (
        "::/96",
        "::ffff:0:0/96",
        "::ffff:0:0:0/96",
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "100::/64",
        "2001::/23",
        "2001:db8::/32",
        "2002::/16",
        "3fff::/20",
        "5f00::/16",
        "fc00::/7",
        "fe80::/10",
        "fec0::/10",
        "ff00::/8",
    )
)
# The IP addresses of a host's name; the port goes with it as in socket.getaddrinfo.
Resolve = Callable[[str, int], list[str]]


def is_public(address: str) -> bool:
    """Whether this IP address is one of the public internet: only those may be fetched from."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if not found.is_global or found.is_multicast:
        return False
    if isinstance(found, IPv4Address):
        return not any(found in network for network in _REFUSED4)
    return _is_public6(found)


def _is_public6(address: IPv6Address) -> bool:
    # 2000::/3 is all that is handed out to the public internet.
    return address in IPv6Network("2000::/3") and not any(address in network for network in _REFUSED6)


def resolve(host: str, port: int) -> list[str]:
    """Return every IP address of the name, as the system's resolver gives them.

    Raises:
        OSError: The name is not known.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def parse(url: str) -> Url:
    """Return the parts of an address that has a form we fetch from.

    Raises:
        FetchError: `bad_url` or `forbidden_scheme`.
    """
    if len(url) > MAX_URL or not url.isprintable() or any(c in url for c in " \\\t"):
        raise FetchError("bad_url", "The address is too long or has characters that it may not have.")
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
    """Says which IP addresses may be connected to for a URL: public ones, on allowed ports."""

    def __init__(
        self, ports: frozenset[int], trusted: frozenset[tuple[str, int]], resolver: Resolve = resolve
    ) -> None:
        """Allow these ports and addresses.

        Args:
            ports: Ports of public addresses that may be connected to.
            trusted: (IP address, port) pairs that may be connected to although they are not public.
            resolver: Returns the IP addresses of a host's name, which it gets with the port.
        """
        self.ports, self.trusted, self.resolver = ports, trusted, resolver

    @classmethod
    def of(cls, ports: str, trusted: str, resolver: Resolve = resolve) -> "Guard":
        """Make a guard from the settings' comma separated lists.

        Args:
            ports: `IMPORT_PORTS`.
            trusted: `IMPORT_TRUSTED`, pairs written `address:port`.
            resolver: As in `__init__`.
        """
        pairs = [entry.strip().rpartition(":") for entry in trusted.split(",") if entry.strip()]
        return cls(
            frozenset(int(port) for port in ports.split(",") if port.strip()),
            frozenset((host.strip("[]"), int(port)) for host, _, port in pairs),
            resolver,
        )

    def check(self, url: str) -> tuple[Url, list[str]]:
        """Return the parts of the address and the IP addresses that may be connected to for it.

        Raises:
            FetchError: `bad_url`, `forbidden_scheme`, `forbidden_port`, `forbidden_address` or `unresolvable`.
        """
        parts = parse(url)
        host, port = str(parts.host).strip("[]"), self.require_port(parts)
        addresses = self._look_up(host, port)
        refused = [a for a in addresses if not self._allowed(a, port)]
        if refused or not addresses:
            # The IP address is not named: it would tell strangers about our network.
            raise FetchError("forbidden_address", "The server is not on the public internet.")
        return parts, addresses

    def require_port(self, parts: Url) -> int:
        """Return the port of an address, of which no name has to be resolved.

        Args:
            parts: Of the address.

        Raises:
            FetchError: `forbidden_port`: no server may be connected to there.
        """
        port = parts.port or SCHEMES[str(parts.scheme)]
        if port not in self.ports and not any(port == trusted for _, trusted in self.trusted):
            raise FetchError("forbidden_port", f"No connection is made to port {port}.")
        return port

    def _allowed(self, address: str, port: int) -> bool:
        return (address, port) in self.trusted or (port in self.ports and is_public(address))

    def _look_up(self, host: str, port: int) -> list[str]:
        # The system's resolver takes no timeout, so it runs in a thread that may be left behind.
        answers: list[list[str] | OSError | UnicodeError] = []

        def ask() -> None:
            try:
                answers.append(self.resolver(host, port))
            except (OSError, UnicodeError) as error:
                answers.append(error)

        thread = threading.Thread(target=ask, daemon=True)
        thread.start()
        thread.join(_RESOLVE_SECONDS)
        if not answers:
            raise FetchError("unresolvable", "The name server did not answer.", retryable=True)
        answer = answers[0]
        if isinstance(answer, UnicodeError):
            raise FetchError("bad_url", "The server's name cannot be read.")
        if isinstance(answer, OSError):
            raise FetchError("unresolvable", "The server's name is not known.", retryable=True)
        return list(answer)
