"""Imports as they go: progress pushed to a page, errors as a file."""

import asyncio
import csv
import io
import time
from collections.abc import AsyncIterator
from typing import Any

import msgspec
from litestar import Request, get
from litestar.params import FromPath
from litestar.response import ServerSentEvent, ServerSentEventMessage, Stream
from sqlalchemy.orm import Session

from api import database
from api.auth import EDITORS
from api.discovery.params import Query
from api.editorial import import_schemas as schemas
from api.editorial.programs import number
from catalog.imports import lifecycle, queries
from catalog.imports.models import ENDED, ImportItem

Asked = Request[Any, Any, Any]
POLL_SECONDS = 0.5
QUIET_SECONDS = 10
_PAGE = 1000
_NO_STORE = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


@get("/imports/{run_id:int}/events", summary="Follow an import", description="Server-sent events: `progress` with the run whenever it moves, `end` with its last state. The stream closes after `seconds`; a browser asks again by itself.", opt={"roles": EDITORS}, media_type="text/event-stream")  # fmt: skip
async def follow_import(request: Asked, run_id: FromPath[int]) -> ServerSentEvent:
    """Every change of the run (seconds ≤ 600)."""
    number(run_id)
    seconds = Query(request.query_params, {"seconds"}).integer("seconds", 1, 600, 30) or 30

    def look(session: Session) -> schemas.ImportRunOut:
        return schemas.run_out(lifecycle.get(session, run_id))

    first = await database.read(request, look)

    async def events() -> AsyncIterator[ServerSentEventMessage]:
        run, said, until = first, b"", time.monotonic() + seconds
        quiet_since = time.monotonic()
        while True:
            data = msgspec.json.encode(run)
            if run.status in ENDED:
                yield ServerSentEventMessage(event="end", data=data.decode())
                return
            if data != said:
                said, quiet_since = data, time.monotonic()
                yield ServerSentEventMessage(event="progress", data=data.decode(), retry=1000)
            elif time.monotonic() - quiet_since >= QUIET_SECONDS:
                # So that proxies on the way keep the connection.
                quiet_since = time.monotonic()
                yield ServerSentEventMessage(comment="still here")
            if time.monotonic() >= until:
                return
            await asyncio.sleep(POLL_SECONDS)
            run = await database.read(request, look)

    return ServerSentEvent(events(), headers=_NO_STORE)


def _cell(value: object) -> str:
    # A spreadsheet would carry out a cell that begins like a formula.
    text = str(value if value is not None else "")
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _lines(items: list[ImportItem]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out)
    for item in items:
        for error in item.errors or [{}]:
            row = [item.external_id, item.title, error.get("field"), error.get("code") or item.code,
                   error.get("message") or item.detail]  # fmt: skip
            writer.writerow([item.position, *map(_cell, row)])
    return out.getvalue().encode()


@get("/imports/{run_id:int}/errors", summary="Items that failed, as CSV", opt={"roles": EDITORS}, media_type="text/csv")  # fmt: skip
async def download_errors(request: Asked, run_id: FromPath[int]) -> Stream:
    """One line a wrong field: position, externalId, title, field, code, message."""
    number(run_id)
    await database.read(request, lambda s: lifecycle.get(s, run_id))

    async def lines() -> AsyncIterator[bytes]:
        # A byte order mark: spreadsheets take it for UTF-8.
        yield b"\xef\xbb\xbfposition,externalId,title,field,code,message\r\n"
        after = 0
        while True:
            statement = queries.items(run_id, after, _PAGE, "failed")
            async with request.app.state.db() as session:
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
