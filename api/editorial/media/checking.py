"""Editors' route that looks at the file behind an address before a program has it: its first bytes are fetched.

The guard of imports says which servers may be asked. Nothing of the file but its kind and its size is told.
"""

import asyncio

from litestar import post
from litestar.params import JSONBody

from api.editorial.media.schemas import FileCheckAnswer, FileCheckIn, FileCheckOut, FileKind
from api.http.auth import EDITORS
from api.http.errors import Problem
from api.http.limits.rate_limit import Budget
from api.http.reply import JsonResponse
from api.http.request import ApiRequest
from indexer.importing.errors import ImportFailed
from indexer.importing.fetching.fetcher import Fetched, Fetcher
from indexer.importing.reading import media_types
from indexer.importing.settings import ImportSettings
from indexer.pictures import recognising

# Addresses of an account in a minute, and those that a process looks at at the same time; others wait.
PER_MINUTE = 30
AT_ONCE = 4
# Enough for the headers of every container.
_BEGINNING = 64 * 1024


class Room:
    """Lets so many look at the same time."""

    def __init__(self, most: int) -> None:
        """Begin empty."""
        self._most = most
        self._of: dict[asyncio.AbstractEventLoop, asyncio.Semaphore] = {}

    def __call__(self) -> asyncio.Semaphore:
        """Return the room of this event loop."""
        loop = asyncio.get_running_loop()
        if loop not in self._of:
            self._of.clear()
            self._of[loop] = asyncio.Semaphore(self._most)
        return self._of[loop]


room = Room(AT_ONCE)


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
        return FileCheckOut(
            url=url,
            problem=error.code,
            detail=error.detail,
            kind=None,
            content_type=None,
            bytes=None,
            seekable=None,
            width=None,
            height=None,
        )
    picture = recognising.recognise(found.body)
    kind, mime = ("picture", picture.mime) if picture else _kind(found)
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
        Problem: The account has asked too often in this minute.
    """
    budget = Budget(f"check:{request.user.account_id}", PER_MINUTE)
    seconds = await request.shared.limiter.spend(budget)
    if seconds:
        raise Problem("rate_limited", "Too many addresses.", headers={"Retry-After": str(seconds)})
    async with room():
        found = await asyncio.to_thread(look, data.url.strip(), data.use, ImportSettings())
    return JsonResponse(FileCheckAnswer(data=found))


HANDLERS = [check_file]
