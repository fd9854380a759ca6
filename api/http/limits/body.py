"""A request's body on its way in: it arrives within a deadline, or the request ends with a code. Used by the edge."""

import asyncio

from litestar.types import Receive, ReceiveMessage

from api.http.errors import Problem

METHODS_WITHOUT_BODY = frozenset({"GET", "HEAD", "OPTIONS"})
# Seconds for a whole body; files of imports are larger.
BODY_SECONDS, UPLOAD_SECONDS = 30, 600
_UPLOADS = frozenset(
    {"/catalog/imports/upload", "/catalog/pictures", "/studio/imports/file", "/studio/programs/picture"}
)


def within_deadline(receive: Receive, path: str) -> Receive:
    """Return a `receive` that gives up on a body that comes too slowly, or whose sender has gone.

    Args:
        receive: The server's.
        path: The request's.
    """
    seconds = UPLOAD_SECONDS if path in _UPLOADS else BODY_SECONDS
    ends = asyncio.get_running_loop().time() + seconds
    is_complete = False

    async def receive_in_time() -> ReceiveMessage:
        nonlocal is_complete
        if is_complete:
            return await receive()
        try:
            async with asyncio.timeout_at(ends):
                message = await receive()
        except TimeoutError:
            raise Problem("request_timeout", headers={"Connection": "close"}) from None
        if message["type"] == "http.disconnect":
            raise Problem("client_closed_request")
        is_complete = not message.get("more_body", False)
        return message

    return receive_in_time
