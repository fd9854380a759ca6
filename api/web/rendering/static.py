"""Static files of the pages: read once, compressed once, under addresses that change when a file changes.

A page names the digest of all files in their addresses, so browsers keep them for good. An older digest, of a page that
was open while the product was upgraded, gets the newest file, which nobody keeps.
"""

import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from importlib.resources import files
from importlib.resources.abc import Traversable

from litestar import get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from api.answers.answer import Reply
from api.answers.encodings import Header
from api.http.request import ApiRequest

_TYPES = {
    "css": b"text/css; charset=utf-8",
    "js": b"text/javascript; charset=utf-8",
    "svg": b"image/svg+xml",
    "png": b"image/png",
    "ico": b"image/x-icon",
}
_KEPT = (b"cache-control", b"public, max-age=31536000, immutable")
_NOT_KEPT = (b"cache-control", b"no-cache")
_LEVEL = 9


@dataclass(frozen=True, slots=True)
class File:
    """A file and its compressed bytes; None when compressing saves nothing."""

    content: bytes
    compressed: bytes | None
    content_type: bytes


@cache
def _all() -> tuple[str, Mapping[str, File]]:
    """The digest of all files, and the files by name."""
    found = {name: _file(name, content) for name, content in _contents(files("api.web").joinpath("static"))}
    digest = blake2b(digest_size=6)
    for name in sorted(found):
        digest.update(name.encode() + b"\0" + found[name].content)
    return digest.hexdigest(), found


def _contents(folder: Traversable, prefix: str = "") -> list[tuple[str, bytes]]:
    found: list[tuple[str, bytes]] = []
    for entry in folder.iterdir():
        if entry.is_dir():
            found += _contents(entry, f"{prefix}{entry.name}/")
        elif entry.name.rpartition(".")[2] in _TYPES:
            found.append((prefix + entry.name, entry.read_bytes()))
    return found


def _file(name: str, content: bytes) -> File:
    compressed = gzip.compress(content, _LEVEL, mtime=0)
    smaller = compressed if len(compressed) < len(content) else None
    return File(content, smaller, _TYPES[name.rpartition(".")[2]])


def address(name: str) -> str:
    """Return the address of a file.

    Raises:
        KeyError: There is no such file.
    """
    digest, found = _all()
    if name not in found:
        raise KeyError(name)
    return f"/static/{digest}/{name}"


def names() -> Mapping[str, File]:
    """Return every file by name."""
    return _all()[1]


@get("/static/{digest:str}/{name:path}", include_in_schema=False)
async def static(request: ApiRequest, digest: FromPath[str], name: FromPath[str]) -> Reply:
    """Return a file.

    Raises:
        NotFoundException: There is no such file.
    """
    current, found = _all()
    file = found.get(name.lstrip("/"))
    if file is None:
        raise NotFoundException
    headers: list[Header] = [
        (b"content-type", file.content_type),
        _KEPT if digest == current else _NOT_KEPT,
        (b"vary", b"accept-encoding"),
    ]
    body = file.content
    if file.compressed is not None and "gzip" in request.headers.get("accept-encoding", ""):
        body = file.compressed
        headers.append((b"content-encoding", b"gzip"))
    return Reply(200, [*headers, (b"content-length", b"%d" % len(body))], body)
