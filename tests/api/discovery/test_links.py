"""The header Link: a client that follows it sees every page of a list once, forwards and backwards."""

import re

import pytest

from tests.support.client import Client
from tests.support.shared import SharedApi


def links(listener: Client, address: str) -> tuple[dict[str, str], list[object]]:
    """Return relation -> address, and what the page shows."""
    answer = listener.get(address)
    assert answer.status_code == 200, answer.text
    again = listener.ask("GET", address, headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.headers.get("link")) == (304, answer.headers.get("link"))
    found = re.findall(r'<([^>]*)>; rel="(\w+)"', answer.headers.get("link", ""))
    page = answer.json()
    rows = page["programs"] if "programs" in page else page["data"]
    return {relation: target for target, relation in found}, rows


@pytest.mark.parametrize(
    ("address", "total", "both"),
    [
        ("/discovery/search?q=&limit=2&sort=oldest", 5, True),
        ("/discovery/search?sort=oldest&page=1&q=coffee&limit=1&kind=film,episode", 2, True),
        ("/discovery/browse?limit=2&cursor=", 5, False),
        ("/discovery/facets/language?limit=1", 2, False),
        ("/discovery/people?limit=1&tag=%D9%82%D9%87%D9%88%D8%A9&tag=coffee", 2, False),
        ("/discovery/tags?limit=1", 3, False),
        ("/discovery/series/coffee-talks?limit=1", 2, True),
        ("/discovery/people/omar-haddad", 1, False),
    ],
)
def test_links_lead_through_the_whole_list(
    shared: SharedApi, reading: dict[str, int], address: str, total: int, both: bool
) -> None:
    walked, seen = [address], list[object]()
    while True:
        found, rows = links(shared.listener, walked[-1])
        assert rows
        seen += rows
        if "next" not in found:
            break
        walked.append(found["next"])
    assert (len(seen), len({str(row) for row in seen})) == (total, total)
    backwards = [walked[-1]]
    while "prev" in (found := links(shared.listener, backwards[-1])[0]):
        backwards.append(found["prev"])
    assert len(backwards) == (len(walked) if both else 1)


def test_the_openapi_document_is_sent_once(shared: SharedApi) -> None:
    plain = shared.listener.ask("GET", "/openapi.json", headers={"Accept-Encoding": "identity"})
    packed = shared.listener.ask("GET", "/openapi.json", headers={"Accept-Encoding": "gzip"})
    assert packed.json() == plain.json()
    assert (packed.headers["content-encoding"], "content-encoding" in plain.headers) == ("gzip", False)
    assert int(packed.headers["content-length"]) * 5 < len(plain.content)
    assert plain.headers["vary"].lower() == "accept-encoding"
    assert plain.headers["etag"] == packed.headers["etag"]
    for etag in (plain.headers["etag"], "*"):
        again = shared.listener.ask("GET", "/openapi.json", headers={"If-None-Match": etag})
        assert (again.status_code, again.content) == (304, b"")
    assert shared.listener.ask("HEAD", "/openapi.json").status_code == 200
