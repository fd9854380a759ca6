"""The HTTP frame: addresses, who may call them, bodies and answers."""

import asyncio
import gzip
import zlib
from collections.abc import Callable
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.handlers import HTTPRouteHandler

from deploy.local.searchnode.documents import UID
from deploy.local.searchnode.errors import ApiError, unsupported
from deploy.local.searchnode.index import Index
from deploy.local.searchnode.keys import Grant, Keys
from deploy.local.searchnode.node import Node

MAX_BODY = 100 * 1024 * 1024
Handler = Callable[["Call"], Any]


class Call:
    """One request: the node, who asks for what, and the body when it is needed."""

    def __init__(self, request: Request[Any, Any, Any], body: bytes) -> None:
        self.request = request
        self.node: Node = request.app.state.node
        self.keys: Keys = request.app.state.api_keys
        self.raw = body
        self.path: dict[str, Any] = request.path_params
        self.query = request.query_params
        self.grant = Grant()

    def authorise(self, action: str, index: str | None) -> None:
        """Raises ApiError unless the caller may do this."""
        header = self.request.headers.get("authorization")
        self.grant = self.keys.authorise(header, action, index)

    @property
    def uid(self) -> str:
        """The index the address names."""
        uid: str = self.path["uid"]
        if not UID.fullmatch(uid):
            raise ApiError("invalid_index_uid", f"`{uid}` is not a valid index uid.")
        return uid

    @property
    def index(self) -> Index:
        """The index itself, which must exist."""
        return self.node.index(self.uid)

    @property
    def content_type(self) -> str:
        """The body's type without its parameters."""
        kind: str = self.request.headers.get("content-type", "")
        return kind.partition(";")[0].strip().lower()

    def json(self) -> Any:
        """The body as JSON. Raises ApiError on another content type or malformed text."""
        kind = self.content_type
        if kind != "application/json":
            code = "invalid_content_type" if kind else "missing_content_type"
            raise ApiError(
                code, f"The Content-Type `{kind}` is invalid. Accepted values: `application/json`."
            )
        if not self.raw.strip():
            raise ApiError("missing_payload", "A json payload is missing.")
        try:
            return msgspec.json.decode(self.raw)
        except msgspec.DecodeError as error:
            raise ApiError(
                "malformed_payload", f"The json payload provided is malformed. `{error}`."
            ) from error

    def object(self, *known: str) -> dict[str, Any]:
        """The body as a JSON object with no other fields than these (none named: any)."""
        body = self.json()
        if not isinstance(body, dict):
            raise ApiError("bad_request", "Invalid value type: expected an object.")
        for name in body:
            if known and name not in known:
                expected = ", ".join(f"`{k}`" for k in known)
                raise ApiError("bad_request", f"Unknown field `{name}`: expected one of {expected}")
        return body

    def number(self, name: str, default: int, code: str) -> int:
        """A query parameter that is a natural number."""
        text = self.query.get(name)
        if text is None:
            return default
        if not (text.isascii() and text.isdecimal()):
            raise ApiError(
                code,
                f"Invalid value in parameter `{name}`: could not parse `{text}` as a positive integer.",
            )
        return int(text)

    def page(self, rows: list[Any], prefix: str) -> dict[str, Any]:
        """The rows from `offset` on, at most `limit`."""
        offset = self.number("offset", 0, f"invalid_{prefix}_offset")
        limit = self.number("limit", 20, f"invalid_{prefix}_limit")
        return {
            "results": rows[offset : offset + limit],
            "offset": offset,
            "limit": limit,
            "total": len(rows),
        }


def _decoded(request: Request[Any, Any, Any], raw: bytes) -> bytes:
    encoding = request.headers.get("content-encoding", "identity")
    try:
        if encoding == "gzip":
            return gzip.decompress(raw)
        if encoding == "deflate":
            return zlib.decompress(raw)
    except (OSError, EOFError, zlib.error) as error:
        raise ApiError("malformed_payload", f"The payload is not {encoding}: {error}.") from error
    if encoding != "identity":
        raise unsupported(f"the content encoding `{encoding}`")
    return raw


def answer(status: int, value: Any) -> Response[bytes]:
    """A JSON answer; without content when the status says so or there is none."""
    body = b"" if status == 204 or value is None else msgspec.json.encode(value)
    return Response(body, status_code=status, media_type="application/json")


ROUTES: list[HTTPRouteHandler] = []
ADDRESSES: set[tuple[str, str]] = set()


def route(
    method: str, path: str, action: str | None, status: int = 200, *, quick: bool = False
) -> Callable[[Handler], Handler]:
    """Serve `method path` with the decorated function, for keys that may do `action`.

    `quick`: it never waits for the disk, and is done on the spot. Others have threads of their own,
    so that searches need not wait for them.
    """

    def wrap(function: Handler) -> Handler:
        def respond(request: Request[Any, Any, Any], raw: bytes) -> Response[bytes]:
            try:
                call = Call(request, _decoded(request, raw))
                if action is not None:
                    call.authorise(action, call.path.get("uid"))
                return answer(status, function(call))
            except ApiError as error:
                return answer(error.status, error.body())

        async def handle(request: Request[Any, Any, Any]) -> Response[bytes]:
            raw = await request.body() if method != "GET" else b""
            if quick:
                return respond(request, raw)
            return await asyncio.to_thread(respond, request, raw)

        ADDRESSES.add((method, path))
        handle.__name__ = f"{method.lower()}_{function.__name__}"
        ROUTES.append(HTTPRouteHandler(path, http_method=method, status_code=200)(handle))  # type: ignore[arg-type]
        return function

    return wrap
