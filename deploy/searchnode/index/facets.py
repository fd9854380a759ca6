"""The values of one filterable or sortable attribute, and which documents have them.

`index.py` changes facets as documents come and go. Filters, sorting, counts and distinct results read
them. Bitmaps that a method returns may belong to the facet: callers must not change them.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeVar

from pyroaring import BitMap

from deploy.searchnode.index.fields import comparable, comparable_value, leaves, number_in
from deploy.searchnode.index.frequent import Level, levels, most_frequent
from deploy.searchnode.values import Json

# Range conditions whose documents are remembered until a value changes.
_MAX_RANGES = 64
# A value as it is compared: a number, or the compared form of a text.
FacetValue = float | str
Value = TypeVar("Value", float, str)


class FacetContent(NamedTuple):
    """All that a facet knows, as a snapshot saves it. Each bitmap contains numbers of documents."""

    strings: dict[str, BitMap]
    # One way in which each text is written, and the texts that are written in several ways.
    spellings: dict[str, str]
    ambiguous: set[str]
    numbers: dict[float, BitMap]
    exists: BitMap
    null: BitMap
    empty: BitMap


class Facet:
    """The values of one attribute: numbers and texts apart, as filters and sorting see them."""

    def __init__(self, *, by_document: bool) -> None:
        """Make an empty facet; `by_document` also keeps each document's values, for sorting."""
        self._by_document: dict[int, FacetValue | tuple[FacetValue, ...]] | None = {} if by_document else None
        self.strings: dict[str, BitMap] = {}
        self.spellings: dict[str, str] = {}
        self.ambiguous: set[str] = set()
        self.numbers: dict[float, BitMap] = {}
        self._numbers_in_order: list[float] = []
        self._strings_in_order: list[str] = []
        self.exists, self.null, self.empty = BitMap(), BitMap(), BitMap()
        self._ranges: dict[tuple[str, str, str], BitMap] = {}
        self._levels: tuple[list[Level], list[Level]] | None = None

    def change(self, document: int, value: Json, *, add: bool) -> None:
        """Add the values that a document has, or remove them.

        Args:
            document: The number of the document.
            value: The attribute's value in the document; an array has several values.
            add: Add the values; otherwise remove them.
        """
        self._ranges.clear()
        self._levels = None
        _set(self.exists, document, add=add)
        if value is None:
            _set(self.null, document, add=add)
        elif value in ("", [], {}):
            _set(self.empty, document, add=add)
        own: list[FacetValue] = []
        for inner in leaves(value):
            if isinstance(inner, bool) or (isinstance(inner, str) and inner):
                own.append(self._change_string(document, inner, add=add))
            elif isinstance(inner, int | float):
                own.append(self._change_number(document, float(inner), add=add))
        if self._by_document is not None and add and own:
            # An attribute of several objects of an array has values from each of them.
            values = (*self.values_of(document), *own)
            self._by_document[document] = values[0] if len(values) == 1 else values
        elif self._by_document is not None and not add:
            self._by_document.pop(document, None)

    def restore(self, content: FacetContent) -> None:
        """Take what a snapshot saved; the facet must be empty."""
        self.strings, self.spellings, self.numbers = content.strings, content.spellings, content.numbers
        self.ambiguous = content.ambiguous
        self._numbers_in_order = sorted(content.numbers)
        self.exists, self.null, self.empty = content.exists, content.null, content.empty
        if self._by_document is not None:
            for value, documents in self._pairs():
                for document in documents:
                    own = self._by_document.get(document)
                    before = own if isinstance(own, tuple) else () if own is None else (own,)
                    self._by_document[document] = (*before, value) if before else value

    def content(self) -> FacetContent:
        """Return all that the facet knows, not copied."""
        return FacetContent(
            self.strings, self.spellings, self.ambiguous, self.numbers, self.exists, self.null, self.empty
        )

    def _pairs(self) -> list[tuple[FacetValue, BitMap]]:
        return [*self.strings.items(), *self.numbers.items()]

    def _change_string(self, document: int, value: str | bool, *, add: bool) -> str:
        compared = comparable_value(value) or ""
        written = value if isinstance(value, str) else compared
        if add and compared not in self.strings:
            self.spellings[compared] = written
            self.ambiguous.discard(compared)
            self._strings_in_order = []
        elif add and self.spellings[compared] != written:
            self.ambiguous.add(compared)
        if _update(self.strings, compared, document, add=add):
            self._strings_in_order = []
        return compared

    def _change_number(self, document: int, number: float, *, add: bool) -> float:
        if add and number not in self.numbers:
            insort(self._numbers_in_order, number)
        if _update(self.numbers, number, document, add=add):
            del self._numbers_in_order[bisect_left(self._numbers_in_order, number)]
        return number

    def values_of(self, document: int) -> tuple[FacetValue, ...]:
        """Return the values of a document as they are compared; slow without `by_document`."""
        if self._by_document is None:
            return tuple(value for value, documents in self._pairs() if document in documents)
        found = self._by_document.get(document, ())
        return found if isinstance(found, tuple) else (found,)

    def numbers_in_order(self) -> list[float]:
        """Return every number, the lowest first; not to be changed."""
        return self._numbers_in_order

    def strings_in_order(self) -> list[str]:
        """Return every text in its compared form, in order; not to be changed."""
        if not self._strings_in_order:
            self._strings_in_order = sorted(self.strings)
        return self._strings_in_order

    def equal(self, text: str) -> BitMap:
        """Return the documents that have the value of a filter, as a text or as a number."""
        number = number_in(text)
        found = self.strings.get(comparable(text), BitMap())
        return found | (BitMap() if number is None else self.numbers.get(number, BitMap()))

    def equal_to(self, value: FacetValue) -> BitMap:
        """Return the documents that have exactly this compared value; not to be changed."""
        found = self.strings.get(value) if isinstance(value, str) else self.numbers.get(value)
        return found or BitMap()

    def starting_with(self, text: str) -> BitMap:
        """Return the documents that have a text value with this beginning."""
        beginning, ordered = comparable(text), self.strings_in_order()
        found = BitMap()
        for value in ordered[bisect_left(ordered, beginning) :]:
            if not value.startswith(beginning):
                break
            found |= self.strings[value]
        return found

    def compare(self, operator: str, text: str) -> BitMap:
        """Return the documents with a value `>`, `>=`, `<` or `<=` the text; not to be changed."""
        return self._remembered((operator, text, ""), lambda: self._compare(operator, text))

    def between(self, low: str, high: str) -> BitMap:
        """Return the documents with a value from `low` to `high`, both included; not to be changed."""
        return self._remembered(("TO", low, high), lambda: self._between(low, high))

    def _remembered(self, condition: tuple[str, str, str], find: Callable[[], BitMap]) -> BitMap:
        known = self._ranges.get(condition)
        if known is None:
            if len(self._ranges) >= _MAX_RANGES:
                self._ranges.clear()
            known = self._ranges[condition] = find()
        return known

    def _compare(self, operator: str, text: str) -> BitMap:
        number = number_in(text)
        found = _beyond(self.strings, self.strings_in_order(), operator, comparable(text))
        if number is not None:
            found |= _beyond(self.numbers, self._numbers_in_order, operator, number)
        return found

    def _between(self, low: str, high: str) -> BitMap:
        found = _range(self.strings, self.strings_in_order(), comparable(low), comparable(high))
        first, last = number_in(low), number_in(high)
        if first is not None and last is not None:
            found |= _range(self.numbers, self._numbers_in_order, first, last)
        return found

    def groups(self, *, descending: bool) -> Iterator[tuple[FacetValue, BitMap]]:
        """Yield each value with its documents, in order; numbers come before texts in both directions."""
        numbers, strings = self._numbers_in_order, self.strings_in_order()
        for number in reversed(numbers) if descending else numbers:
            yield number, self.numbers[number]
        for string in reversed(strings) if descending else strings:
            yield string, self.strings[string]

    def counts(self, candidates: BitMap) -> tuple[list[tuple[float, int]], list[tuple[str, int]]]:
        """Count the candidates that have each number and each text; both lists in order of the values."""
        return (
            _counted(self._numbers_in_order, self.numbers, candidates),
            _counted(self.strings_in_order(), self.strings, candidates),
        )

    def most_frequent(
        self, candidates: BitMap
    ) -> tuple[Iterator[tuple[float, int]], Iterator[tuple[str, int]]]:
        """Count the candidates that have each number and each text, the most frequent first."""
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
        """Return the least and the greatest number of the candidates; None when they have no number."""
        numbers = self._numbers_in_order
        least = next((n for n in numbers if self.numbers[n].intersect(candidates)), None)
        if least is None:
            return None
        return least, next(n for n in reversed(numbers) if self.numbers[n].intersect(candidates))


