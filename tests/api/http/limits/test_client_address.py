"""Which client a request comes from: proxies, ports, IPv6 networks, and proxies that nobody has listed."""

import logging

import pytest

from api.http.limits.client_address import ClientAddresses
from api.settings import Settings
from tests.support.product import serve

PROXIES = "10.0.0.0/8, 192.0.2.1, 2001:db8:ffff::/48"


def _scope(peer: str, *forwarded: str, name: bytes = b"x-forwarded-for") -> dict[str, object]:
    return {"client": (peer, 1), "headers": [(b"host", b"x"), *((name, line.encode()) for line in forwarded)]}


def test_only_trusted_proxies_are_believed() -> None:
    addresses = ClientAddresses(PROXIES)
    assert addresses.of(_scope("203.0.113.9", "198.51.100.1")) == "203.0.113.9"
    assert addresses.of(_scope("10.1.1.1", "198.51.100.1")) == "198.51.100.1"
    # What a client wrote itself stands left of what our proxies added.
    assert addresses.of(_scope("10.1.1.1", "6.6.6.6, 198.51.100.1, 192.0.2.1")) == "198.51.100.1"
    assert addresses.of(_scope("10.1.1.1", "10.2.2.2")) == "10.1.1.1"
    assert addresses.of(_scope("10.1.1.1")) == "10.1.1.1"
    assert ClientAddresses().of(_scope("10.1.1.1", "198.51.100.1")) == "10.1.1.1"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        # Some proxies add a line of their own: all lines are one list.
        (["6.6.6.6", "198.51.100.1"], "198.51.100.1"),
        (["198.51.100.1", "192.0.2.1", "10.2.2.2"], "198.51.100.1"),
        # Some add the port.
        (["198.51.100.1:4711"], "198.51.100.1"),
        (["198.51.100.1:4711, 192.0.2.1:80"], "198.51.100.1"),
        (["[2001:db8:1:2:3::4]:4711"], "2001:db8:1:2::/64"),
        (["[2001:db8:1:2:3::4]"], "2001:db8:1:2::/64"),
        (["2001:db8:1:2:3::4, 2001:db8:ffff::1"], "2001:db8:1:2::/64"),
        (["::ffff:198.51.100.1"], "198.51.100.1"),
        # What is no address was written by no proxy that we know: the nearest address that is one counts.
        (["198.51.100.1, unknown"], "10.1.1.1"),
        (["198.51.100.1, "], "10.1.1.1"),
        (["198.51.100.1, _hidden, 192.0.2.1"], "10.1.1.1"),
    ],
)
def test_every_form_of_a_forwarded_address_is_read(lines: list[str], expected: str) -> None:
    assert ClientAddresses(PROXIES).of(_scope("10.1.1.1", *lines)) == expected


def test_all_addresses_of_one_subscriber_are_one_client() -> None:
    addresses = ClientAddresses()
    assert {addresses.of(_scope(f"2001:db8:1:2::{n:x}")) for n in range(300)} == {"2001:db8:1:2::/64"}
    assert addresses.of(_scope("2001:db8:1:3::1")) == "2001:db8:1:3::/64"
    assert addresses.of(_scope("::ffff:192.0.2.7")) == "192.0.2.7"
    assert addresses.of(_scope("fe80::1%eth0")) == "fe80::/64"
    assert addresses.of({"client": None, "headers": []}) == "unknown"


@pytest.mark.parametrize("name", [b"x-forwarded-for", b"forwarded"])
def test_a_proxy_that_is_missing_in_the_list_is_told_once(
    name: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    addresses = ClientAddresses(PROXIES, production=True)
    with caplog.at_level(logging.WARNING):
        for scope in (_scope("10.1.1.1", "198.51.100.1", name=name), _scope("203.0.113.9")):
            addresses.notice(scope)
        assert addresses.detail() == ""
        for peer in ("203.0.113.9", "203.0.113.9", "203.0.113.10"):
            addresses.notice(_scope(peer, "198.51.100.1", name=name))
            # No address is guessed.
            assert addresses.of(_scope(peer, "198.51.100.1", name=name)) == peer
    assert addresses.detail() == (
        "203.0.113.9 sends a forwarded header and is not in TRUSTED_PROXIES: all clients behind this address "
        "share one limit"
    )
    assert caplog.messages == [addresses.detail()]
    local = ClientAddresses(PROXIES)
    local.notice(_scope("203.0.113.9", "198.51.100.1", name=name))
    assert local.detail() == ""


@pytest.mark.slow
def test_readiness_tells_of_a_proxy_that_is_missing_in_the_list(settings: Settings) -> None:
    production = settings.api.model_copy(update={"environment": "production", "rate_per_minute": 1000})
    with serve(Settings(settings.catalog, settings.indexer, production)) as (client, _):
        assert client.get("/health/ready").json()["detail"] == ""
        client.ask("GET", "/discovery/categories", headers={"X-Forwarded-For": "198.51.100.1"})
        assert client.get("/health/ready").json()["detail"].startswith("127.0.0.1 sends a forwarded header")
