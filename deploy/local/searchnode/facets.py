"""The values of one filterable or sortable attribute and which documents have them."""

import math
import re
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterator
from typing import Any

from pyroaring import BitMap

from deploy.local.searchnode.fields import normalise
from deploy.local.searchnode.frequent import Level, levels, most_frequent

# So many ranges are remembered.
_RANGES = 64
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


def key_of(value: Any) -> str | None:
    """The form in which a text or truth value is compared; None for a number."""
    if isinstance(value, str):
        return normalise(value)
    return str(value).lower() if isinstance(value, bool) else None


def number_of(text: str) -> float | None:
    """The number a filter's value is, when it is one."""
    number = float(text) if _NUMBER.fullmatch(text) else math.inf
    return number if math.isfinite(number) else None


class Facet:
    """Numbers and texts apart, as filters and sorting see them."""

    def __init__(self, *, remembers: bool) -> None:
        """`remembers`: which values each document has is asked too, for sorting."""
        self._values: dict[int, float | str | tuple[float | str, ...]] | None = (
            {} if remembers else None
        )
        self.strings: dict[str, BitMap] = {}
        # One way in which each text is written, and the texts that are written in several.
        self.shown: dict[str, str] = {}
        self.ambiguous: set[str] = set()
        self.numbers: dict[float, BitMap] = {}
        self._numbers_in_order: list[float] = []
        self._strings_in_order: list[str] = []
        self.exists, self.null, self.empty = BitMap(), BitMap(), BitMap()
        # The last ranges that were asked for, and groups of values, until a value changes.
        self._ranges: dict[tuple[str, str, str], BitMap] = {}
        self._levels: tuple[list[Level], list[Level]] | None = None

    def change(self, document: int, value: Any, *, add: bool) -> None:
        """Add or take away what `value` says of `document`."""
        self._ranges.clear()
        self._levels = None
        _set(self.exists, document, add=add)
        if value is None:
            _set(self.null, document, add=add)
        elif value in ("", [], {}):
            _set(self.empty, document, add=add)
        own: list[float | str] = []
        for inner in _leaves(value):
            if isinstance(inner, bool) or (isinstance(inner, str) and inner):
                own.append(self._change_string(document, inner, add=add))
            elif isinstance(inner, int | float):
                own.append(self._change_number(document, float(inner), add=add))
        if self._values is not None and add and own:
            # An attribute within several objects of an array has values from each.
            more = (*self.values_of(document), *own)
            self._values[document] = more[0] if len(more) == 1 else more
        elif self._values is not None and not add:
            self._values.pop(document, None)

    def restore(
        self,
        strings: dict[str, BitMap], shown: dict[str, str], ambiguous: set[str],
        numbers: dict[float, BitMap], exists: BitMap, null: BitMap, empty: BitMap,
    ) -> None:  # fmt: skip
        """Take what another facet had."""
        self.strings, self.shown, self.numbers = strings, shown, numbers
        self.ambiguous = ambiguous
        self._numbers_in_order = sorted(numbers)
        self.exists, self.null, self.empty = exists, null, empty
        if self._values is not None:
            pairs: list[tuple[float | str, BitMap]] = [*strings.items(), *numbers.items()]
            for value, documents in pairs:
                for document in documents:
                    own = self._values.get(document)
                    more = own if isinstance(own, tuple) else () if own is None else (own,)
                    self._values[document] = (*more, value) if more else value

    def _change_string(self, document: int, value: str | bool, *, add: bool) -> str:
        key = key_of(value) or ""
        written = value if isinstance(value, str) else key
        if add and key not in self.strings:
            self.shown[key] = written
            self.ambiguous.discard(key)
            self._strings_in_order = []
        elif add and self.shown[key] != written:
            self.ambiguous.add(key)
        if _update(self.strings, key, document, add=add):
            self._strings_in_order = []
        return key

    def _change_number(self, document: int, number: float, *, add: bool) -> float:
        if add and number not in self.numbers:
            insort(self._numbers_in_order, number)
        if _update(self.numbers, number, document, add=add):
            del self._numbers_in_order[bisect_left(self._numbers_in_order, number)]
        return number

    def values_of(self, document: int) -> tuple[float | str, ...]:
        """The values of a document, as they are compared."""
        if self._values is None:
            pairs: list[tuple[float | str, BitMap]] = [*self.strings.items(), *self.numbers.items()]
            return tuple(value for value, documents in pairs if document in documents)
        found = self._values.get(document, ())
        return found if isinstance(found, tuple) else (found,)

    def numbers_in_order(self) -> list[float]:
        """Every number, the lowest first."""
        return self._numbers_in_order

    def strings_in_order(self) -> list[str]:
        """Every text in its compared form, in order."""
        if not self._strings_in_order:
            self._strings_in_order = sorted(self.strings)
        return self._strings_in_order

    def equal(self, text: str) -> BitMap:
        """Documents with this value, as text or as a number."""
        number = number_of(text)
        found = self.strings.get(normalise(text), BitMap())
        return found | (BitMap() if number is None else self.numbers.get(number, BitMap()))

    def equal_to(self, value: float | str) -> BitMap:
        """Documents with just this value, a text in its compared form; not to be changed."""
        found = self.strings.get(value) if isinstance(value, str) else self.numbers.get(value)
        return found or BitMap()

    def starting(self, text: str) -> BitMap:
        """Documents with a text value that starts so."""
        key, ordered = normalise(text), self.strings_in_order()
        found = BitMap()
        for value in ordered[bisect_left(ordered, key) :]:
            if not value.startswith(key):
                break
            found |= self.strings[value]
        return found

    def compare(self, operator: str, text: str) -> BitMap:
        """Documents with a value that is `>`, `>=`, `<` or `<=` this one: numbers and texts.

        Not to be changed.
        """
        return self._once((operator, text, ""), lambda: self._compare(operator, text))

    def _once(self, asked: tuple[str, str, str], find: Callable[[], BitMap]) -> BitMap:
        known = self._ranges.get(asked)
        if known is None:
            if len(self._ranges) >= _RANGES:
                self._ranges.clear()
            known = self._ranges[asked] = find()
        return known

    def _compare(self, operator: str, text: str) -> BitMap:
        number = number_of(text)
        found = _beyond(self.strings, self.strings_in_order(), operator, normalise(text))
        if number is not None:
            found |= _beyond(self.numbers, self._numbers_in_order, operator, number)
        return found

    def between(self, low: str, high: str) -> BitMap:
        """Documents with a value from `low` to `high`, both included; not to be changed."""
        return self._once(("TO", low, high), lambda: self._between(low, high))

    def _between(self, low: str, high: str) -> BitMap:
        found = _range(self.strings, self.strings_in_order(), normalise(low), normalise(high))
        first, last = number_of(low), number_of(high)
        if first is not None and last is not None:
            found |= _range(self.numbers, self._numbers_in_order, first, last)
        return found

    def groups(self, *, descending: bool) -> Iterator[tuple[float | str, BitMap]]:
        """Each value with its documents: numbers before texts in both directions."""
        numbers, strings = self._numbers_in_order, self.strings_in_order()
        for number in reversed(numbers) if descending else numbers:
            yield number, self.numbers[number]
        for string in reversed(strings) if descending else strings:
            yield string, self.strings[string]

    def counts(self, candidates: BitMap) -> tuple[list[tuple[float, int]], list[tuple[str, int]]]:
        """How many of the candidates have each number and each text, both in order."""
        return (
            _counted(self._numbers_in_order, self.numbers, candidates),
            _counted(self.strings_in_order(), self.strings, candidates),
        )

    def most_frequent(
        self, candidates: BitMap
    ) -> tuple[Iterator[tuple[float, int]], Iterator[tuple[str, int]]]:
        """How many of the candidates have each number and each text, the most frequent first."""
        numbers, strings = self._numbers_in_order, self.strings_in_order()
        if self._levels is None:
            self._levels = (
                levels([self.numbers[number] for number in numbers]),
                levels([self.strings[string] for string in strings]),
            )
        return (
            most_frequent(numbers, self._levels[0], candidates),
            most_frequent(strings, self._levels[1], candidates),
        )

    def extremes(self, candidates: BitMap) -> tuple[float, float] | None:
        """The least and the greatest number that any of the candidates has."""
        numbers = self._numbers_in_order
        least = next((n for n in numbers if self.numbers[n].intersect(candidates)), None)
        if least is None:
            return None
        return least, next(n for n in reversed(numbers) if self.numbers[n].intersect(candidates))


