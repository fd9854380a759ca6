"""The interface of stores of pictures, and the names in them."""

import re
from hashlib import sha256
from typing import Protocol

from indexer.pictures.recognising import Picture

# Half of a SHA-256 in hexadecimal digits: whoever knows the content knows the name, and no two contents share one.
_DIGITS = 32
_NAME = re.compile(r"[0-9a-f]{32}\.(png|jpg|webp|avif)")
TYPES = {"png": "image/png", "jpg": "image/jpeg", "webp": "image/webp", "avif": "image/avif"}


class StoreAway(Exception):
    """The store cannot be reached, or does not take or give the picture."""


class Store(Protocol):
    """Keeps pictures by name. A picture is there whole or not at all, and is never changed."""

    def put(self, name: str, content: bytes) -> None:
        """Keep a picture. One that is there stays.

        Args:
            name: As `name_of` returns it.
            content: All bytes.

        Raises:
            StoreAway: It is not kept.
        """

    def get(self, name: str) -> bytes | None:
        """Return a picture; None when there is none of this name.

        Args:
            name: One that `is_name` accepts.

        Raises:
            StoreAway: Nobody knows.
        """


def name_of(content: bytes, picture: Picture) -> str:
    """Return the name of a picture, which follows from its content.

    Args:
        content: All bytes.
        picture: What `recognise` says of them.
    """
    return f"{sha256(content).hexdigest()[:_DIGITS]}.{picture.ending}"


def is_name(text: str) -> bool:
    """Return whether a text is a name that a picture can have."""
    return _NAME.fullmatch(text) is not None
