"""What the script of an editor's form asks about the file behind an address."""

import msgspec
from litestar import Response, post

from api.editorial.media import checking
from api.editorial.media.schemas import FileCheckAnswer, FileCheckIn
from api.web.signin.asking import ask
from api.web.signin.staff import StaffRequest
from api.web.studio.editor.media import telling
from api.web.studio.given import convert


class Checked(msgspec.Struct):
    """What is at an address, in words. `kind`: audio, video, picture or other; nothing when it cannot be fetched."""

    text: str
    kind: str = ""
    good: bool = False


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
    """Say what is at an address."""
    sent = {"url": request.sent.get("url", "").strip(), "use": request.sent.get("use", "")}
    body = convert(FileCheckIn, sent)
    found = (await ask(request, checking.check_file, FileCheckAnswer, data=body)).data
    words = telling.said(request.locale, found, body.use)
    return told(Checked(words, found.kind or "", found.problem is None))


HANDLERS = [check]
