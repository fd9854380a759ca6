"""Editors' routes for comments on programs: threads, replies, and settling a thread."""

from collections.abc import Sequence
from typing import Annotated

import msgspec
from litestar import get, post
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.spec import Example
from litestar.params import JSONBody, QueryParameter
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.editorial.rights import rights_of
from api.http import idempotent, transaction
from api.http.auth import EDITORS
from api.http.errors import Problem
from api.http.parameters import BeforeId, Id, Limit, OnceKey
from api.http.query import DEFAULT_LIMIT
from api.http.reply import JsonResponse
from api.http.request import ApiRequest, actor_of
from api.http.schemas import Body, ListMeta, Model, Moment, list_meta
from catalog.core.errors import FieldError, NotFound
from catalog.core.fields import camel
from catalog.programs import lifecycle
from catalog.programs.models import Program
from catalog.programs.rules import FIELDS
from catalog.review import comments, pending
from catalog.review.models import COMMENT_KINDS, ReviewComment

_AT = "/programs/{program_id:int}/comments"
_FIELDS = frozenset(map(camel, FIELDS))
_STATES = ("open", "resolved")
# Of each thread in a list.
LAST_REPLIES = 20
_State = Annotated[
    str | None,
    QueryParameter(
        name="state",
        enum=_STATES,
        description="Only threads in this state.",
        examples=[Example(value="open")],
    ),
]
_Text = Annotated[str, msgspec.Meta(max_length=comments.MAX_BODY, examples=["The second host is missing."])]
_Author = Annotated[str, msgspec.Meta(examples=["account:reviewer@example.com"])]


class CommentIn(Body):
    """A comment. `field`: the field that it is about, by its JSON name; null: the program."""

    body: _Text
    field: Annotated[str | None, msgspec.Meta(examples=["people"])] = None


class ReplyIn(Body):
    """A reply."""

    body: _Text


class ReplyOut(Model):
    """A reply in a thread."""

    id: int
    author: _Author
    body: str
    at: Moment


class ThreadOut(Model):
    """A thread: the comment that began it, and the replies, oldest first: in lists the last 20 of `replyCount`.

    `rev`: the program's revision when it was written, `pendingRev` that of its pending revision. `kind`: comment, or
    rejection for what a reviewer said when rejecting the text. `resolvedAt` is null while the thread is open.
    """

    id: int
    program_id: int
    program_title: str
    kind: Annotated[str, msgspec.Meta(examples=list(COMMENT_KINDS[:1]))]
    rev: int
    pending_rev: int | None
    field: str | None
    author: _Author
    body: str
    at: Moment
    resolved_at: Moment | None
    resolved_by: str | None
    reply_count: int
    replies: list[ReplyOut]


class ThreadAnswer(Model):
    """A thread under `data`."""

    data: ThreadOut


class ThreadList(Model):
    """Threads, newest first."""

    data: list[ThreadOut]
    meta: ListMeta


def _shown(session: Session, threads: Sequence[ReviewComment], most: int = LAST_REPLIES) -> list[ThreadOut]:
    """Return threads as JSON shows them, by two queries however many they are, each with `most` replies at most."""
    replies: dict[int | None, list[ReplyOut]] = {}
    counts: dict[int | None, int] = {}
    for row, count in session.execute(comments.replies([thread.id for thread in threads], most)):
        reply = ReplyOut(id=row.id, author=row.author, body=row.body, at=row.at)
        replies.setdefault(row.thread_id, []).append(reply)
        counts[row.thread_id] = count
    programs = {thread.program_id for thread in threads}
    titles = session.execute(select(Program.id, Program.title).where(Program.id.in_(programs)))
    named = {program_id: title for program_id, title in titles}  # noqa: C416 (the type of a row is no pair)
    return [
        ThreadOut(
            id=row.id,
            program_id=row.program_id,
            program_title=named[row.program_id],
            kind=row.kind,
            rev=row.rev,
            pending_rev=row.pending_rev,
            field=row.field,
            author=row.author,
            body=row.body,
            at=row.at,
            resolved_at=row.resolved_at,
            resolved_by=row.resolved_by,
            reply_count=counts.get(row.id, 0),
            replies=replies.get(row.id, []),
        )
        for row in threads
    ]


def _read(session: Session, program_id: int, thread_id: int) -> ThreadAnswer:
    thread = comments.get(session, program_id, thread_id)
    return ThreadAnswer(data=_shown(session, [thread], comments.MAX_COMMENTS)[0])


async def _threads(
    request: ApiRequest, program_id: int | None, state: str | None, before: int | None, limit: int
) -> JsonResponse[ThreadList]:
    is_open = None if state is None else state == "open"

    def work(session: Session) -> list[ThreadOut]:
        if program_id is not None and session.get(Program, program_id) is None:
            raise NotFound("program", program_id)
        rows = session.scalars(comments.threads(program_id, is_open, before, limit + 1)).all()
        return _shown(session, rows)

    found = await transaction.read(request, work)
    meta = list_meta(limit, [thread.id for thread in found])
    return JsonResponse(ThreadList(data=found[:limit], meta=meta))


