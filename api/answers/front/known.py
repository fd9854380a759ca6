"""What addresses are answered with, as routes have left it: so the edge answers the next request without them."""

import sys
from collections import OrderedDict
from typing import NamedTuple

from api.answers.answer import Answer, Kind
from api.answers.front.addresses import canonical

# Bytes of hot addresses; those not asked for longest go first. An address costs so much beside its texts (measured
# with tracemalloc).
MAX_HOT_BYTES = 8 * 1024 * 1024
_HOT_BYTES = 450
Address = tuple[str, bytes]


class Hot(NamedTuple):
    """What an address is answered with, as a route left it, and the template of that route."""

    key: str
    kind: Kind
    via: tuple[str, Answer] | None
    template: str


class Known(OrderedDict[Address, Hot]):
    """Hot addresses, in the order in which they were asked for last."""

    def __init__(self) -> None:
        """Begin empty."""
        super().__init__()
        self.bytes = 0

    def otherwise_spelled(self, address: Address) -> Hot | None:
        """What the same address is answered with in its canonical spelling; this spelling is known from now on."""
        spelled = address[0], canonical(address[1])
        hot = self.get(spelled)
        if hot is not None and spelled != address:
            self.remember(address, hot)
        return hot

    def answered(self, address: Address, hot: Hot) -> None:
        """Answer this address from memory from now on, also in its canonical spelling."""
        self.remember(address, hot)
        spelled = address[0], canonical(address[1])
        if spelled != address:
            self.remember(spelled, hot)

    def remember(self, address: Address, hot: Hot) -> None:
        """Answer this spelling of an address from memory from now on."""
        old = self.pop(address, None)
        if old is not None:
            self.bytes -= size(address, old)
        self[address] = hot
        self.bytes += size(address, hot)
        while self.bytes > MAX_HOT_BYTES:
            self.bytes -= size(*self.popitem(last=False))

    def clear(self) -> None:
        """Forget every address."""
        super().clear()
        self.bytes = 0


def size(address: Address, hot: Hot) -> int:
    """Return the bytes that a hot address costs; the answer itself is the cache's."""
    via = sys.getsizeof(hot.via[0]) if hot.via is not None else 0
    return _HOT_BYTES + sys.getsizeof(address[0]) + sys.getsizeof(address[1]) + sys.getsizeof(hot.key) + via
