"""Content codings: what a client accepts, what it gets, and that each form of an answer is made once and bounded."""

import gzip
import http.client
import zlib
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import brotli
import pytest
import zstandard
from sqlalchemy import Engine as Database

from api.answers.answer import MEDIA, Answer, Found, Media, document, wire
from api.answers.edge import Edge
from api.answers.encodings import CODINGS, LEAST_BYTES, Coding, Forms, accepted, compress
from api.settings import Settings
from catalog.core.db import session_factory
from tests.support.product import serve
from tests.support.programs import make

READ = {
    b"zstd": lambda body: zstandard.ZstdDecompressor().decompressobj().decompress(body),
    b"br": brotli.decompress,
    b"gzip": gzip.decompress,
}
LONG = " ".join(f"A long description of the program, part {n}." for n in range(100))


def giving(body: bytes) -> Callable[[], bytes]:
    """Return what gives a body."""
    return lambda: body


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (b"", ()),
        (b"gzip, deflate, br, zstd", (b"zstd", b"br", b"gzip")),
        (b"gzip, deflate", (b"gzip",)),
        (b"GZIP", (b"gzip",)),
        (b"x-gzip", (b"gzip",)),
        (b"deflate", ()),
        (b"*", (b"zstd", b"br", b"gzip")),
        (b"*;q=0.5, br", (b"br", b"zstd", b"gzip")),
        (b"*;q=0, gzip", (b"gzip",)),
        (b"br;q=1.0, gzip;q=0.8, *;q=0.1", (b"br", b"gzip", b"zstd")),
        (b"gzip;q=0, br", (b"br",)),
        (b"gzip ; q=0.000 ,\tbr;q=0", ()),
        (b"identity", ()),
        (b"identity;q=0.5, gzip;q=0.2, br", (b"br",)),
        (b"identity;q=0, gzip;q=0.001", (b"gzip",)),
        (b"gzip;q=2, br;q=-1, zstd;q=nan", ()),
        (b"gzip;q=, br;q=x", ()),
        (b"gzip;level=9;q=0.3", (b"gzip",)),
        (b",,;;q=1,=", ()),
        (b"gzip\xff, br\x00", ()),
        (b"a," * 500 + b"br", (b"br",)),
    ],
)
def test_a_client_gets_what_it_prefers(header: bytes, expected: tuple[Coding, ...]) -> None:
    assert accepted(header) == expected


