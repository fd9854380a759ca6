"""Refusals as Meilisearch words them: a code, its type and the HTTP status.

Every room raises `ApiError`; `http/` answers with it, and `tasks/` writes it into a failed task.
"""

from deploy.searchnode.values import JsonObject

# Codes with another status than 400.
_STATUS = {
    "index_not_found": 404,
    "document_not_found": 404,
    "task_not_found": 404,
    "api_key_not_found": 404,
    "missing_authorization_header": 401,
    "invalid_api_key": 403,
    "invalid_content_type": 415,
    "missing_content_type": 415,
    "payload_too_large": 413,
    "not_found": 404,
    "internal": 500,
    "index_already_exists": 409,
    "unsupported": 501,
}
_AUTHENTICATION = {"missing_authorization_header", "invalid_api_key"}


class ApiError(Exception):
    """A request or a task is refused. `code` is Meilisearch's code, `message` a sentence for people."""

    def __init__(self, code: str, message: str) -> None:
        """Refuse with a code and a message; the HTTP status follows from the code."""
        super().__init__(message)
        self.code = code
        self.message = message
        # Set where the same code is answered with another status (a part of a multi-search).
        self.status_override: int | None = None

    @property
    def status(self) -> int:
        """The HTTP status of the answer."""
        return self.status_override or _STATUS.get(self.code, 400)

    def body(self) -> JsonObject:
        """Return the JSON of an error answer, which is also the `error` of a failed task."""
        kind = (
            "auth"
            if self.code in _AUTHENTICATION
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


class IndexNotFound(ApiError):
    """A request or a task names an index that does not exist."""

    def __init__(self, uid: str) -> None:
        super().__init__("index_not_found", f"Index `{uid}` not found.")


class NotSupported(ApiError):
    """A request asks for a feature that Meilisearch has and the node does not (`unsupported.py`)."""

    def __init__(self, feature: str) -> None:
        super().__init__("unsupported", f"The search node does not support {feature}.")


def snake_case(name: str) -> str:
    """Return a name of the API as error codes have it: `rankingRules` -> `ranking_rules`."""
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name)