@get(
    "/comments",
    operation_id="listThreads",
    summary="Threads of comments on all programs",
    description="Newest first (state, before, limit ≤ 100).",
    opt={"roles": EDITORS},
)
async def list_threads(
    request: ApiRequest, only_state: _State = None, before: BeforeId = None, limit: Limit = DEFAULT_LIMIT
) -> JsonResponse[ThreadList]:
    """List threads, those of deleted programs included."""
    return await _threads(request, None, only_state, before, limit)


@get(
    _AT,
    operation_id="listProgramThreads",
    summary="Threads of comments on a program",
    description="Newest first (state, before, limit ≤ 100).",
    opt={"roles": EDITORS, "errors": ("not_found",)},
)
async def list_program_threads(
    request: ApiRequest,
    program_id: Id,
    only_state: _State = None,
    before: BeforeId = None,
    limit: Limit = DEFAULT_LIMIT,
) -> JsonResponse[ThreadList]:
    """List the threads of a program."""
    return await _threads(request, program_id, only_state, before, limit)


@post(
    _AT,
    operation_id="beginThread",
    summary="Comment on a program",
    description="Begins a thread about the revision that there is now. Idempotent with an Idempotency-Key header.",
    opt={"roles": EDITORS, "errors": ("not_found", "conflict")},
)
async def begin_thread(
    request: ApiRequest, program_id: Id, data: JSONBody[CommentIn], idempotency_key: OnceKey = None
) -> JsonResponse[ThreadAnswer]:
    """Begin a thread.

    Raises:
        Problem: Programs have no such field.
    """
    if data.field is not None and data.field not in _FIELDS:
        raise Problem("validation_failed", errors=[FieldError("field", "invalid", "No field of programs.")])
    actor = actor_of(request)

    def work(session: Session) -> idempotent.Created[ThreadAnswer]:
        program = lifecycle.get(session, program_id)
        waiting = pending.find(session, comments.ENTITY, program_id)
        about = comments.About(program.rev, waiting.rev if waiting is not None else None, data.field)
        thread = comments.begin(session, program_id, data.body, actor, about)
        return idempotent.Created(
            _read(session, program_id, thread.id), f"/catalog/programs/{program_id}/comments/{thread.id}"
        )

    return await idempotent.create(request, idempotency_key, work)


@get(f"{_AT}/{{thread_id:int}}", summary="One thread", opt={"roles": EDITORS, "errors": ("not_found",)})
async def get_thread(request: ApiRequest, program_id: Id, thread_id: Id) -> JsonResponse[ThreadAnswer]:
    """Return a thread with its replies."""
    return JsonResponse(await transaction.read(request, lambda s: _read(s, program_id, thread_id)))


@post(
    f"{_AT}/{{thread_id:int}}/replies",
    operation_id="replyInThread",
    summary="Reply in a thread",
    description="A resolved thread stays resolved. Idempotent with an Idempotency-Key header.",
    opt={"roles": EDITORS, "errors": ("not_found", "conflict")},
)
async def reply_in_thread(
    request: ApiRequest,
    program_id: Id,
    thread_id: Id,
    data: JSONBody[ReplyIn],
    idempotency_key: OnceKey = None,
) -> JsonResponse[ThreadAnswer]:
    """Add a reply; the answer is the whole thread."""
    actor = actor_of(request)

    def work(session: Session) -> idempotent.Created[ThreadAnswer]:
        lifecycle.get(session, program_id)
        comments.reply(session, program_id, thread_id, data.body, actor)
        return idempotent.Created(_read(session, program_id, thread_id))

    return await idempotent.create(request, idempotency_key, work)


def _settle(action: str, *, is_resolved: bool) -> HTTPRouteHandler:
    @post(
        f"{_AT}/{{thread_id:int}}/{action}",
        status_code=200,
        name=f"thread.{action}",
        operation_id=f"{action}_thread",
        summary=f"{action.capitalize()} a thread",
        description="Whoever began the thread, or a reviewer.",
        opt={"roles": EDITORS, "errors": ("not_found",)},
    )
    async def settle(request: ApiRequest, program_id: Id, thread_id: Id) -> JsonResponse[ThreadAnswer]:
        actor, rights = actor_of(request), rights_of(request)

        def work(session: Session) -> ThreadAnswer:
            lifecycle.get(session, program_id)
            comments.settle(session, program_id, thread_id, actor, rights, is_resolved=is_resolved)
            return _read(session, program_id, thread_id)

        return JsonResponse(await transaction.write(request, work))

    return settle


HANDLERS = [
    list_threads,
    list_program_threads,
    begin_thread,
    get_thread,
    reply_in_thread,
    _settle("resolve", is_resolved=True),
    _settle("reopen", is_resolved=False),
]
