"""Names of listeners and events that say nothing to whoever reads Redis: hashes under a key that Redis does not have."""

from hashlib import blake2b


class Hiding:
    """Makes names. Without the key nobody can try addresses until one has a name."""

    def __init__(self, secret: str) -> None:
        """Derive the key.

        Args:
            secret: `THMANYAH_SECRET_KEY`: all processes make the same names.
        """
        self._key = blake2b(secret.encode(), person=b"searches").digest()

    def name(self, *parts: str | int) -> str:
        """Return the name of what these parts say together. A part has no line break."""
        text = "\n".join(map(str, parts)).encode()
        return blake2b(text, key=self._key, digest_size=10).hexdigest()
