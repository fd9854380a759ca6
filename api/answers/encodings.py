"""Content codings of answers (RFC 9110, 8.4): what a client accepts, and the compressed forms of answers.

A form is made when somebody first asks for it, and found by the answer's ETag from then on: so an answer that was
superseded and made anew with the same bytes is not compressed again. `answer.wire` is the caller.
"""

import gzip
import sys
from collections import OrderedDict
from collections.abc import Callable
from functools import lru_cache
from typing import Literal, NamedTuple, TypeAlias

import brotli
import zstandard

from api.http.observed import metrics

Header: TypeAlias = tuple[bytes, bytes]
Coding: TypeAlias = Literal[b"zstd", b"br", b"gzip"]
# In the order that decides when a client has no preference: the cheapest first. Measured in docs/measurements.md.
CODINGS: tuple[Coding, ...] = (b"zstd", b"br", b"gzip")
# A smaller answer fits into one packet as it is.
LEAST_BYTES = 1024
_ZSTD_LEVEL, _BROTLI_QUALITY, _GZIP_LEVEL = 7, 5, 6
# Bytes that a form costs beside its body (measured with tracemalloc).
_FORM_BYTES = 500
_ENCODING: dict[Coding, Header] = {coding: (b"content-encoding", coding) for coding in CODINGS}
_ALIASES = {b"x-gzip": b"gzip"}
# Headers up to this length are remembered; browsers and libraries send a few short ones.
_LONGEST_REMEMBERED = 128


def compress(body: bytes, coding: Coding) -> bytes:
    """Return a body in a content coding. The same bytes have the same form at all times."""
    if coding == b"zstd":
        return zstandard.compress(body, _ZSTD_LEVEL)
    if coding == b"br":
        form: bytes = brotli.compress(body, quality=_BROTLI_QUALITY)
        return form
    return gzip.compress(body, _GZIP_LEVEL, mtime=0)


def accepted(header: bytes) -> tuple[Coding, ...]:
    """Return the codings that a client prefers to no coding, the best first (RFC 9110, 12.5.3).

    Args:
        header: The value of Accept-Encoding; empty without one.
    """
    return _remembered(header) if len(header) <= _LONGEST_REMEMBERED else _accepted(header)


def _accepted(header: bytes) -> tuple[Coding, ...]:
    weights: dict[bytes, float] = {}
    for item in header.lower().split(b","):
        name, _, parameters = item.partition(b";")
        name = name.strip()
        weights[_ALIASES.get(name, name)] = _weight(parameters)
    rest = weights.get(b"*", 0.0)
    # The body as it is may be sent unless it is excluded, but only a client that names it may prefer it.
    least = weights.get(b"identity", 0.0)
    found = {coding: weights.get(coding, rest) for coding in CODINGS}
    usable: list[Coding] = [coding for coding in CODINGS if found[coding] > 0 and found[coding] >= least]
    return tuple(sorted(usable, key=lambda coding: -found[coding]))


def _weight(parameters: bytes) -> float:
    """The weight of an item, from 0 to 1; an item whose weight cannot be read is not used."""
    for parameter in parameters.split(b";"):
        name, _, value = parameter.partition(b"=")
        if name.strip() == b"q":
            try:
                weight = float(value)
            except ValueError:
                return 0.0
            return weight if 0 <= weight <= 1 else 0.0
    return 1.0


_remembered = lru_cache(maxsize=256)(_accepted)


class Form(NamedTuple):
    """A body in a content coding, and the headers that say so; without a body, the answer is sent as it is."""

    headers: tuple[Header, ...]
    body: bytes


_NO_FORM = Form((), b"")


class Forms:
    """Compressed forms of answers in this process's memory; those not asked for longest go first."""

    def __init__(self, max_bytes: int) -> None:
        """Begin empty.

        Args:
            max_bytes: The bound of all forms together.
        """
        self.max_bytes, self.bytes = max_bytes, 0
        self._forms: OrderedDict[tuple[bytes, Coding], Form] = OrderedDict()

    def find(self, etag: bytes, plain: Callable[[], bytes], coding: Coding) -> Form:
        """Return a body in a content coding; a form without a body when it would not be smaller.

        Args:
            etag: Names the body: equal tags mean equal bytes.
            plain: Gives the bytes without a coding; called when the form is not here.
            coding: The coding.
        """
        name = (etag, coding)
        found = self._forms.get(name)
        if found is not None:
            self._forms.move_to_end(name)
            return found
        body = plain()
        made, form = compress(body, coding), _NO_FORM
        if len(made) < len(body):
            form = Form((_ENCODING[coding], (b"content-length", b"%d" % len(made))), made)
        metrics.COMPRESSED.labels(coding.decode()).inc()
        self._forms[name] = form
        self.bytes += _size(form)
        while self.bytes > self.max_bytes and self._forms:
            self.bytes -= _size(self._forms.popitem(last=False)[1])
        return form

    def clear(self) -> None:
        """Forget every form."""
        self._forms.clear()
        self.bytes = 0


def _size(form: Form) -> int:
    return _FORM_BYTES + sys.getsizeof(form.body)
