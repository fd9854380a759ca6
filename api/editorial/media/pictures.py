"""Editors' route that keeps a picture, which is the body of the request. The studio keeps the pictures of its forms likewise."""

import logging
from collections.abc import AsyncIterator
from functools import partial

from litestar import post

from api.editorial.media.schemas import PictureAnswer, PictureOut
from api.http.auth import EDITORS
from api.http.errors import Problem
from api.http.limits.rate_limit import Budget
from api.http.limits.threads import Crowded, Threads
from api.http.reply import JsonResponse
from api.http.request import ApiRequest
from catalog.core.errors import FieldError
from indexer.pictures import opening, recognising, storing
from indexer.pictures.recognising import Picture
from indexer.pictures.settings import PictureSettings
from indexer.pictures.storing import Store, StoreAway

log = logging.getLogger(__name__)
# Pictures of an account in a minute.
PER_MINUTE = 30
# Of each side, in pixels: smaller ones show nothing, larger ones take a browser's memory.
LEAST_SIDE, MOST_SIDE = 32, 8000
# Pictures that a process takes in at the same time, each of them in memory.
AT_ONCE = 8
# Where the field is, in the list of errors.
_FIELD = "file"
threads = Threads("uploads", AT_ONCE, AT_ONCE)


class WrongPicture(Problem):
    """What was uploaded is none of the pictures that programs may have."""

    def __init__(self, code: str, message: str, *, of: str = "validation_failed") -> None:
        """Say what is wrong with the file.

        Args:
            code: Of the field.
            message: For people.
            of: The code of the problem.
        """
        super().__init__(of, message, errors=[FieldError(_FIELD, code, message)])


async def _content(chunks: AsyncIterator[bytes], most: int) -> bytes:
    """Return what is uploaded.

    Raises:
        WrongPicture: It is empty or larger than a picture may be.
    """
    found = bytearray()
    async for chunk in chunks:
        found += chunk
        if len(found) > most:
            raise WrongPicture("too_long", f"At most {most // 1000} kB.", of="body_too_large")
    if not found:
        raise WrongPicture("required", "Send the picture as the body.")
    return bytes(found)


def _kept(content: bytes, store: Store) -> tuple[str, Picture]:
    """Keep a picture, and return its name and what it is.

    Raises:
        WrongPicture: It is no picture, or has too few or too many pixels.
        StoreAway: The store does not take it.
    """
    picture = recognising.recognise(content)
    if picture is None:
        raise WrongPicture("invalid", "Must be a picture: PNG, JPEG, WebP or AVIF.")
    if not all(LEAST_SIDE <= side <= MOST_SIDE for side in (picture.width, picture.height)):
        raise WrongPicture("out_of_range", f"Each side must have {LEAST_SIDE} to {MOST_SIDE} pixels.")
    name = storing.name_of(content, picture)
    store.put(name, content)
    return name, picture


async def keep(request: ApiRequest, chunks: AsyncIterator[bytes]) -> PictureOut:
    """Keep an uploaded picture, and return its address.

    Args:
        request: Its sender uploads.
        chunks: The bytes of the picture.

    Raises:
        WrongPicture: It is no picture, or too large in bytes or pixels.
        Problem: Too many were sent or are just coming in, or there is no store that takes it.
    """
    settings = PictureSettings()
    store = opening.open_store(settings)
    if store is None:
        raise Problem(
            "storage_unavailable", "No place for pictures is set: PICTURES_FOLDER or PICTURES_BUCKET_URL."
        )
    budget = Budget(f"picture:{request.user.account_id}", PER_MINUTE)
    seconds = await request.shared.limiter.spend(budget)
    if seconds:
        raise Problem("rate_limited", "Too many pictures.", headers={"Retry-After": str(seconds)})
    try:
        with threads.place():
            content = await _content(chunks, settings.max_bytes)
            name, picture = await threads.run(partial(_kept, content, store))
    except Crowded:
        raise Problem("storage_unavailable", headers={"Retry-After": "10"}) from None
    except StoreAway as error:
        log.warning("a picture is not kept: %s", error)
        raise Problem("storage_unavailable", headers={"Retry-After": "10"}) from None
    return PictureOut(
        url=f"{request.shared.settings.api.site}/pictures/{name}",
        content_type=picture.mime,
        bytes=len(content),
        width=picture.width,
        height=picture.height,
    )


@post(
    "/pictures",
    status_code=201,
    summary="Upload a picture",
    description="The body is the picture itself: PNG, JPEG, WebP or AVIF, known by its bytes. Write the `url` of the answer into "
    f"`thumbnailUrl`. The same picture has the same address. At most {PER_MINUTE} pictures a minute.",
    opt={
        "roles": EDITORS,
        "errors": (
            "body_too_large",
            "rate_limited",
            "storage_unavailable",
            "unsupported_media_type",
            "validation_failed",
        ),
        "body": ("application/octet-stream", "‰PNG…"),
    },
    request_max_body_size=None,
)
async def upload_picture(request: ApiRequest) -> JsonResponse[PictureAnswer]:
    """Keep the picture in the body.

    Raises:
        Problem: The body is compressed.
    """
    if request.headers.get("content-encoding", "identity") != "identity":
        raise Problem("unsupported_media_type", "Send the picture as it is, not compressed.")
    found = await keep(request, request.stream())
    return JsonResponse(PictureAnswer(data=found), location=found.url)


HANDLERS = [upload_picture]
