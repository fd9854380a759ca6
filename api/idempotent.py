"""Creates that may be repeated: the same key and body get the same answer, once carried out."""

import hashlib
from collections.abc import Callable
from typing import Any

from litestar import Request, Response
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from api import database
from api.auth import principal
from api.errors import Problem
from catalog.errors import FieldError
from catalog.idempotency import IdempotencyKey

MAX_KEY = 200
Created = tuple[bytes, str, str]  # body, Location, ETag


async def create(
    request: Request[Any, Any, Any], work: Callable[[Session], Created], *, status: int = 201
) -> Response[bytes]:
    """Carry out `work` in one transaction and answer `status`; honours the Idempotency-Key header.

    The answer is written in the same transaction: a repeated request either finds it or waits for
    the first one to end.
    """
    key = request.headers.get("idempotency-key")
    if key is None:
        body, location, etag = await database.write(request, work)
        return _created(body, location, etag, status)
    if not key.strip() or len(key) > MAX_KEY or not key.isprintable():
        raise Problem(
            "bad_request",
            errors=[FieldError("Idempotency-Key", "invalid", f"1 to {MAX_KEY} characters.")],
        )
    who = principal(request)
    # A dry run and the real thing are two requests.
    scope = f"{who.account_id}:{request.method}:{request.url.path}"
    if request.url.query:
        scope += f"?{request.url.query}"
    asked = hashlib.sha256(await request.body()).hexdigest()

    def once(session: Session) -> tuple[Created, bool]:
        claimed = session.execute(
            insert(IdempotencyKey)
            .values(scope=scope, key=key, request_hash=asked)
            .on_conflict_do_nothing()
            .returning(IdempotencyKey.key)
        ).one_or_none()
        row = session.scalars(
            select(IdempotencyKey)
            .where(IdempotencyKey.scope == scope, IdempotencyKey.key == key)
            .with_for_update()
        ).one()
        if claimed is None:
            if row.request_hash != asked:
                raise Problem("idempotency_key_reused")
            return (row.body or b"", row.location or "", row.etag or ""), True
        created = work(session)
        row.body, row.location, row.etag = created
        row.status = status
        return created, False

    (body, location, etag), replayed = await database.write(request, once)
    answer = _created(body, location, etag, status)
    if replayed:
        answer.headers["Idempotency-Replayed"] = "true"
    return answer


def _created(body: bytes, location: str, etag: str, status: int) -> Response[bytes]:
    headers = {"Location": location, "Cache-Control": "no-store"} | ({"ETag": etag} if etag else {})
    return Response(body, status_code=status, media_type="application/json", headers=headers)
