"""An encoded answer, where it came from, and the one way from it to bytes on the wire.

Routes send answers through `wire`, the edge those of its memory through `told`: both do what `_form_of` says, so that nobody
can tell which of them did.
"""

import gzip
import math
import time
from collections.abc import Awaitable, Callable
from copy import copy
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING, Literal, NamedTuple, cast

from api.answers.encodings import LEAST_BYTES, Coding, Forms, Header, accepted, compress
from api.answers.following.depends import Depends

# The worker encodes answers too, when it warms the cache, and needs no framework for it.
if TYPE_CHECKING:
    from litestar.types import Receive, Scope, Send

Kind = Literal["program", "page"]
# This process's memory; the same, superseded; Redis; another request's flight; the source.
Level = Literal["l1", "stale", "l2", "coalesced", "miss"]

# A CDN hears of no withdrawal: it may show an answer for ten seconds at the most.
_CACHE_CONTROL = (b"cache-control", b"public, max-age=5, s-maxage=5, stale-while-revalidate=5")
_BRIEF_CACHE_CONTROL = (b"cache-control", b"public, max-age=1, s-maxage=1")
MISSING_CACHE_CONTROL = "public, max-age=1, s-maxage=5"
JSON = (b"content-type", b"application/json")
_GZIP = (b"content-encoding", b"gzip")
# The representation depends on what the client can read.
_VARY = (b"vary", b"accept-encoding")
_LEVELS: dict[Level, Header] = {
    level: (b"x-cache", level.encode()) for level in ("l1", "stale", "l2", "coalesced", "miss")
}
# Forms of an answer besides content codings: nothing new, as it is, without its coding.
_UNCHANGED, _AS_IT_IS, _PLAIN = b"unchanged", b"as it is", b"plain"


class Media(NamedTuple):
    """A kind of document: its name in Redis, the headers that every document of it has, whether it is kept in gzip."""

    name: str
    headers: tuple[Header, ...]
    compressed: bool = False


JSON_MEDIA = Media("json", (JSON,))
# Name -> kind of document. A room that answers with another kind adds it when it is imported.
MEDIA: dict[str, Media] = {JSON_MEDIA.name: JSON_MEDIA}


@dataclass(frozen=True, slots=True)
class Answer:
    """The bytes of a response, shared by all who ask; never changed.

    Attributes:
        body: The document, in gzip if its media is kept so; empty with status 404.
        status: 200, or 404 when there is nothing.
        rev: The revision, of a single program; else 0.
        ids: The programs it shows.
        max_ttl: Seconds that each of the two levels may keep it, if that is less than its kind's time.
        media: What kind of document the body is.
        ends_at: Seconds since 1970 when what it shows ends, such as a collection: nobody keeps it longer.
        link: The value of the header Link (RFC 8288): the pages before and after it; empty without any.
        note: What is counted when it is given, as its room writes it; empty for nothing.
        depends: What a page depends on; None: every change of the index supersedes it.
        etag: The ETag with its quotes. It is sent as a weak one when the answer has several encodings.
        varies: Whether the client decides in which encoding it is sent.
        unchanged: The headers of a 304.
        headers: The headers of a response with the body as it is.
        texts: Form -> the headers of a response from memory, as text; made when somebody first asks for the form.
    """

    body: bytes
    status: int = 200
    rev: int = 0
    ids: tuple[int, ...] = ()
    max_ttl: float = math.inf
    media: Media = JSON_MEDIA
    ends_at: float = math.inf
    link: bytes = b""
    note: str = ""
    depends: Depends | None = None
    etag: bytes = field(init=False, repr=False, compare=False)
    varies: bool = field(init=False, repr=False, compare=False)
    unchanged: tuple[Header, ...] = field(init=False, repr=False, compare=False)
    headers: tuple[Header, ...] = field(init=False, repr=False, compare=False)
    texts: dict[bytes, tuple[tuple[str, str], ...]] = field(init=False, repr=False, compare=False)

    def linked(self, link: bytes) -> "Answer":
        """Return the same answer with links to other pages. Its body is not read again."""
        found, header = copy(self), (b"link", link)
        object.__setattr__(found, "link", link)
        object.__setattr__(found, "unchanged", (*self.unchanged, header))
        object.__setattr__(found, "headers", (*self.headers, header))
        object.__setattr__(found, "texts", {})
        return found

    def plain(self) -> bytes:
        """Return the document without a content coding."""
        return gzip.decompress(self.body) if self.media.compressed else self.body

    def kept(self, ttl: float) -> float:
        """Return for how many seconds from now a level may keep it, if it may keep others of its kind `ttl` seconds."""
        return min(ttl, self.max_ttl, self.ends_at - time.time())

    def __post_init__(self) -> None:
        etag = b'"%s"' % blake2b(self.body, digest_size=8).hexdigest().encode()
        control = _CACHE_CONTROL if self.max_ttl == math.inf else _BRIEF_CACHE_CONTROL
        varies = self.media.compressed or len(self.body) >= LEAST_BYTES
        # Compressed or not, a document has one tag: so the tag is weak (RFC 9110, 8.8.1).
        unchanged: tuple[Header, ...] = (
            ((b"etag", b"W/" + etag), control, _VARY) if varies else ((b"etag", etag), control)
        )
        if self.link:
            unchanged = (*unchanged, (b"link", self.link))
        encoding = (_GZIP,) if self.media.compressed else ()
        length = (b"content-length", b"%d" % len(self.body))
        object.__setattr__(self, "etag", etag)
        object.__setattr__(self, "varies", varies)
        object.__setattr__(self, "unchanged", unchanged)
        object.__setattr__(self, "headers", (*unchanged, *self.media.headers, *encoding, length))
        object.__setattr__(self, "texts", {})


