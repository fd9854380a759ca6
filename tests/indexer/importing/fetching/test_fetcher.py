"""Documents of strangers: caps on bytes, decompressed bytes, hops and total time."""

import gzip
import tracemalloc
import zlib
from typing import Any

import pytest

from indexer.importing.errors import FetchError
from indexer.importing.fetching.fetcher import Fetched, Fetcher
from indexer.importing.settings import ImportSettings
from tests.support import sites
from tests.support.sites import Site, raw, site

MB = 1_000_000


def fetch(where: Site | int, path: str = "/", max_bytes: int = MB, **options: Any) -> Fetched:
    port = where if isinstance(where, int) else where.port
    names = set(ImportSettings.model_fields) & set(options)
    settings = ImportSettings(trusted=f"127.0.0.1:{port}", **{name: options.pop(name) for name in names})
    return Fetcher(settings).fetch(f"http://127.0.0.1:{port}{path}", max_bytes=max_bytes, **options)


def refused(where: Site | int, path: str = "/", **options: Any) -> FetchError:
    with pytest.raises(FetchError) as error:
        fetch(where, path, **options)
    return error.value


def test_a_document_with_its_validators() -> None:
    with site() as stranger:
        headers = {
            "ETag": '"v1"',
            "Last-Modified": "Tue, 03 Nov 2026 10:00:00 GMT",
            "Content-Type": "text/xml",
        }
        stranger.pages["/"] = (200, headers, b"<rss/>")
        found = fetch(stranger)
        assert found == Fetched(
            stranger.url(), b"<rss/>", False, None, '"v1"', headers["Last-Modified"], "text/xml"
        )
        stranger.pages["/"] = (304, {}, b"")
        again = fetch(stranger, etag=found.etag, last_modified=found.last_modified)
        assert again.not_modified
        assert again.body == b""
        asked = stranger.asked[1][1]
        assert (asked["if-none-match"], asked["if-modified-since"]) == ('"v1"', headers["Last-Modified"])


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("gzip", gzip.compress),
        ("GZIP", gzip.compress),
        ("deflate", zlib.compress),
        ("deflate", lambda body: zlib.compress(body)[2:-4]),
        ("gzip", lambda body: gzip.compress(body[:500]) + gzip.compress(body[500:])),
        ("gzip", lambda body: gzip.compress(body) + b"\0" * 64),
    ],
)
def test_compressed_documents_are_unpacked(encoding: str, pack: Any) -> None:
    body = bytes(range(256)) * 40
    with site() as stranger:
        stranger.pages["/"] = (200, {"Content-Encoding": encoding}, pack(body))
        assert fetch(stranger).body == body


@pytest.mark.parametrize("layers", [1, 3])
def test_a_gzip_bomb_is_stopped_before_it_unfolds(layers: int) -> None:
    with site() as stranger:
        stranger.pages["/"] = (200, {"Content-Encoding": "gzip"}, sites.bomb(50, layers))
        tracemalloc.start()
        error = refused(stranger)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert error.code == "too_large"
    assert peak < 8 * MB


def test_a_document_that_is_too_large_is_not_read() -> None:
    with site() as stranger:
        stranger.pages["/told"] = (200, {"Content-Length": "200000000"}, b"x")
        assert refused(stranger, "/told").code == "too_large"
    with raw(sites.endless) as (port, _):
        assert refused(port).code == "too_large"


@pytest.mark.parametrize("talk", [sites.trickled_headers, sites.trickled_body, sites.silent])
def test_a_slow_server_is_cut_off(talk: Any) -> None:
    with raw(talk) as (port, seen):
        # Without its deadline this would go on for ever.
        error = refused(port, total_timeout=0.6)
        assert error.code == "too_slow"
        assert error.retryable
        assert len(seen) == 1


@pytest.mark.parametrize(
    ("status", "code", "retryable"),
    [
        (404, "not_found", False),
        (410, "gone", False),
        (401, "refused", False),
        (403, "refused", False),
        (451, "refused", False),
        (429, "rate_limited", True),
        (500, "server_error", True),
        (503, "server_error", True),
        (204, "unexpected_status", False),
        (418, "unexpected_status", False),
    ],
)
def test_every_status_has_an_outcome(status: int, code: str, retryable: bool) -> None:
    with site() as stranger:
        stranger.pages["/"] = (status, {}, b"" if status == 204 else b"words")
        error = refused(stranger)
    assert (error.code, error.retryable) == (code, retryable)


def test_the_server_says_when_to_come_back() -> None:
    with site() as stranger:
        stranger.pages["/"] = (429, {"Retry-After": "120"}, b"")
        assert refused(stranger).retry_after == 120
        stranger.pages["/"] = (503, {"Retry-After": "Fri, 01 Jan 2100 00:00:00 GMT"}, b"")
        assert refused(stranger).retry_after == 86_400
        for unclear in ("soon", "Thu, 01 Jan 1970 00:00:00 +99999999999999999999"):
            stranger.pages["/"] = (503, {"Retry-After": unclear}, b"")
            assert refused(stranger).retry_after is None


def test_redirects() -> None:
    with site() as stranger:
        stranger.pages |= {
            "/a": (301, {"Location": "/b"}, b""),
            "/b": (308, {"Location": "/end"}, b""),
            "/t": (302, {"Location": "/end"}, b""),
            "/x": (301, {"Location": "/y"}, b""),
            "/y": (301, {"Location": "/x"}, b""),
            "/ar": (302, {"Location": "/قهوة".encode().decode("latin-1")}, b""),
            "/%D9%82%D9%87%D9%88%D8%A9": (200, {}, b"coffee"),
            "/end": (200, {}, b"here"),
        }
        for n in range(9):
            stranger.pages[f"/n{n}"] = (302, {"Location": f"/n{n + 1}"}, b"")
        assert fetch(stranger, "/a").moved_to == stranger.url("/end")
        assert fetch(stranger, "/t").moved_to is None
        assert fetch(stranger, "/ar").body == b"coffee"
        assert refused(stranger, "/x").code == "redirect_loop"
        stranger.asked.clear()
        assert refused(stranger, "/n0").code == "too_many_redirects"
        assert len(stranger.asked) == 6


def test_what_breaks_on_the_way() -> None:
    def nonsense(connection: Any, stop: Any) -> None:
        sites.hear(connection)
        connection.sendall(b"SSH-2.0-OpenSSH_9.9\r\n\r\n")

    def short(connection: Any, stop: Any) -> None:
        sites.hear(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort")

    def negative(connection: Any, stop: Any) -> None:
        sites.hear(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nshort\r\n")

    def huge(connection: Any, stop: Any) -> None:
        sites.hear(connection)
        connection.sendall(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"f" * 40 + b"\r\nshort\r\n"
        )

    for talk in (nonsense, short, negative, huge):
        with raw(talk) as (port, _):
            error = refused(port)
            assert (error.code, error.retryable) == ("broken_response", True)
    assert refused(port).code == "unreachable"
    with site() as stranger:
        stranger.pages["/"] = (200, {"Content-Encoding": "br"}, b"x")
        assert refused(stranger).code == "bad_encoding"
        stranger.pages["/"] = (200, {"Content-Encoding": "gzip"}, b"not gzip at all")
        assert refused(stranger).code == "bad_encoding"
        stranger.pages["/"] = (200, {"Content-Encoding": "gzip"}, gzip.compress(b"x" * 999)[:-9])
        assert refused(stranger).code == "broken_response"
