"""No import reaches a private address: whatever its form, its resolver or its redirects say."""

import socket
import threading
from collections.abc import Iterator

import pytest

from indexer.importing.errors import FetchError
from indexer.importing.fetching.address import Guard, is_public
from indexer.importing.fetching.fetcher import Fetcher
from indexer.importing.settings import ImportSettings
from tests.support.sites import hear, raw, site

GUARDED = {"forbidden_address", "forbidden_scheme", "forbidden_port", "bad_url", "unresolvable"}
# {p}: the canary's port, which is among the allowed ones, so that only the address can refuse.
FORMS = [
    # loopback
    "http://127.0.0.1:{p}/",
    "http://127.0.0.1:{p}",
    "http://127.1:{p}/",
    "http://127.0.1:{p}/",
    "http://127.255.255.254:{p}/",
    "http://0:{p}/",
    "http://0.0.0.0:{p}/",
    "http://0x7f000001:{p}/",
    "http://0x7f.0.0.1:{p}/",
    "http://0x7f.1:{p}/",
    "http://2130706433:{p}/",
    "http://017700000001:{p}/",
    "http://0177.0.0.1:{p}/",
    "http://0177.1:{p}/",
    "http://00000177.0.0.1:{p}/",
    "http://127.0.0.1.:{p}/",
    "http://localhost:{p}/",
    "http://LOCALHOST:{p}/",
    "http://localhost.:{p}/",
    # full-width and circled digits, ideographic full stops
    "http://①②⑦.⓪.⓪.①:{p}/",
    "http://１２７.０.０.１:{p}/",
    "http://127。0。0。1:{p}/",
    "http://127．0．0．1:{p}/",
    "http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ:{p}/",
    # IPv6
    "http://[::1]:{p}/",
    "http://[::]:{p}/",
    "http://[0:0:0:0:0:0:0:1]:{p}/",
    "http://[::ffff:127.0.0.1]:{p}/",
    "http://[::ffff:7f00:1]:{p}/",
    "http://[::127.0.0.1]:{p}/",
    "http://[::ffff:0:127.0.0.1]:{p}/",
    "http://[64:ff9b::127.0.0.1]:{p}/",
    "http://[64:ff9b:1::7f00:1]:{p}/",
    "http://[2002:7f00:1::]:{p}/",
    "http://[2001:0:7f00:1::]:{p}/",
    "http://[fe80::1]:{p}/",
    "http://[fe80::1%25lo]:{p}/",
    "http://[fec0::1]:{p}/",
    "http://[fc00::1]:{p}/",
    "http://[fd00:ec2::254]:{p}/",
    "http://[ff02::1]:{p}/",
    "http://[2001:db8::1]:{p}/",
    "http://[100::1]:{p}/",
    # private, link-local, shared, reserved, metadata
    "http://10.0.0.1:{p}/",
    "http://10.255.255.255:{p}/",
    "http://172.16.0.1:{p}/",
    "http://172.31.255.254:{p}/",
    "http://192.168.1.1:{p}/",
    "http://169.254.169.254:{p}/latest/meta-data/",
    "http://0xa9fea9fe:{p}/",
    "http://2852039166:{p}/",
    "http://[::ffff:169.254.169.254]:{p}/",
    "http://100.64.0.1:{p}/",
    "http://100.100.100.200:{p}/",
    "http://168.63.129.16:{p}/",
    "http://192.0.0.192:{p}/",
    "http://198.18.0.1:{p}/",
    "http://192.0.2.1:{p}/",
    "http://198.51.100.1:{p}/",
    "http://203.0.113.1:{p}/",
    "http://192.88.99.1:{p}/",
    "http://224.0.0.1:{p}/",
    "http://240.0.0.1:{p}/",
    "http://255.255.255.255:{p}/",
    # what one parser reads as one server and another as another
    "http://example.com@127.0.0.1:{p}/",
    "http://127.0.0.1:{p}@example.com/",
    "http://127.0.0.1:{p}\\@example.com/",
    "http://example.com\\@127.0.0.1:{p}/",
    "http://127.0.0.1:{p}#@example.com/",
    "http://127.0.0.1:{p}?@example.com/",
    "http://127.0.0.1\t:{p}/",
    "http://127.0.0.1%00:{p}/",
    "http://127.0.0.1 :{p}/",
    " http://127.0.0.1:{p}/",
    "http:///127.0.0.1:{p}/",
    "http:127.0.0.1:{p}/",
    "//127.0.0.1:{p}/",
    "http://%31%32%37.0.0.1:{p}/",
    "http://127.0.0.1\r\nHost: x:{p}/",
    "http://user:pass@localhost:{p}/",
    # other schemes and ports
    "file:///etc/passwd",
    "gopher://127.0.0.1:{p}/_x",
    "ftp://127.0.0.1:{p}/",
    "dict://127.0.0.1:{p}/",
    "ldap://127.0.0.1:{p}/",
    "jar:http://127.0.0.1:{p}!/",
    "data:text/xml,<rss/>",
    "HTTP+unix://%2Ftmp%2Fx/",
    "http://93.184.215.14:22/",
    "http://93.184.215.14:6379/",
    "http://93.184.215.14:5432/",
    "http://93.184.215.14:25/",
]


