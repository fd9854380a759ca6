"""One index in memory: documents, word postings as bitmaps, facet values.

Every word has one bitmap of documents per field; every document keeps its own words and positions,
which only the few documents that still compete need. The durable copy is `store.py`'s.
"""

from array import array
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from pyroaring import BitMap

from deploy.local.searchnode import settings as index_settings
from deploy.local.searchnode.errors import ApiError
from deploy.local.searchnode.tokens import words

Document = dict[str, Any]
_decode = msgspec.json.Decoder().decode


def flatten(value: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """(dotted name, value) of an object, nested objects opened, arrays kept."""
    for key, inner in value.items():
        name = f"{prefix}{key}"
        yield name, inner
        if isinstance(inner, dict):
            yield from flatten(inner, f"{name}.")


def texts(value: Any) -> Iterator[str]:
    """The searchable texts in a value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, bool):
        yield "true" if value else "false"
    elif isinstance(value, int | float):
        yield str(value)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)


class Facet:
    """The values of one filterable or sortable attribute and who has them."""

    def __init__(self) -> None:
        self.strings: dict[str, BitMap] = {}
        self.shown: dict[str, str] = {}
        self.numbers: dict[float, BitMap] = {}
        self.order: list[float] = []
        self.exists, self.null, self.empty = BitMap(), BitMap(), BitMap()

    def change(self, document: int, value: Any, *, add: bool) -> None:
        """Add or take away what `value` says of `document`."""
        _set(self.exists, document, add=add)
        if value is None:
            _set(self.null, document, add=add)
        if value in ("", [], {}):
            _set(self.empty, document, add=add)
        for inner in value if isinstance(value, list) else (value,):
            self._change_one(document, inner, add=add)

    def _change_one(self, document: int, value: Any, *, add: bool) -> None:
        if isinstance(value, (str, bool)):
            shown = value if isinstance(value, str) else str(value).lower()
            key = shown.strip().lower()
            if add:
                self.shown.setdefault(key, shown)
            _update(self.strings, key, document, add=add)
        elif isinstance(value, int | float):
            number = float(value)
            if add and number not in self.numbers:
                insort(self.order, number)
            if _update(self.numbers, number, document, add=add):
                del self.order[bisect_left(self.order, number)]

    def equal(self, text: str) -> BitMap:
        """Documents with this value, as text or as a number."""
        found = self.strings.get(text.strip().lower(), BitMap())
        try:
            return found | self.numbers.get(float(text), BitMap())
        except ValueError:
            return BitMap(found)

    def starting(self, text: str) -> BitMap:
        """Documents with a text value that starts so."""
        key = text.strip().lower()
        return BitMap.union(BitMap(), *(b for v, b in self.strings.items() if v.startswith(key)))

    def between(
        self,
        low: float | None,
        high: float | None,
        *,
        low_open: bool = False,
        high_open: bool = False,
    ) -> BitMap:
        """Documents with a number in the range."""
        first = 0 if low is None else (bisect_right if low_open else bisect_left)(self.order, low)
        last = (
            len(self.order)
            if high is None
            else (bisect_left if high_open else bisect_right)(self.order, high)
        )
        return BitMap.union(BitMap(), *(self.numbers[n] for n in self.order[first:last]))

    def sorted_values(self, *, descending: bool) -> Iterator[BitMap]:
        """Groups of documents in the order of their value: numbers before texts when ascending."""
        numbers = [self.numbers[n] for n in self.order]
        strings = [self.strings[s] for s in sorted(self.strings)]
        groups = numbers + strings
        yield from reversed(groups) if descending else groups


class Index:
    """An index by `uid`; `number` names it in the store, whatever its uid becomes."""

    def __init__(self, uid: str, number: int, primary_key: str | None, created: str) -> None:
        self.uid, self.number, self.primary_key = uid, number, primary_key
        self.created_at = self.updated_at = created
        self.settings: dict[str, Any] = index_settings.defaults()
        self.clear()

    def clear(self) -> None:
        """Forget every document."""
        self.documents: dict[int, bytes] = {}
        self.ids: dict[str, int] = {}
        self.next_id = 0
        self.field_counts: dict[str, int] = {}
        self._forget_derived()

    def _forget_derived(self) -> None:
        self.live = BitMap()
        self.fields: list[str] = []
        self.postings: dict[str, dict[int, BitMap]] = {}
        self.vocabulary: list[str] = []
        self.by_first: dict[str, list[str]] = {}
        self.tokens: dict[int, list[tuple[int, tuple[str, ...], array[int]]]] = {}
        self.facets: dict[str, Facet] = {}
        self.generation = 0

    def rebuild(self) -> None:
        """Read every document again: the settings changed what is kept of them."""
        self._forget_derived()
        for document in sorted(self.documents):
            self._add(document, self.get(document))

    def get(self, document: int) -> Document:
        """The document as it was sent."""
        found: Document = _decode(self.documents[document])
        return found

    def put(self, external: str, raw: bytes) -> None:
        """Add or replace the document with this external id."""
        number = self.ids.get(external)
        if number is None:
            number = self.next_id
            self.next_id += 1
            self.ids[external] = number
        else:
            self._remove(number)
        self.documents[number] = raw
        self._add(number, self.get(number))

    def delete(self, external: str) -> bool:
        """Take the document away; False when it was not there."""
        number = self.ids.pop(external, None)
        if number is None:
            return False
        self._remove(number)
        del self.documents[number]
        return True

    def facet(self, name: str, code: str) -> Facet:
        """The facet to filter by. Raises ApiError(code) when it is not filterable."""
        allowed = [a for a in self.settings["filterableAttributes"] if isinstance(a, str)]
        if (
            "*" not in allowed
            and name not in allowed
            and not any(name.startswith(f"{a}.") for a in allowed)
        ):
            known = ", ".join(f"`{a}`" for a in allowed) or "none"
            raise ApiError(
                code,
                f"Attribute `{name}` is not filterable. Available filterable attribute patterns are: {known}.",
            )
        return self.facets.get(name) or Facet()

    def words_of(self, word: str) -> BitMap:
        """Documents that have this word in any field."""
        fields = self.postings.get(word)
        return BitMap.union(BitMap(), *fields.values()) if fields else BitMap()

    def prefixed(self, prefix: str, limit: int = 2000) -> list[str]:
        """Words of the vocabulary that start so, in order."""
        start = bisect_left(self.vocabulary, prefix)
        found = []
        for word in self.vocabulary[start : start + limit]:
            if not word.startswith(prefix):
                break
            found.append(word)
        return found

    def _faceted(self) -> set[str]:
        names = {a for a in self.settings["filterableAttributes"] if isinstance(a, str)}
        names |= set(self.settings["sortableAttributes"])
        for rule in self.settings["rankingRules"]:
            if ":" in rule:
                names.add(rule.partition(":")[0])
        if self.settings["distinctAttribute"]:
            names.add(self.settings["distinctAttribute"])
        return names

    def _searchable(self, flat: Iterable[tuple[str, Any]]) -> Iterator[tuple[int, Any]]:
        wanted = self.settings["searchableAttributes"]
        for name, value in flat:
            if "*" in wanted:
                if name not in self.fields:
                    self.fields.append(name)
                yield self.fields.index(name), value
            elif name in wanted:
                yield wanted.index(name), value

    def _add(self, number: int, document: Document) -> None:
        self.live.add(number)
        self.generation += 1
        flat = list(flatten(document))
        stop = set(self.settings["stopWords"])
        kept: list[tuple[int, tuple[str, ...], array[int]]] = []
        for field, value in self._searchable(flat):
            found, positions, base = [], array("H"), 0
            for text in texts(value):
                for word, position in words(text):
                    if word in stop:
                        continue
                    found.append(word)
                    positions.append(min(base + position, 65_535))
                base = min(positions[-1] + 8 if positions else base, 65_000)
            if not found:
                continue
            kept.append((field, tuple(found), positions))
            for word in set(found):
                fields = self.postings.get(word)
                if fields is None:
                    fields = self.postings[word] = {}
                    insort(self.vocabulary, word)
                    insort(self.by_first.setdefault(word[0], []), word)
                bitmap = fields.get(field)
                if bitmap is None:
                    fields[field] = BitMap((number,))
                else:
                    bitmap.add(number)
        self.tokens[number] = kept
        names = self._faceted()
        for name, value in flat:
            if name in names or "*" in names:
                self.facets.setdefault(name, Facet()).change(number, value, add=True)
        for name in document:
            self.field_counts[name] = self.field_counts.get(name, 0) + 1

    def _remove(self, number: int) -> None:
        document = self.get(number)
        self.live.discard(number)
        self.generation += 1
        for field, found, _ in self.tokens.pop(number, ()):
            for word in set(found):
                fields = self.postings[word]
                fields[field].discard(number)
                if not fields[field]:
                    del fields[field]
                if not fields:
                    del self.postings[word]
                    del self.vocabulary[bisect_left(self.vocabulary, word)]
                    bucket = self.by_first[word[0]]
                    del bucket[bisect_left(bucket, word)]
        for name, value in flatten(document):
            facet = self.facets.get(name)
            if facet is not None:
                facet.change(number, value, add=False)
        for name in document:
            self.field_counts[name] -= 1
            if not self.field_counts[name]:
                del self.field_counts[name]


def _set(bitmap: BitMap, document: int, *, add: bool) -> None:
    if add:
        bitmap.add(document)
    else:
        bitmap.discard(document)


def _update(values: dict[Any, BitMap], key: Any, document: int, *, add: bool) -> bool:
    """Change a value's bitmap; True when the value is gone for good."""
    bitmap = values.get(key)
    if bitmap is None:
        if not add:
            return False
        values[key] = BitMap((document,))
        return False
    _set(bitmap, document, add=add)
    if bitmap:
        return False
    del values[key]
    return True
