"""Editors' route that looks at the file behind an address before a program has it: its first bytes are fetched.

The guard of imports says which servers may be asked. Nothing of the file but its kind and its size is told.
"""

from functools import partial

from litestar import post
from litestar.params import JSONBody

from api.editorial.media.schemas import FileCheckAnswer, FileCheckIn, FileCheckOut, FileKind
from api.http.auth import EDITORS
from api.http.errors import Problem
from api.http.limits.rate_limit import Budget
from api.http.limits.threads import Crowded, Threads
from api.http.reply import JsonResponse
from api.http.request import ApiRequest
from indexer.importing.errors import ImportFailed
from indexer.importing.fetching.fetcher import Fetched, Fetcher
from indexer.importing.reading import media_types
from indexer.importing.settings import ImportSettings
from indexer.pictures import opening, recognising, storing
from indexer.pictures.settings import PictureSettings
from indexer.pictures.storing import Store, StoreAway

# Addresses of an account in a minute; those that a process looks at at the same time, and those that may wait for it, too.
PER_MINUTE = 30
AT_ONCE = 4
PLACES = 100
# Enough for the headers of every container.
_BEGINNING = 64 * 1024


threads = Threads("files", AT_ONCE, PLACES)


def look(url: str, use: str, settings: ImportSettings) -> FileCheckOut:
    """Fetch the first bytes of a file and say what it is.

    Args:
        url: The address.
        use: What a program would have it for: `media` or `picture`.
        settings: Limits, and servers that may be asked.
    """
    size = recognising.BEGINNING if use == "picture" else _BEGINNING
    try:
        found = Fetcher(settings).beginning(url, size, settings.probe_timeout)
    except ImportFailed as error:
        return _not_had(url, error.code, error.detail)
    return _told(found, use, is_cut=len(found.body) >= size)


def look_at_own(url: str, use: str, store: Store) -> FileCheckOut:
    """Say what an uploaded picture is: it is read where it is kept, because this server may have no public address.

    Args:
        url: The address, which ends with the picture's name.
        use: What a program would have it for: `media` or `picture`.
        store: Where pictures are kept.
    """
    name = url.rpartition("/")[2]
    try:
        content = store.get(name)
    except StoreAway:
        return _not_had(url, "unreachable", "The place where pictures are kept does not answer.")
    if content is None:
        return _not_had(url, "not_found", "No such picture is kept.")
    return _told(Fetched(url, content, size=len(content)), use, is_cut=False)


def _own(url: str, site: str) -> Store | None:
    """Return the store of an uploaded picture; None for every other address."""
    place = f"{site}/pictures/"
    if not url.startswith(place) or not storing.is_name(url.removeprefix(place)):
        return None
    return opening.open_store(PictureSettings())


def _not_had(url: str, problem: str, detail: str) -> FileCheckOut:
    return FileCheckOut(
        url=url,
        problem=problem,
        detail=detail,
        kind=None,
        content_type=None,
        bytes=None,
        seekable=None,
        width=None,
        height=None,
    )


def _told(found: Fetched, use: str, *, is_cut: bool) -> FileCheckOut:
    """Return what a file is.

    Args:
        found: Its beginning.
        use: What a program would have it for.
        is_cut: There is more of it than its beginning.
    """
    picture = recognising.recognise(found.body)
    # A large profile of colours may stand before the size: the first bytes say what it is all the same.
    mime = picture.mime if picture else recognising.declared(found.body) if is_cut else None
    kind, mime = ("picture", mime) if mime else _kind(found)
    fits = kind == "picture" if use == "picture" else kind in ("audio", "video")
    return FileCheckOut(
        url=found.url,
        problem=None if fits else "wrong_kind",
        detail=None if fits else f"This is {mime or 'a file of an unknown kind'}.",
        kind=kind,
        content_type=mime,
        bytes=found.size,
        seekable=found.takes_ranges,
        width=picture.width if picture else None,
        height=picture.height if picture else None,
    )


def _kind(found: Fetched) -> tuple[FileKind, str | None]:
    """Return what a file is that is no picture of a program, and its MIME type."""
    declared = found.content_type.partition(";")[0].strip().lower() or None
    detected = media_types.detect(found.body)
    named = media_types.media_type(declared, None if declared else found.url)
    if detected is not None and detected.kind is not None:
        kind = detected.kind
        # Containers of video may have sound alone: the server knows.
        told = declared if named is not None else detected.mime
        return ("audio" if "audio" in (named, kind) and named != "video" else "video"), told
    if named is not None and (detected is None or media_types.is_playable(detected.mime, found.url)):
        return ("audio" if named == "audio" else "video"), declared
    return "other", (detected.mime if detected is not None else declared)


@post(
    "/files/check",
    status_code=200,
    summary="Look at the file behind an address",
    description=f"Fetches the first bytes, from servers on the public internet alone. At most {PER_MINUTE} addresses a minute. "
    "A file that cannot be fetched or that fits no program is an answer with a `problem`, no error.",
    opt={"roles": EDITORS, "errors": ("rate_limited", "validation_failed")},
)
async def check_file(request: ApiRequest, data: JSONBody[FileCheckIn]) -> JsonResponse[FileCheckAnswer]:
    """Say what is at an address.

    Raises:
        Problem: The account has asked too often in this minute, or too many others wait.
    """
    budget = Budget(f"check:{request.user.account_id}", PER_MINUTE)
    seconds = await request.shared.limiter.spend(budget)
    if seconds:
        raise Problem("rate_limited", "Too many addresses.", headers={"Retry-After": str(seconds)})
    url = data.url.strip()
    store = _own(url, request.shared.settings.api.site)
    work = (
        partial(look_at_own, url, data.use, store)
        if store
        else partial(look, url, data.use, ImportSettings())
    )
    try:
        with threads.place():
            found = await threads.run(work)
    except Crowded:
        raise Problem("rate_limited", "Too many addresses wait.", headers={"Retry-After": "10"}) from None
    return JsonResponse(FileCheckAnswer(data=found))


HANDLERS = [check_file]
