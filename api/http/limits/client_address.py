"""The client address of a request: the peer, or the address that a trusted proxy names in X-Forwarded-For.

`api.http.limits.rate_limit` reads it for every request, `api.accounts.sessions` for sign-in attempts.
"""

import logging
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from litestar.types import Scope

log = logging.getLogger(__name__)
# The network of one subscriber (RFC 6177). It counts as one client, because it has 2**64 addresses.
_IPV6_PREFIX = 64
_REMEMBERED = 4096  # addresses whose network or trust is kept; the least recently used go first
_MAX_NAME = 64  # characters of what is no address, such as the name of a local socket
_FORWARDED = frozenset({b"x-forwarded-for", b"forwarded"})


class ClientAddresses:
    """Reads addresses from requests. Only proxies in `TRUSTED_PROXIES` may name a client.

    Attributes:
        untrusted: The first address outside `TRUSTED_PROXIES` that sent a forwarded header; empty without one.
    """

    def __init__(self, proxies: str = "", *, production: bool = False) -> None:
        """Read the list of trusted proxies.

        Args:
            proxies: Networks, separated by commas.
            production: Whether `notice` looks for proxies that are missing in the list.
        """
        self._networks = [ip_network(p.strip(), strict=False) for p in proxies.split(",") if p.strip()]
        self._production = production
        self._trusted = lru_cache(maxsize=_REMEMBERED)(self._is_trusted)
        self.untrusted = ""

    def of(self, scope: Scope) -> str:
        """Return the client's IPv4 address, or its IPv6 network of 64 bits."""
        peer: str = (scope.get("client") or ("unknown", 0))[0]
        if not self._networks:
            return self.at(peer, "")
        lines = [value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for"]
        return self.at(peer, ",".join(lines))

    def at(self, peer: str, forwarded: str) -> str:
        """Return the client's IPv4 address, or its IPv6 network of 64 bits.

        Args:
            peer: The address of the connection's other end.
            forwarded: All lines of X-Forwarded-For.
        """
        if self._networks and self._trusted(peer):
            return self._forwarded(forwarded) or _client(peer)
        return _client(peer) if ":" in peer else peer

    def connected(self, peer: str) -> str | None:
        """Return the client whose connection this is; None for a trusted proxy, which connects for many clients."""
        if self._networks and self._trusted(peer):
            return None
        return _client(peer) if ":" in peer else peer

    def notice(self, scope: Scope) -> None:
        """Log, once, the first proxy that is missing in TRUSTED_PROXIES. Outside production, do nothing."""
        if self.untrusted or not self._production:
            return
        peer: str = (scope.get("client") or ("unknown", 0))[0]
        if any(name in _FORWARDED for name, _ in scope["headers"]) and not self._trusted(peer):
            self.untrusted = peer
            log.warning("%s", self.detail())

    def detail(self) -> str:
        """Return a warning for operators about an untrusted proxy; empty without one."""
        if not self.untrusted:
            return ""
        return (
            f"{self.untrusted} sends a forwarded header and is not in TRUSTED_PROXIES: all clients behind "
            "this address share one limit"
        )

    def _forwarded(self, lines: str) -> str:
        """Return the last address in X-Forwarded-For that is no trusted proxy; empty when there is none."""
        for hop in reversed(lines.split(",")):
            address = without_port(hop)
            if not self._trusted(address):
                return _client(address) if _parsed(address) is not None else ""
        return ""

    def _is_trusted(self, address: str) -> bool:
        parsed = _parsed(address)
        return parsed is not None and any(parsed in network for network in self._networks)


def without_port(hop: str) -> str:
    """Return the address in an entry of X-Forwarded-For, without a port: `192.0.2.1:80`, `[2001:db8::1]:80`."""
    hop = hop.strip().strip('"')
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop


def _parsed(address: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(address)
    except ValueError:
        return None
    return (found.ipv4_mapped or found) if isinstance(found, IPv6Address) else found


@lru_cache(maxsize=_REMEMBERED)
def _client(address: str) -> str:
    """Return the name under which the requests of a client are counted."""
    found = _parsed(address)
    if isinstance(found, IPv6Address):
        return str(ip_network((int(found), _IPV6_PREFIX), strict=False))
    return str(found or address[:_MAX_NAME])
