"""One spelling of an address, by which the edge finds answers. Pure functions."""

import re
from urllib.parse import quote, unquote_to_bytes

# Parameters by which others follow listeners: they change no answer.
_TRACKING = re.compile(rb"(?:^|&)(?:utm_[^=&]*|fbclid|gclid|_)(?:=[^&]*)?(?=&|$)")
# A query string that every reader reads alike: printable ASCII with whole escapes.
_PLAIN = re.compile(rb"(?:[!-$&-~]|%[0-9A-Fa-f]{2})*")
# One parameter of characters that need no escape: it is canonical already, as most query strings are.
_ALONE = re.compile(rb"[\w.~-]*=[\w.~-]*")


def untracked(query: bytes) -> bytes:
    """Return a query string without the parameters that change no answer."""
    return _TRACKING.sub(b"", query).removeprefix(b"&")


def canonical(query: bytes) -> bytes:
    """Return a query string with its parameters in the order of their names, and with the escapes that are needed.

    Query strings with one canonical form have the same parameters, and those of one name in the same order. What readers may
    read differently stays as it is.
    """
    if _PLAIN.fullmatch(query) is None:
        return query
    if _ALONE.fullmatch(query) is not None:
        return query
    pairs = []
    for part in query.split(b"&"):
        name, sign, value = part.partition(b"=")
        try:
            pairs.append((_written(name), sign + _written(value)))
        except UnicodeDecodeError:
            return query
    pairs.sort(key=_name)
    return b"&".join(name + value for name, value in pairs)


def _name(pair: tuple[bytes, bytes]) -> bytes:
    return pair[0]


def _written(text: bytes) -> bytes:
    """Return a name or a value with the escapes that it needs.

    Raises:
        UnicodeDecodeError: It is not UTF-8.
    """
    found = unquote_to_bytes(text.replace(b"+", b" "))
    found.decode()
    return quote(found, safe="").encode()
