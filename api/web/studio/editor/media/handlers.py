"""What the script of an editor's form asks about the file behind an address, and pictures that are uploaded, with and without it."""

from collections.abc import AsyncIterator
from functools import partial

import msgspec
from litestar import Response, get, post
from litestar.datastructures import UploadFile

from api.editorial.media import checking, pictures
from api.editorial.media.schemas import FileCheckAnswer, FileCheckIn
from api.http.errors import Problem
from api.web.rendering.locales import Locale
from api.web.signin.asking import ask
from api.web.signin.staff import StaffRequest, page
from api.web.studio.editor.media import telling, uploads
from indexer.pictures.settings import PictureSettings

_CHUNK = 256 * 1024


class Checked(msgspec.Struct):
    """What is at an address, in words. `kind`: audio, video, picture or other; nothing when it cannot be fetched."""

    text: str
    kind: str = ""
    good: bool = False


class Uploaded(msgspec.Struct):
    """What became of a picture, in words. `url`: where it is now; nothing when it is not kept."""

    text: str
    url: str = ""


def told(found: msgspec.Struct, status: int = 200) -> Response[bytes]:
    """Return an answer for the script, which nobody keeps.

    Args:
        found: The answer.
        status: Its status.
    """
    headers = {"Cache-Control": "no-store"}
    return Response(
        msgspec.json.encode(found), status_code=status, media_type="application/json", headers=headers
    )


@post("/programs/check-file")
async def check(request: StaffRequest) -> Response[bytes]:
    """Say what is at an address.

    Raises:
        Problem: The address is too long, or the form does not say what it would be for.
    """
    sent = {"url": request.sent.get("url", "").strip(), "use": request.sent.get("use", "")}
    try:
        body = msgspec.convert(sent, FileCheckIn)
    except msgspec.ValidationError as error:
        raise Problem("validation_failed", str(error)) from None
    found = (await ask(request, checking.check_file, FileCheckAnswer, data=body)).data
    words = telling.said(request.locale, found, body.use)
    return told(Checked(words, found.kind or "", found.problem is None))


def _largest() -> int:
    return PictureSettings().max_bytes


def _why(locale: Locale, name: str) -> str:
    """Return a text of a refusal, with the limits."""
    return locale.text(
        name,
        size=telling.size(locale, _largest()),
        least=locale.number(pictures.LEAST_SIDE),
        most=locale.number(pictures.MOST_SIDE),
    ).unescape()


def _page(request: StaffRequest, found: Uploaded | None = None, status: int = 200) -> Response[bytes]:
    """Return the page that uploads a picture without a script, and says what became of one.

    Args:
        request: Who asks.
        found: What became of a picture; None before one is sent.
        status: The status of the answer.

    Raises:
        Problem: No place for pictures is set.
    """
    offered = uploads.offered(request.locale)
    if offered is None:
        raise Problem("not_found")
    context = {"found": found, "limits": offered.limits}
    return page(request, "studio/editor_picture.html", context, status=status)


@get("/programs/picture")
async def picture_page(request: StaffRequest) -> Response[bytes]:
    """Return the page that uploads a picture, for browsers without scripts."""
    return _page(request)


@post("/programs/picture", request_max_body_size=None, opt={"file_bytes": _largest})
async def picture(request: StaffRequest) -> Response[bytes]:
    """Keep the picture of a form, and say its address; or say in words why not: to the editor's script in JSON.

    Raises:
        Problem: There are no words for the reason.
    """
    answer = told if request.headers.get("accept", "") == "application/json" else partial(_page, request)
    is_file = "multipart" in request.headers["content-type"]
    file = (await request.form()).get("file") if is_file else None

    async def chunks() -> AsyncIterator[bytes]:
        while isinstance(file, UploadFile) and (chunk := await file.read(_CHUNK)):
            yield chunk

    try:
        found = await pictures.keep(request, chunks())
    except Problem as error:
        # Signs of the code, or of the field's when the fields are what is wrong.
        why = error.errors[0].code if error.code == "validation_failed" else error.code
        name = f"editor_upload.{why}"
        if name not in request.locale.texts:
            raise
        return answer(Uploaded(_why(request.locale, name)), error.status)
    return answer(Uploaded(request.locale.text("editor_upload.kept").unescape(), found.url))


HANDLERS = [check, picture_page, picture]
