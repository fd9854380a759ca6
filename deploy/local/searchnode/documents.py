"""Documents as they arrive: payload formats, primary keys, and what makes one unacceptable."""

import json
import re
from typing import Any

import msgspec

from deploy.local.searchnode.errors import ApiError, unsupported

UID = re.compile(r"[A-Za-z0-9_-]{1,512}")
_ID = re.compile(r"[A-Za-z0-9_-]{1,511}")
ACCEPTED = "`application/json`, `application/x-ndjson`"


class Addition(msgspec.Struct):
    """The payload of a task that adds documents."""

    documents: list[msgspec.Raw]
    merge: bool = False
    primaryKey: str | None = None  # noqa: N815 - as the API names it


_list_of_raw = msgspec.json.Decoder(list[msgspec.Raw]).decode


def parse(body: bytes, kind: str) -> list[msgspec.Raw]:
    """The documents of a request body of this content type. Raises ApiError as Meilisearch does."""
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
    text = body.strip()
    if not text:
        raise ApiError("missing_payload", f"A {kind.rpartition('/')[2]} payload is missing.")
    try:
        if kind == "application/x-ndjson":
            found = _list_of_raw(
                b"[" + b",".join(line for line in text.splitlines() if line) + b"]"
            )
        else:
            found = _list_of_raw(text if text.startswith(b"[") else b"[" + text + b"]")
    except msgspec.DecodeError as error:
        raise ApiError(
            "malformed_payload", f"The `json` payload provided is malformed. `{error}`."
        ) from error
    if not all(bytes(document).startswith(b"{") for document in found):
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
            f"The primary key inference failed in index `{uid}`: no field ends with `id`.",
        )
    if len(candidates) > 1:
        raise ApiError(
            "index_primary_key_multiple_candidates_found",
            f"The primary key inference failed in index `{uid}`: {candidates[0]!r} and "
            f"{candidates[1]!r} end with `id`. Give it by the `primaryKey` query parameter.",
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