def _counted(
    ordered: list[Value], values: dict[Value, BitMap], candidates: BitMap
) -> list[tuple[Value, int]]:
    pairs = ((value, values[value].intersection_cardinality(candidates)) for value in ordered)
    return [pair for pair in pairs if pair[1]]


def _beyond(values: dict[Value, BitMap], ordered: list[Value], operator: str, bound: Value) -> BitMap:
    at = (bisect_left if operator in (">=", "<") else bisect_right)(ordered, bound)
    selected = ordered[at:] if operator[0] == ">" else ordered[:at]
    return BitMap.union(BitMap(), *(values[value] for value in selected))


def _range(values: dict[Value, BitMap], ordered: list[Value], low: Value, high: Value) -> BitMap:
    selected = ordered[bisect_left(ordered, low) : bisect_right(ordered, high)]
    return BitMap.union(BitMap(), *(values[value] for value in selected))


def _set(bitmap: BitMap, document: int, *, add: bool) -> None:
    if add:
        bitmap.add(document)
    else:
        bitmap.discard(document)


def _update(values: dict[Value, BitMap], value: Value, document: int, *, add: bool) -> bool:
    """Change the documents of a value; return True when its last document left and it was removed."""
    documents = values.get(value)
    if documents is None:
        if add:
            values[value] = BitMap((document,))
        return False
    _set(documents, document, add=add)
    if documents:
        return False
    del values[value]
    return True
