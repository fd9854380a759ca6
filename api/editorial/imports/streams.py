"""Editors' routes that stream a run: its progress as server-sent events, its errors as a CSV file."""

import asyncio
import csv
import io
import time
from collections.abc import AsyncIterator
from typing import Annotated

import msgspec
from litestar import get
from litestar.openapi.spec import Example
from litestar.params import QueryParameter
from litestar.response import ServerSentEvent, ServerSentEventMessage, Stream
from sqlalchemy.orm import Session

from api.editorial.imports import schemas
from api.http import transaction
from api.http.auth import EDITORS
from api.http.parameters import Id
from api.http.request import ApiRequest
from catalog.imports import queries, runs
from catalog.imports.models import ENDED, ImportItem, StoredFieldError

POLL_SECONDS = 0.5
# Seconds without a change after which a comment is sent, so that proxies keep the connection open.
QUIET_SECONDS = 10
_Seconds = Annotated[
    int, QueryParameter(ge=1, le=600, description="When the stream ends.", examples=[Example(value=30)])
]
_PAGE = 1000
_NO_STORE = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


@get(
    "/imports/{run_id:int}/events",
    summary="Follow an import",
    description="Server-sent events: `progress` with the run whenever it changes, `end` with its last state. The stream closes after `seconds`; a browser connects again by itself.",
    opt={
        "roles": EDITORS,
        "errors": ("not_found",),
        "events": (("progress", "end"), schemas.ImportRunOut),
        "example": {"event": "progress", "data": '{"id":1,"status":"running"}', "retry": 1000},
    },
    media_type="text/event-stream",
)
async def follow_import(request: ApiRequest, run_id: Id, seconds: _Seconds = 30) -> ServerSentEvent:
    """Send the run whenever it changes."""

    def look(session: Session) -> schemas.ImportRunOut:
        return schemas.run_out(runs.get(session, run_id))

    first = await transaction.read(request, look)

    async def events() -> AsyncIterator[ServerSentEventMessage]:
        run, last_sent, until = first, b"", time.monotonic() + seconds
        quiet_since = time.monotonic()
        while True:
            data = msgspec.json.encode(run)
            if run.status in ENDED:
                yield ServerSentEventMessage(event="end", data=data.decode())
                return
            if data != last_sent:
                last_sent, quiet_since = data, time.monotonic()
                yield ServerSentEventMessage(event="progress", data=data.decode(), retry=1000)
            elif time.monotonic() - quiet_since >= QUIET_SECONDS:
                quiet_since = time.monotonic()
                # A comment alone: with data, even empty data, a browser reports a message.
                yield ServerSentEventMessage(data=None, comment="still here")
            if time.monotonic() >= until:
                return
            await asyncio.sleep(POLL_SECONDS)
            run = await transaction.read(request, look)

    return ServerSentEvent(events(), headers=_NO_STORE)


def _cell(value: object) -> str:
    # A spreadsheet would execute a cell that begins like a formula.
    text = str(value if value is not None else "")
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _lines(items: list[ImportItem]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out)
    for item in items:
        whole: StoredFieldError = {"field": "", "code": item.code or "", "message": item.detail or ""}
        for error in item.errors or [whole]:
            row = [
                item.external_id,
                item.title,
                error["field"],
                error["code"] or item.code,
                error["message"] or item.detail,
            ]
            writer.writerow([item.position, *map(_cell, row)])
    return out.getvalue().encode()


@get(
    "/imports/{run_id:int}/errors",
    operation_id="downloadImportErrors",
    summary="Items that failed, as CSV",
    opt={
        "roles": EDITORS,
        "errors": ("not_found",),
        "example": "position,externalId,title,field,code,message\r\n",
    },
    media_type="text/csv",
)
async def download_errors(request: ApiRequest, run_id: Id) -> Stream:
    """Send one line for each wrong field: position, externalId, title, field, code, message."""
    await transaction.read(request, lambda s: runs.get(s, run_id))

    async def lines() -> AsyncIterator[bytes]:
        # With a byte order mark spreadsheets read UTF-8.
        yield b"\xef\xbb\xbfposition,externalId,title,field,code,message\r\n"
        after = 0
        while True:
            statement = queries.items(run_id, after, _PAGE, "failed")
            async with request.shared.db() as session:
                items = list(await session.scalars(statement))
            if items:
                yield _lines(items)
            if len(items) < _PAGE:
                return
            after = items[-1].position

    name = f'attachment; filename="import-{run_id}-errors.csv"'
    return Stream(
        lines(),
        media_type="text/csv; charset=utf-8",
        headers={"Cache-Control": "no-store", "Content-Disposition": name},
    )


HANDLERS = [follow_import, download_errors]
