"""Documents as they arrive: formats of payloads, primary keys, external ids, and what is refused."""

import json
import re

import msgspec

from deploy.searchnode.errors import ApiError, NotSupported
from deploy.searchnode.values import Document

_ID = re.compile(r"[A-Za-z0-9_-]{1,511}")
_ACCEPTED = "`application/json`, `application/x-ndjson`"
# Characters of a document that an error message repeats.
_EXCERPT = 200
_decode_list = msgspec.json.Decoder(list[msgspec.Raw]).decode


def parse(body: bytes, content_type: str) -> list[msgspec.Raw]:
    """Return the documents of a request body, each as JSON.

    `content_type` is JSON (an object or an array of objects) or NDJSON, without parameters.

    Raises:
        ApiError: The content type is not accepted, or the body is no list of objects.
        NotSupported: The documents are CSV.
    """
    if not content_type:
        raise ApiError(
            "missing_content_type", f"A Content-Type header is missing. Accepted values: {_ACCEPTED}."
        )
    if content_type == "text/csv":
        raise NotSupported("CSV documents")
    if content_type not in ("application/json", "application/x-ndjson"):
        raise ApiError(
            "invalid_content_type",
            f"The Content-Type `{content_type}` is invalid. Accepted values: {_ACCEPTED}.",
        )
    text = body.strip()
    if not text:
        raise ApiError("missing_payload", f"A {content_type.rpartition('/')[2]} payload is missing.")
    try:
        if content_type == "application/x-ndjson":
            found = _decode_list(b"[" + b",".join(line for line in text.splitlines() if line) + b"]")
        else:
            found = _decode_list(text if text.startswith(b"[") else b"[" + text + b"]")
    except msgspec.DecodeError as error:
        raise ApiError(
            "malformed_payload", f"The `json` payload provided is malformed. `{error}`."
        ) from error
    if not all(bytes(document).startswith(b"{") for document in found):
        raise ApiError(
            "malformed_payload", "The `json` payload provided is malformed. `Documents must be objects`."
        )
    return found


def infer_primary_key(document: Document, uid: str) -> str:
    """Return the one attribute whose name ends with `id`; `uid` names the index in error messages.

    Raises:
        ApiError: No attribute or several attributes end with `id`.
    """
    candidates = [name for name in document if name.lower().endswith("id")]
    if not candidates:
        raise ApiError(
            "index_primary_key_no_candidate_found",
            f"The primary key inference failed in index `{uid}`: no field ends with `id`.",
        )
    if len(candidates) > 1:
        raise ApiError(
            "index_primary_key_multiple_candidates_found",
            f"The primary key inference failed in index `{uid}`: {candidates[0]!r} and "
            f"{candidates[1]!r} end with `id`. Name it with the query parameter `primaryKey`.",
        )
    return candidates[0]


def external_id(document: Document, primary_key: str) -> str:
    """Return the document's id as text.

    Raises:
        ApiError: The document has no id, or the value cannot be one.
    """
    if primary_key not in document:
        excerpt = json.dumps(document, ensure_ascii=False)[:_EXCERPT]
        raise ApiError(
            "missing_document_id", f"Document doesn't have a `{primary_key}` attribute: `{excerpt}`."
        )
    value = document[primary_key]
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, str) and _ID.fullmatch(value):
        return value
    raise ApiError("invalid_document_id", f"Document identifier `{json.dumps(value)[:_EXCERPT]}` is invalid.")
