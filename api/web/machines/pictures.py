"""Uploaded pictures, for everybody. A name stands for a content, so browsers and CDNs keep it for good."""

from functools import partial

from litestar import get
from litestar.params import FromPath

from api.answers.answer import Reply
from api.discovery.state import DiscoveryRequest
from api.http.errors import Problem
from api.http.limits.threads import Crowded, Threads
from indexer.pictures import opening, storing
from indexer.pictures.settings import PictureSettings
from indexer.pictures.storing import StoreAway

# Pictures that a process reads at the same time, and requests that may wait for one: a store that is slow stops nothing else.
AT_ONCE, PLACES = 8, 100
threads = Threads("pictures", AT_ONCE, PLACES)
# Whatever somebody has hidden in a picture: no browser takes it for anything else, or runs anything of it: the edge
# adds `nosniff`.
_HEADERS = (
    (b"cache-control", b"public, max-age=31536000, immutable"),
    (b"content-security-policy", b"default-src 'none'; sandbox"),
    (b"cross-origin-resource-policy", b"cross-origin"),
)


@get("/pictures/{name:str}")
async def picture(request: DiscoveryRequest, name: FromPath[str]) -> Reply:
    """Return a picture.

    Raises:
        Problem: There is none of this name, or its store does not answer, or too many wait for it.
    """
    store = opening.open_store(PictureSettings()) if storing.is_name(name) else None
    if store is None:
        raise Problem("not_found")
    etag = f'"{name.partition(".")[0]}"'.encode()
    if etag.decode() in request.headers.get("if-none-match", ""):
        return Reply(304, [(b"etag", etag), *_HEADERS], b"")
    try:
        with threads.place():
            content = await threads.run(partial(store.get, name))
    except (Crowded, StoreAway):
        raise Problem("storage_unavailable", headers={"Retry-After": "10"}) from None
    if content is None:
        raise Problem("not_found")
    media_type = storing.TYPES[name.rpartition(".")[2]].encode()
    length = (b"content-length", b"%d" % len(content))
    return Reply(200, [(b"content-type", media_type), (b"etag", etag), *_HEADERS, length], content)
