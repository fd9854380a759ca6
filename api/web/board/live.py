"""What keeps an open board up to date: the last hour as data, and a stream that says when there is something to look at."""

import asyncio
import time
from collections.abc import AsyncIterator

import msgspec
from litestar import Response, get
from litestar.response import ServerSentEvent, ServerSentEventMessage

from api.http.errors import Problem
from api.operations.reading.hour import HourAnswer, hour
from api.web.signin.asking import ask
from api.web.signin.staff import StaffRequest

# A stream ends after a minute, and the browser asks for the next one: whoever was signed out gets none.
LOOK_SECONDS, STREAM_SECONDS = 5, 60
_NO_STORE = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


async def _hour(request: StaffRequest) -> HourAnswer:
    """Return the last hour; nothing of it when Redis does not answer.

    Raises:
        Problem: The role is missing.
    """
    try:
        return await ask(request, hour, HourAnswer)
    except Problem as problem:
        if problem.code != "cache_unavailable":
            raise
        return HourAnswer(data=[])


# No page: the browser may not see a new cookie here before it asks again.
@get("/hour", opt={"exchanges": False})
async def last_hour(request: StaffRequest) -> Response[bytes]:
    """Return the points of the charts."""
    return Response(
        msgspec.json.encode(await _hour(request)), media_type="application/json", headers=_NO_STORE
    )


@get("/live", opt={"exchanges": False}, media_type="text/event-stream")
async def live(request: StaffRequest) -> ServerSentEvent:
    """Send `look` with the newest point of the charts every few seconds."""

    async def events() -> AsyncIterator[ServerSentEventMessage]:
        until = time.monotonic() + STREAM_SECONDS
        while time.monotonic() < until:
            newest = (await _hour(request)).data[-1:]
            yield ServerSentEventMessage(event="look", data=msgspec.json.encode(newest).decode(), retry=1000)
            await asyncio.sleep(LOOK_SECONDS)

    return ServerSentEvent(events(), headers=_NO_STORE)


HANDLERS = [last_hour, live]