def document(
    text: bytes,
    media: Media,
    *,
    ids: tuple[int, ...] = (),
    max_ttl: float = math.inf,
    ends_at: float = math.inf,
    note: str = "",
) -> Answer:
    """Return the answer for a document.

    Args:
        text: The document, not compressed.
        media: What kind of document it is.
        ids: The programs it shows.
        max_ttl: Seconds that each of the two levels may keep it.
        ends_at: Seconds since 1970 when what it shows ends.
        note: What is counted when it is given.
    """
    # Equal documents have equal bytes, whenever they are made.
    body = compress(text, b"gzip") if media.compressed else text
    return Answer(body, ids=ids, max_ttl=max_ttl, media=media, ends_at=ends_at, note=note)


NOT_FOUND = Answer(b"", status=404)
Load = Callable[[], Awaitable[Answer]]


class Found(NamedTuple):
    """An answer and where it came from: the answer is shared, the level is each asker's own."""

    answer: Answer
    level: Level


class Answered(NamedTuple):
    """What a route leaves in its request's state as `answered`, so that the edge gives the next answer itself.

    `via` are the key and the answer that led from the address to `key`, as a slug's does; None when none did.
    """

    key: str
    kind: Kind
    via: tuple[str, Answer] | None = None


def wire(found: Found, unchanged: bytes, encodings: bytes, forms: Forms) -> "tuple[int, list[Header], bytes]":
    """Status, headers and body of a response with an answer of status 200.

    Args:
        found: The answer and its level, which becomes `X-Cache`.
        unchanged: The request's If-None-Match; empty without one.
        encodings: The request's Accept-Encoding; empty without one.
        forms: Has the compressed forms of answers.
    """
    answer, level = found
    form = _form_of(answer, unchanged, encodings)
    status, headers, body = _formed(answer, form, forms)
    return status, [*headers, _LEVELS[level]], body


def told(
    answer: Answer, unchanged: bytes, encodings: bytes, forms: Forms
) -> "tuple[int, tuple[tuple[str, str], ...], bytes]":
    """Status, headers and body of a response with an answer from memory, as `wire` makes them, with headers as text.

    Args:
        answer: The answer, of status 200.
        unchanged: The request's If-None-Match; empty without one.
        encodings: The request's Accept-Encoding; empty without one.
        forms: Has the compressed forms of answers.
    """
    form = _form_of(answer, unchanged, encodings)
    headers = answer.texts.get(form)
    if headers is None:
        status, found, body = _formed(answer, form, forms)
        headers = tuple(map(_text, (*found, _LEVELS["l1"])))
        answer.texts[form] = headers
        return status, headers, body
    if form is _AS_IT_IS:
        return 200, headers, answer.body
    if form is _UNCHANGED:
        return 304, headers, b""
    return 200, headers, _formed(answer, form, forms)[2]


# Most headers are those of many answers, which share their text then.
@lru_cache(maxsize=256)
def _text(header: Header) -> tuple[str, str]:
    return header[0].decode(), header[1].decode()


def _form_of(answer: Answer, unchanged: bytes, encodings: bytes) -> bytes:
    """The form of an answer that a request gets: one of those above, or a content coding."""
    if unchanged and _matches(answer.etag, unchanged):
        return _UNCHANGED
    if not answer.varies:
        return _AS_IT_IS
    codings = accepted(encodings)
    # The form that is kept costs nothing, whatever the client would like even more.
    if b"gzip" in codings if answer.media.compressed else not codings:
        return _AS_IT_IS
    return codings[0] if codings else _PLAIN


def _formed(answer: Answer, form: bytes, forms: Forms) -> "tuple[int, tuple[Header, ...], bytes]":
    """Status, headers and body of an answer in a form."""
    if form is _UNCHANGED:
        return 304, answer.unchanged, b""
    if form is _AS_IT_IS:
        return 200, answer.headers, answer.body
    if form is not _PLAIN:
        made = forms.find(answer.etag, answer.plain, cast("Coding", form))
        if made.body:
            return 200, (*answer.unchanged, *answer.media.headers, *made.headers), made.body
    body = answer.plain()
    length = (b"content-length", b"%d" % len(body))
    return 200, (*answer.unchanged, *answer.media.headers, length), body


def _matches(etag: bytes, unchanged: bytes) -> bool:
    if unchanged.strip() == b"*":
        return True
    return etag in {tag.strip().removeprefix(b"W/") for tag in unchanged.split(b",")}


class Reply:
    """A response that a route returns as it goes on the wire."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, headers: list[Header], body: bytes) -> None:
        """Take a response's parts.

        Args:
            status: The HTTP status.
            headers: As ASGI has them: names in lower case.
            body: The whole body; the edge leaves it out for HEAD.
        """
        self.status, self.headers, self.body = status, headers, body

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """ASGI."""
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": False})
