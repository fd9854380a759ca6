"""Page cursors: opaque to the client, signed, and bound to one list with its filters and its order.

The lists of `api.discovery.searching` and `api.editorial.listing` use them.
"""

import base64
import hashlib
import hmac
from typing import Any

import msgspec

from api.http.errors import Problem
from catalog.core.errors import FieldError

_SIGNATURE = 8


def _sign(secret: str, payload: bytes) -> bytes:
    return hmac.new(secret.encode(), b"cursor" + payload, hashlib.sha256).digest()[:_SIGNATURE]


def bound(*parts: Any) -> str:
    """Return the hash of a list's name, filters and order: the `binding` of its cursors."""
    return hashlib.blake2b(msgspec.json.encode(parts), digest_size=8).hexdigest()


def encode(secret: str, binding: str, values: list[Any]) -> str:
    """Return the cursor of the page that follows a row.

    Args:
        secret: Signs the cursor.
        binding: As `bound` returns it.
        values: The sort key of the row. They must be JSON values.
    """
    payload = msgspec.json.encode([binding, *values])
    return base64.urlsafe_b64encode(_sign(secret, payload) + payload).decode().rstrip("=")


def decode(secret: str, binding: str, text: str) -> list[Any]:
    """Return the values that `encode` put into a cursor.

    Args:
        secret: The secret that signed the cursor.
        binding: As `bound` returns it for the list that is read.
        text: The cursor as the client sent it.

    Raises:
        Problem: The cursor was altered, or it belongs to another list.
    """
    refused = Problem(
        "invalid_cursor",
        errors=[FieldError("cursor", "invalid", "Read the list from its beginning, without a cursor.")],
    )
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        signature, payload = raw[:_SIGNATURE], raw[_SIGNATURE:]
        if not hmac.compare_digest(signature, _sign(secret, payload)):
            raise refused
        found_binding, *values = msgspec.json.decode(payload)
    except (ValueError, msgspec.DecodeError):
        raise refused from None
    if found_binding != binding:
        raise refused
    return list(values)