def _leaves(value: Any) -> Iterator[Any]:
    """The values in arrays within arrays."""
    if isinstance(value, list):
        for inner in value:
            yield from _leaves(inner)
    else:
        yield value


def _counted(order: list[Any], values: dict[Any, BitMap], candidates: BitMap) -> list[Any]:
    pairs = ((value, values[value].intersection_cardinality(candidates)) for value in order)
    return [pair for pair in pairs if pair[1]]


def _beyond(values: dict[Any, BitMap], order: list[Any], operator: str, bound: Any) -> BitMap:
    at = (bisect_left if operator in (">=", "<") else bisect_right)(order, bound)
    chosen = order[at:] if operator[0] == ">" else order[:at]
    return BitMap.union(BitMap(), *(values[value] for value in chosen))


def _range(values: dict[Any, BitMap], order: list[Any], low: Any, high: Any) -> BitMap:
    chosen = order[bisect_left(order, low) : bisect_right(order, high)]
    return BitMap.union(BitMap(), *(values[value] for value in chosen))


def _set(bitmap: BitMap, document: int, *, add: bool) -> None:
    if add:
        bitmap.add(document)
    else:
        bitmap.discard(document)


def _update(values: dict[Any, BitMap], key: Any, document: int, *, add: bool) -> bool:
    """Change a value's bitmap; True when the value is gone for good."""
    bitmap = values.get(key)
    if bitmap is None:
        if add:
            values[key] = BitMap((document,))
        return False
    _set(bitmap, document, add=add)
    if bitmap:
        return False
    del values[key]
    return True
