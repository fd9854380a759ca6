"""The secrets of endpoints, as Standard Webhooks writes them: `whsec_` and 32 bytes in base64.

A secret is derived from the product's key and a nonce of the endpoint. So the database has no secret, and neither a dump nor an
answer of the API can give one away; it is shown once, when it is made.
See https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import hashlib
import hmac
import secrets
from datetime import datetime

from catalog.webhooks.models import WebhookEndpoint

PREFIX = "whsec_"


def new_nonce() -> str:
    """Return a nonce for a new secret."""
    return secrets.token_hex(16)


def secret(key: str, nonce: str) -> str:
    """Return the secret that a nonce stands for.

    Args:
        key: The product's key.
        nonce: Of the endpoint.
    """
    derived = hmac.new(key.encode(), b"webhook:" + nonce.encode(), hashlib.sha256).digest()
    return PREFIX + base64.b64encode(derived).decode()


def fingerprint(of: str) -> str:
    """Return a hash of a secret by which it is recognised."""
    return hashlib.sha256(of.encode()).hexdigest()[:16]


def current(key: str, endpoint: WebhookEndpoint, now: datetime) -> list[str] | None:
    """Return the secrets that a message is signed with: the endpoint's own, and the one before while both count.

    Args:
        key: The product's key.
        endpoint: The endpoint.
        now: The database's clock.

    Returns:
        None when the product's key is another one than when the secret was made.
    """
    own = secret(key, endpoint.nonce)
    if fingerprint(own) != endpoint.fingerprint:
        return None
    if endpoint.old_nonce is None or endpoint.old_until is None or endpoint.old_until <= now:
        return [own]
    return [own, secret(key, endpoint.old_nonce)]
