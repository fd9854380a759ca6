"""One request as the routes see it: the node, the caller's key, parameters and body."""

import gzip
import zlib
from collections.abc import Sequence

import msgspec
from litestar import Request
from litestar.datastructures import State

from deploy.searchnode.errors import ApiError, NotSupported
from deploy.searchnode.http.keys import Grant, Keys
from deploy.searchnode.index.index import Index, is_valid_uid
from deploy.searchnode.tasks.node import Node
from deploy.searchnode.values import Json, JsonObject

# Litestar's request; the node uses neither its users nor its state.
HttpRequest = Request[object, object, State]


class Call:
    """One request to one node. `grant` says which indexes the caller may see."""

    def __init__(self, request: HttpRequest, body: bytes, node: Node, keys: Keys) -> None:
        """Prepare a request.

        Args:
            request: Litestar's request.
            body: The body, as it was sent.
            node: The node.
            keys: Its API keys.

        Raises:
            ApiError: The body is not in the content encoding that the request names.
        """
        self.request, self.node, self.keys = request, node, keys
        self.body = _decoded(request.headers.get("content-encoding", "identity"), body)
        self.path: dict[str, str] = request.path_params
        self.query = request.query_params
        self.grant = Grant()

    def authorise(self, action: str, index: str | None) -> None:
        """Check that the caller may do `action`, to this index if one is named, and set `grant`.

        Raises:
            ApiError: The caller may not.
        """
        header = self.request.headers.get("authorization")
        self.grant = self.keys.authorise(header, action, index)

    @property
    def uid(self) -> str:
        """The uid of the index that the address names; it need not exist.

        Raises:
            ApiError: No index may have this uid.
        """
        uid = self.path["uid"]
        if not is_valid_uid(uid):
            raise ApiError("invalid_index_uid", f"`{uid}` is not a valid index uid.")
        return uid

    @property
    def index(self) -> Index:
        """The index that the address names. Raises ApiError when it does not exist."""
        return self.node.index(self.uid)

    @property
    def metadata(self) -> str | None:
        """The text that the request attaches to its task."""
        return self.query.get("customMetadata")

    @property
    def content_type(self) -> str:
        """The type of the body without its parameters; empty when the request names none."""
        header: str = self.request.headers.get("content-type", "")
        return header.partition(";")[0].strip().lower()

    def json(self) -> Json:
        """Return the body as JSON.

        Raises:
            ApiError: The body is of another content type, empty or malformed.
        """
        kind = self.content_type
        if kind != "application/json":
            code = "invalid_content_type" if kind else "missing_content_type"
            raise ApiError(
                code, f"The Content-Type `{kind}` is invalid. Accepted values: `application/json`."
            )
        if not self.body.strip():
            raise ApiError("missing_payload", "A json payload is missing.")
        try:
            decoded: Json = msgspec.json.decode(self.body)
        except msgspec.DecodeError as error:
            raise ApiError(
                "malformed_payload", f"The json payload provided is malformed. `{error}`."
            ) from error
        return decoded

    def json_object(self, *known: str) -> JsonObject:
        """Return the body as a JSON object that has only fields among `known`; any when none is named.

        Raises:
            ApiError: As `json` does; the body is no object or has another field.
        """
        body = self.json()
        if not isinstance(body, dict):
            raise ApiError("bad_request", "Invalid value type: expected an object.")
        for name in body:
            if known and name not in known:
                expected = ", ".join(f"`{k}`" for k in known)
                raise ApiError("bad_request", f"Unknown field `{name}`: expected one of {expected}")
        return body

    def number(self, name: str, default: int, code: str) -> int:
        """Return a query parameter that must be a natural number.

        Args:
            name: The parameter.
            default: Its value when the request does not name it.
            code: The code of a wrong value.

        Raises:
            ApiError: With this code.
        """
        text = self.query.get(name)
        if text is None:
            return default
        if not (text.isascii() and text.isdecimal()):
            raise ApiError(
                code, f"Invalid value in parameter `{name}`: could not parse `{text}` as a positive integer."
            )
        return int(text)

    def flag(self, name: str, code: str) -> bool:
        """Return a query parameter that must be `true` or `false`; False when the request does not name it.

        Args:
            name: The parameter.
            code: The code of a wrong value.

        Raises:
            ApiError: With this code.
        """
        text: str = self.query.get(name, "false")
        if text not in ("true", "false"):
            raise ApiError(
                code, f"Invalid value in parameter `{name}`: could not parse `{text}` as a boolean."
            )
        return text == "true"

    def page(self, rows: Sequence[object], prefix: str) -> dict[str, object]:
        """Return the rows from `offset` on, at most `limit`; `prefix` is a part of the error codes."""
        offset = self.number("offset", 0, f"invalid_{prefix}_offset")
        limit = self.number("limit", 20, f"invalid_{prefix}_limit")
        return {
            "results": rows[offset : offset + limit],
            "offset": offset,
            "limit": limit,
            "total": len(rows),
        }


def _decoded(encoding: str, body: bytes) -> bytes:
    try:
        if encoding == "gzip":
            return gzip.decompress(body)
        if encoding == "deflate":
            return zlib.decompress(body)
    except (OSError, EOFError, zlib.error) as error:
        raise ApiError("malformed_payload", f"The payload is not {encoding}: {error}.") from error
    if encoding != "identity":
        raise NotSupported(f"the content encoding `{encoding}`")
    return body
