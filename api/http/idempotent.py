"""Writing at most once: repeated requests with the same Idempotency-Key and body get the same answer.

The routes of `api.editorial` that create something use it, and the one that changes many programs. Table: `idempotency_keys`.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import msgspec
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from api.http import transaction
from api.http.errors import Problem
from api.http.reply import JsonResponse
from api.http.request import ApiRequest
from catalog.accounts.idempotency import IdempotencyKey
from catalog.core.errors import FieldError

MAX_KEY = 200
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Created(Generic[T]):
    """The JSON value of the answer; of what was created its path and its ETag, or empty texts."""

    content: T
    location: str = ""
    etag: str = ""


@dataclass(frozen=True, slots=True)
class _Stored:
    """An answer as it is stored with its key. `replayed`: an earlier request has created it."""

    body: bytes
    location: str
    etag: str
    replayed: bool


async def create(
    request: ApiRequest, key: str | None, work: Callable[[Session], Created[T]]
) -> JsonResponse[T]:
    """Create something in one transaction, at most once for each key.

    The answer is stored in the same transaction: a repeated request either finds it or waits for the first
    request to end.

    Args:
        request: Keys are separate for each sender, path and query string; the body must be the same each time.
        key: The value of the Idempotency-Key header; None creates a row each time.
        work: Creates the row. An exception rolls back the whole transaction, the key included.

    Raises:
        Problem: The key is empty, too long or not printable, or it was sent with another body before.
    """
    if key is None:
        made = await transaction.write(request, work)
        return JsonResponse(made.content, etag=made.etag, location=made.location)
    if not key.strip() or len(key) > MAX_KEY or not key.isprintable():
        raise Problem(
            "bad_request", errors=[FieldError("Idempotency-Key", "invalid", f"1 to {MAX_KEY} characters.")]
        )
    # The query string belongs to the scope: a dry run and a real run are two requests.
    scope = f"{request.user.account_id}:{request.method}:{request.url.path}"
    if request.url.query:
        scope += f"?{request.url.query}"
    body_hash = hashlib.sha256(await request.body()).hexdigest()

    def create_once(session: Session) -> _Stored:
        claimed = session.execute(
            insert(IdempotencyKey)
            .values(scope=scope, key=key, request_hash=body_hash)
            .on_conflict_do_nothing()
            .returning(IdempotencyKey.key)
        ).one_or_none()
        row = session.scalars(
            select(IdempotencyKey)
            .where(IdempotencyKey.scope == scope, IdempotencyKey.key == key)
            .with_for_update()
        ).one()
        if claimed is None:
            if row.request_hash != body_hash:
                raise Problem("idempotency_key_reused")
            return _Stored(row.body or b"", row.location or "", row.etag or "", replayed=True)
        made = work(session)
        body = msgspec.json.encode(made.content)
        row.body, row.location, row.etag = body, made.location, made.etag
        row.status = request.route_handler.status_code
        return _Stored(body, made.location, made.etag, replayed=False)

    stored = await transaction.write(request, create_once)
    answer: JsonResponse[T] = JsonResponse(
        msgspec.Raw(stored.body), etag=stored.etag, location=stored.location
    )
    if stored.replayed:
        answer.headers["Idempotency-Replayed"] = "true"
    return answer
