"""Documents as they arrive: payload formats, primary keys, and what makes one unacceptable."""

import json
import re
from typing import Any

import msgspec

from deploy.local.searchnode.errors import ApiError, unsupported

_ID = re.compile(r"[A-Za-z0-9_-]{1,511}")
ACCEPTED = "`application/json`, `application/x-ndjson`"


def parse(body: bytes, content_type: str) -> list[dict[str, Any]]:
    """The documents of a request body. Raises ApiError as Meilisearch does."""
    kind = content_type.partition(";")[0].strip().lower()
    if not kind:
        raise ApiError(
            "missing_content_type",
            f"A Content-Type header is missing. Accepted values: {ACCEPTED}.",
        )
    if kind == "text/csv":
        raise unsupported("CSV documents")
    if kind not in ("application/json", "application/x-ndjson"):
        raise ApiError(
            "invalid_content_type",
            f"The Content-Type `{kind}` is invalid. Accepted values: {ACCEPTED}.",
        )
    if not body.strip():
        raise ApiError("missing_payload", "A json payload is missing.")
    try:
        if kind == "application/x-ndjson":
            found = [msgspec.json.decode(line) for line in body.splitlines() if line.strip()]
        else:
            decoded = msgspec.json.decode(body)
            found = decoded if isinstance(decoded, list) else [decoded]
    except msgspec.DecodeError as error:
        raise ApiError(
            "malformed_payload", f"The `json` payload provided is malformed. `{error}`."
        ) from error
    if not all(isinstance(document, dict) for document in found):
        raise ApiError(
            "malformed_payload",
            "The `json` payload provided is malformed. `Documents must be objects`.",
        )
    return found


def infer_primary_key(document: dict[str, Any], uid: str) -> str:
    """The one field whose name ends with `id`. Raises ApiError when there is none or several."""
    candidates = [name for name in document if name.lower().endswith("id")]
    if not candidates:
        raise ApiError(
            "index_primary_key_no_candidate_found",
            f"The primary key inference failed in index `{uid}`.",
        )
    if len(candidates) > 1:
        raise ApiError(
            "index_primary_key_multiple_candidates_found",
            f"The primary key inference failed in index `{uid}`: several candidates.",
        )
    return candidates[0]


def external_id(document: dict[str, Any], primary_key: str) -> str:
    """The document's id as text. Raises ApiError when it is missing or cannot be one."""
    if primary_key not in document:
        raise ApiError(
            "missing_document_id",
            f"Document doesn't have a `{primary_key}` attribute: `{json.dumps(document, ensure_ascii=False)[:200]}`.",
        )
    value = document[primary_key]
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, str) and _ID.fullmatch(value):
        return value
    raise ApiError(
        "invalid_document_id", f"Document identifier `{json.dumps(value)[:200]}` is invalid."
    )


def encode(document: dict[str, Any]) -> bytes:
    """The bytes kept for it."""
    return msgspec.json.encode(document)
