"""What went wrong with a fetch, as `FetchError`: by the response's status or by the exception."""

import contextlib
import ssl
import time
import zlib
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from urllib3.exceptions import HTTPError, NewConnectionError, TimeoutError
from urllib3.exceptions import SSLError as UrllibSSLError

from indexer.importing.errors import FetchError

# Longest pause that a server may ask for, in seconds.
MAX_RETRY_AFTER = 86_400.0
# What reading a broken answer raises, such as a chunk of a negative size (`ValueError`) or of 2^70 bytes (`OverflowError`).
BROKEN = (HTTPError, OSError, ValueError, OverflowError, zlib.error)
# Statuses that a second request would not change: code and detail.
_FINAL = {
    401: ("refused", "The server asks for a password."),
    403: ("refused", "The server refuses access."),
    404: ("not_found", "The server has no such document."),
    410: ("gone", "The server says that the document was removed for good."),
    451: ("refused", "The server may not deliver the document for legal reasons."),
}


def of_status(status: int, headers: Mapping[str, str]) -> FetchError:
    """Return the error for a response that carries no document (any status but 200 and 304)."""
    if status in _FINAL:
        return FetchError(*_FINAL[status])
    if status == 429 or status >= 500:
        code = "rate_limited" if status == 429 else "server_error"
        pause = retry_after(headers.get("Retry-After"))
        return FetchError(code, f"The server answers {status}.", retryable=True, retry_after=pause)
    return FetchError("unexpected_status", f"The server answers {status}.")


def of_exception(error: Exception) -> FetchError:
    """Return the error for one of the exceptions in `BROKEN`."""
    if isinstance(error, UrllibSSLError | ssl.SSLError):
        return FetchError("tls_failed", "The server's certificate is not valid.")
    if isinstance(error, NewConnectionError):
        return FetchError("unreachable", "The server cannot be reached.", retryable=True)
    if isinstance(error, TimeoutError | OSError) and "timed out" in str(error):
        return too_slow()
    if isinstance(error, zlib.error):
        return FetchError("bad_encoding", "The compression of the server's answer is broken.")
    return FetchError("broken_response", "The server's answer cannot be read.", retryable=True)


def too_slow() -> FetchError:
    """Return the error for a document whose time is up."""
    return FetchError("too_slow", "The server takes too long.", retryable=True)


def too_large(max_bytes: int) -> FetchError:
    """Return the error for a document of more than `max_bytes` bytes."""
    return FetchError("too_large", f"The document is larger than {max_bytes // 1_000_000} MB.")


def retry_after(value: str | None) -> float | None:
    """Return the seconds a Retry-After header asks for, at most a day; None when it does not say.

    The header holds seconds or a date: RFC 9110, section 10.2.3.
    """
    if not value:
        return None
    if value.strip().isdecimal():
        return min(float(value.strip()[:9]), MAX_RETRY_AFTER)
    # A year or a zone of many digits does not fit into a C integer.
    with contextlib.suppress(ValueError, TypeError, OverflowError):
        seconds = parsedate_to_datetime(value).timestamp() - time.time()
        return min(MAX_RETRY_AFTER, max(0.0, seconds))
    return None
