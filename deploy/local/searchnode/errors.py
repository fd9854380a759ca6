"""Refusals as Meilisearch words them: a code, its type and the HTTP status."""

from typing import Any

_STATUS = {
    "index_not_found": 404, "document_not_found": 404, "task_not_found": 404,
    "api_key_not_found": 404, "missing_authorization_header": 401, "invalid_api_key": 403,
    "invalid_content_type": 415, "missing_content_type": 415, "payload_too_large": 413,
    "not_found": 404, "internal": 500, "index_already_exists": 409, "unsupported": 501,
}  # fmt: skip
_AUTH = {"missing_authorization_header", "invalid_api_key"}


class ApiError(Exception):
    """`code` is Meilisearch's; the status follows from it (400 unless listed)."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        # Set where the place of the fault makes it another status than the code's.
        self.status_of: int | None = None

    @property
    def status(self) -> int:
        """The HTTP status of the answer."""
        return self.status_of or _STATUS.get(self.code, 400)

    def body(self) -> dict[str, Any]:
        """The JSON of an error answer and of a failed task's `error`."""
        kind = (
            "auth"
            if self.code in _AUTH
            else "internal"
            if self.status >= 500
            else "invalid_request"
        )
        return {
            "message": self.message,
            "code": self.code,
            "type": kind,
            "link": f"https://docs.meilisearch.com/errors#{self.code}",
        }


def index_not_found(uid: str) -> ApiError:
    """The answer wherever an index is named that is not there."""
    return ApiError("index_not_found", f"Index `{uid}` not found.")


def unsupported(what: str) -> ApiError:
    """Something a real Meilisearch does and this node does not."""
    return ApiError("unsupported", f"The search node does not support {what}.")
