"""Opaque page cursors: signed, and bound to the list they were made for."""

import base64
import hashlib
import hmac
from typing import Any

import msgspec

from api.errors import Problem
from catalog.errors import FieldError

_SIGNATURE = 8


def _sign(secret: str, payload: bytes) -> bytes:
    return hmac.new(secret.encode(), b"cursor" + payload, hashlib.sha256).digest()[:_SIGNATURE]


def bound(*parts: Any) -> str:
    """What a cursor is bound to: changing any filter makes it another list."""
    return hashlib.blake2b(msgspec.json.encode(parts), digest_size=8).hexdigest()


def encode(secret: str, binding: str, values: list[Any]) -> str:
    """A cursor behind which the list goes on after `values`."""
    payload = msgspec.json.encode([binding, *values])
    return base64.urlsafe_b64encode(_sign(secret, payload) + payload).decode().rstrip("=")


def decode(secret: str, binding: str, text: str) -> list[Any]:
    """The values of a cursor. Raises Problem when it was altered or belongs to another list."""
    refused = Problem(
        "invalid_cursor", errors=[FieldError("cursor", "invalid", "Start again without a cursor.")]
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
