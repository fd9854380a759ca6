"""What can go wrong with a search engine: it is unavailable, or it rejects the request.

Raised by `Engine` (`indexer.engines.admin`) and by `SearchPool` (`indexer.engines.search`).
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

TOO_MANY_REQUESTS = 429
SERVER_ERROR = 500
# The engine asks for a key, or does not know the one it got.
_KEY_CODES = {"missing_authorization_header", "invalid_api_key"}


class EngineUnavailableError(Exception):
    """The engine cannot be reached, is overloaded or does not answer in time: try again later."""


class EngineRejectedError(Exception):
    """The engine read the request and refuses it. `code` is the engine's own."""

    def __init__(self, code: str, message: str, status: int) -> None:
        """Keep the engine's words.

        Args:
            code: The engine's error code, such as `index_not_found`.
            message: The engine's sentence.
            status: The HTTP status of the answer.
        """
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.status = code, message, status


def blames_request(error: Mapping[str, object]) -> bool:
    """Return whether the engine's error says that the request itself is wrong.

    Anything else passes: a full disk, too much load, a key that is not valid (any more), an answer of a
    server between the engine and us.
    """
    return error.get("type") == "invalid_request" and bool(error.get("code"))


# The official client is imported where its errors are looked at: the API searches without it.
def failures() -> tuple[type[Exception], ...]:
    """Return what an engine that is away, refuses or answers nonsense makes the official client, and the reading, raise."""
    import requests
    from meilisearch import errors

    client = (
        errors.MeilisearchApiError,
        errors.MeilisearchCommunicationError,
        errors.MeilisearchTimeoutError,
    )
    return (*client, requests.RequestException, LookupError, TypeError, ValueError)


def translated(error: Exception) -> EngineUnavailableError | EngineRejectedError:
    """Return the engine's error for what the official client, or the reading of an answer, raised."""
    from meilisearch.errors import MeilisearchApiError, MeilisearchCommunicationError, MeilisearchTimeoutError

    if isinstance(error, MeilisearchTimeoutError):
        return EngineUnavailableError("it does not answer in time")
    if isinstance(error, MeilisearchCommunicationError):
        return EngineUnavailableError(f"it cannot be reached: {_reason(error)}")
    if not isinstance(error, MeilisearchApiError):
        # Among them an answer that cannot be read: it says neither yes nor no.
        return EngineUnavailableError(f"{type(error).__name__}: {error}")
    status = error.status_code
    if error.code in _KEY_CODES:
        return EngineUnavailableError(f"it does not accept the key, MEILI_KEY ({error.code})")
    if status >= SERVER_ERROR or status == TOO_MANY_REQUESTS or not blames_request(error.__dict__):
        return EngineUnavailableError(f"it answers {status} {error.code or 'unknown'}")
    return EngineRejectedError(str(error.code), str(error), status)


def _reason(error: BaseException) -> str:
    """What the system said, at the end of the chain of errors that the client's libraries have wrapped around it."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return error.strerror if isinstance(error, OSError) and error.strerror else str(error)


@contextmanager
def unreadable_as_unavailable() -> Iterator[None]:
    """Treat an answer that does not read as it should as no answer.

    Raises:
        EngineUnavailableError: The code inside raised LookupError, TypeError or ValueError.
    """
    try:
        yield
    except (LookupError, TypeError, ValueError) as error:
        raise EngineUnavailableError(f"an answer that cannot be read: {error!r}") from error