@pytest.mark.parametrize("coding", CODINGS)
def test_a_form_is_made_once_and_is_the_body(coding: Coding, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[bytes] = []

    def counted(body: bytes, name: Coding) -> bytes:
        made.append(name)
        return compress(body, name)

    monkeypatch.setattr("api.answers.encodings.compress", counted)
    forms, body = Forms(10**6), LONG.encode()
    form = forms.find(b'"1"', giving(body), coding)
    assert READ[coding](form.body) == body
    # Also for an answer that was made anew with the same bytes.
    assert forms.find(b'"1"', giving(bytes(bytearray(body))), coding) is form
    assert made == [coding]


def test_forms_are_bounded_and_those_in_use_stay() -> None:
    forms, bodies = Forms(10**6), [f"{n} {LONG}".encode() for n in range(5)]
    for n in range(3):
        forms.find(b"%d" % n, giving(bodies[n]), b"gzip")
    forms.max_bytes = forms.bytes
    forms.find(b"0", giving(bodies[0]), b"gzip")
    forms.find(b"3", giving(bodies[3]), b"gzip")
    assert [etag for etag, _ in forms._forms] == [b"2", b"0", b"3"]
    assert forms.bytes <= forms.max_bytes
    forms.clear()
    assert (forms.bytes, len(forms._forms)) == (0, 0)


def test_without_room_answers_are_compressed_all_the_same() -> None:
    forms = Forms(0)
    form = forms.find(b"1", giving(LONG.encode()), b"br")
    assert brotli.decompress(form.body) == LONG.encode()
    assert forms.bytes == 0


def test_bytes_that_do_not_get_smaller_are_sent_as_they_are() -> None:
    dense = zlib.compress(LONG.encode() * 9)
    noise = b"".join(zlib.crc32(b"%d" % n + dense).to_bytes(4, "big") for n in range(LEAST_BYTES // 4))
    answer, forms = Answer(noise), Forms(10**6)
    for _ in range(2):
        status, headers, body = wire(Found(answer, "l1"), b"", b"br", forms)
        named = dict(headers)
        assert (status, body, b"content-encoding" in named) == (200, noise, False)
        assert (named[b"content-length"], named[b"vary"]) == (b"%d" % len(noise), b"accept-encoding")


def test_the_form_that_is_kept_is_sent_to_who_reads_it() -> None:
    kept = Media("kept", ((b"content-type", b"text/plain"),), compressed=True)
    answer, forms = document(LONG.encode(), kept), Forms(10**6)
    for header, coding in ((b"zstd, br, gzip;q=0.1", b"gzip"), (b"br", b"br"), (b"br", b"br"), (b"", None)):
        _, headers, body = wire(Found(answer, "l1"), b"", header, forms)
        named = dict(headers)
        assert named.get(b"content-encoding") == coding, header
        assert (READ[coding](body) if coding else body) == LONG.encode()
        assert named[b"content-length"] == b"%d" % len(body)
    assert kept.name not in MEDIA
    assert [coding for _, coding in forms._forms] == [b"br"]


@pytest.fixture
def api(settings: Settings) -> Iterator[tuple[str, Edge]]:
    """The address of an API, and its edge."""
    with serve(settings) as (client, edge):
        yield urlsplit(client.base).netloc, edge


Sent = tuple[int, dict[str, str], bytes]


def ask(host: str, path: str, method: str = "GET", **headers: str) -> Sent:
    """Send exactly these headers."""
    connection = http.client.HTTPConnection(host, timeout=60)
    connection.putrequest(method, path, skip_accept_encoding=True)
    for name, value in headers.items():
        connection.putheader(name.replace("_", "-"), value)
    connection.endheaders()
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    drop = {"x-cache", "x-request-id", "date"}
    found = {name.lower(): value for name, value in answer.getheaders() if name.lower() not in drop}
    return answer.status, found, body


def program(database: Database, description: str) -> str:
    with session_factory(database).begin() as session:
        return f"/discovery/programs/{make(session, 'published', description=description).id}"


@pytest.mark.parametrize("coding", ["zstd", "br", "gzip"])
def test_the_edge_and_the_framework_send_the_same_forms(
    coding: str, api: tuple[str, Edge], database: Database
) -> None:
    host, edge = api
    path = program(database, LONG)
    _, plain, body = ask(host, path)
    assert plain["vary"] == "accept-encoding"
    assert plain["etag"].startswith('W/"')
    assert "content-encoding" not in plain
    answers: list[Sent] = []
    for _ in range(2):
        edge._hot.clear()
        answers += [ask(host, path, Accept_Encoding=coding) for _ in range(2)]
    assert all(answer == answers[0] for answer in answers)
    status, headers, form = answers[0]
    assert (status, headers["content-encoding"]) == (200, coding)
    assert READ[coding.encode()](form) == body
    assert len(form) * 4 < len(body)
    # All else is as without a coding.
    own = {"content-encoding": coding, "content-length": str(len(form))}
    assert headers == plain | own
    assert ask(host, path, "HEAD", Accept_Encoding=coding) == (200, headers, b"")
    for unchanged in (plain["etag"], plain["etag"].removeprefix("W/"), "*"):
        status, headers, nothing = ask(host, path, Accept_Encoding=coding, If_None_Match=unchanged)
        assert (status, nothing) == (304, b"")
        assert headers.items() >= {"etag": plain["etag"], "vary": "accept-encoding"}.items()
        assert not headers.keys() & {"content-encoding", "content-length"}


def test_a_small_answer_has_one_form(api: tuple[str, Edge], database: Database) -> None:
    host, _ = api
    path = program(database, "Short.")
    plain = ask(host, path)
    assert len(plain[2]) < LEAST_BYTES
    assert plain[1]["etag"].startswith('"')
    assert "vary" not in plain[1]
    assert ask(host, path, Accept_Encoding="gzip, br, zstd") == plain


def test_purging_a_cache_forgets_forms_too(api: tuple[str, Edge], database: Database) -> None:
    host, edge = api
    ask(host, program(database, LONG), Accept_Encoding="br")
    cache = edge.app.state.shared.cache
    assert cache.forms.bytes > 0
    cache.clear()
    assert cache.forms.bytes == 0