def answer(connection: socket.socket, stop: threading.Event) -> None:
    hear(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\ncanary")


@pytest.fixture
def canary() -> Iterator[tuple[int, list[int]]]:
    """A listener nobody may reach: its port and the connections it saw."""
    with raw(answer) as found:
        yield found


def fetcher(port: int, trusted: str = "", **changes: object) -> Fetcher:
    return Fetcher(ImportSettings(ports=f"80,443,{port}", trusted=trusted, **changes))


def test_the_canary_sings_when_it_is_trusted(canary: tuple[int, list[int]]) -> None:
    port, seen = canary
    found = fetcher(port, f"127.0.0.1:{port}").fetch(f"http://127.0.0.1:{port}/", max_bytes=100)
    assert found.body == b"canary"
    assert len(seen) == 1


def test_there_are_enough_forms() -> None:
    assert len(set(FORMS)) == len(FORMS) >= 60


@pytest.mark.parametrize("form", FORMS)
def test_no_form_reaches_the_canary(form: str, canary: tuple[int, list[int]]) -> None:
    port, seen = canary
    with pytest.raises(FetchError) as refused:
        fetcher(port).fetch(form.replace("{p}", str(port)), max_bytes=100)
    assert refused.value.code in GUARDED
    assert seen == []


def test_a_resolver_that_changes_its_mind_is_asked_once(
    canary: tuple[int, list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    port, seen = canary
    answers = iter([["93.184.215.14"], ["127.0.0.1"], ["127.0.0.1"]])
    asked, connected = [], []

    def rebinding(host: str, _port: int) -> list[str]:
        asked.append(host)
        return next(answers)

    def connect(address: tuple[str, int], timeout: float) -> socket.socket:
        connected.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", connect)
    settings = ImportSettings(ports=f"{port}")
    with pytest.raises(FetchError, match="cannot be reached"):
        Fetcher(settings, Guard.of(f"{port}", "", rebinding)).fetch(
            f"http://rebinding.example:{port}/", max_bytes=100
        )
    assert asked == ["rebinding.example"]
    assert connected == [("93.184.215.14", port)]
    assert seen == []


@pytest.mark.parametrize(
    "addresses", [["127.0.0.1"], ["93.184.215.14", "127.0.0.1"], ["::ffff:127.0.0.1"], ["10.0.0.7"], []]
)
def test_a_name_with_any_private_address_is_refused(
    addresses: list[str], canary: tuple[int, list[int]]
) -> None:
    port, seen = canary
    guard = Guard.of(f"{port}", "", lambda host, port: addresses)
    with pytest.raises(FetchError) as refused:
        Fetcher(ImportSettings(), guard).fetch(f"http://inside.example:{port}/", max_bytes=100)
    assert refused.value.code == "forbidden_address"
    assert seen == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("hops", [0, 3])
def test_a_redirect_does_not_lead_inside(status: int, hops: int, canary: tuple[int, list[int]]) -> None:
    port, seen = canary
    with site() as outside:
        for n in range(hops):
            outside.pages[f"/{n}"] = (302, {"Location": f"/{n + 1}"}, b"")
        outside.pages[f"/{hops}"] = (status, {"Location": f"http://127.0.0.1:{port}/"}, b"")
        with pytest.raises(FetchError) as refused:
            fetcher(port, outside.trusted).fetch(outside.url("/0"), max_bytes=100)
        assert len(outside.asked) == hops + 1
    assert refused.value.code == "forbidden_address"
    assert seen == []


def test_a_redirect_to_another_scheme_is_refused() -> None:
    with site() as outside:
        outside.pages["/"] = (302, {"Location": "file:///etc/passwd"}, b"")
        with pytest.raises(FetchError) as refused:
            fetcher(80, outside.trusted).fetch(outside.url("/"), max_bytes=100)
    assert refused.value.code == "forbidden_scheme"


def test_a_proxy_in_the_environment_is_not_used(
    canary: tuple[int, list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    port, seen = canary
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{port}")
    with site() as outside:
        outside.pages["/"] = (200, {}, b"direct")
        assert fetcher(port, outside.trusted).fetch(outside.url("/"), max_bytes=100).body == b"direct"
    assert seen == []


@pytest.mark.parametrize(
    "address", ["93.184.215.14", "8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00:1450::1"]
)
def test_public_addresses_are_public(address: str) -> None:
    assert is_public(address)
