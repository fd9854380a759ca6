"""One index in memory: documents, places of words, facet values. `store.py` has the durable copy."""

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, TypeVar

import msgspec
from pyroaring import BitMap

from deploy.local.searchnode import settings as index_settings
from deploy.local.searchnode.attributes import Rule, inside, inside_any, rule_of
from deploy.local.searchnode.facets import Facet
from deploy.local.searchnode.fields import flatten, texts
from deploy.local.searchnode.postings import Postings
from deploy.local.searchnode.text.tokens import HARD_BREAK, MAX_POSITION, Tokenizer

Document = dict[str, Any]
Row = TypeVar("Row")
COUNTED_WORDS = 30
_STEP = 500
decode = msgspec.json.Decoder().decode
PlacesOfWords = dict[str, list[int]]
# (field, number of words)
Sizes = list[tuple[int, int]]


@dataclass
class Replacement:
    """A document in another's place, or none (`{}`): what is noted of the attributes that differ."""

    number: int
    raw: bytes
    old: Document
    new: Document
    names: set[str]
    old_places: PlacesOfWords
    new_places: PlacesOfWords
    old_sizes: Sizes
    new_sizes: Sizes


@dataclass
class Batch:
    """Documents on their way in or out, and all that is to be noted of them."""

    # (number, external id, raw, decoded)
    added: list[tuple[int, str, bytes, Document]] = field(default_factory=list)
    places: PlacesOfWords = field(default_factory=dict)
    sizes: list[tuple[int, Sizes]] = field(default_factory=list)
    replaced: list[Replacement] = field(default_factory=list)
    # Those of the replaced that nothing came for, by their external ids.
    dropped: list[str] = field(default_factory=list)


class Index:
    """An index by `uid`; `number` names it in the store, whatever its uid becomes."""

    def __init__(self, uid: str, number: int, primary_key: str | None, created: str) -> None:
        self.uid, self.number, self.primary_key = uid, number, primary_key
        self.created_at = self.updated_at = created
        self.documents: dict[int, bytes] = {}
        self.ids: dict[str, int] = {}
        self.next_id = 0
        # Documents written or removed since this was last kept in a snapshot.
        self.changed = 0
        self.field_counts: dict[str, int] = {}
        # Every attribute ever met, those within others by their dotted names, in that order.
        self.names: dict[str, None] = {}
        self.configure(index_settings.defaults())

    def configure(self, settings: dict[str, Any]) -> None:
        """Take these settings; no document is indexed by them yet (`rebuild`)."""
        self.tokenizer = Tokenizer(settings)
        self._forget_derived()
        self.adopt(settings)

    def adopt(self, settings: dict[str, Any]) -> None:
        """Take settings that change nothing of what is kept of documents."""
        self.settings = settings
        self.rules = [rule_of(entry) for entry in settings["filterableAttributes"]]
        cut = self.tokenizer
        self.synonyms = {
            cut.phrase(key): [cut.phrase(v) for v in sorted(set(values))]
            for key, values in settings["synonyms"].items()
        }
        self.words_without_typos = frozenset(
            "".join(token.lemma for token in cut.tokens(word))
            for word in settings["typoTolerance"]["disableOnWords"]
        )

    def reconfigured(self, settings: dict[str, Any]) -> "Index":
        """The same documents indexed by other settings; this one goes on unchanged meanwhile."""
        other = Index(self.uid, self.number, self.primary_key, self.created_at)
        other.documents, other.ids, other.next_id = self.documents, self.ids, self.next_id
        other.field_counts, other.changed = self.field_counts, len(self.documents)
        other.names = self.names
        other.configure(settings)
        for numbers in batched(sorted(self.documents), _STEP):
            batch = Batch()
            for number in numbers:
                document = other.get(number)
                batch.added.append((number, "", b"", document))
                other._find_places(batch, number, document)
            other._keep(batch)
        return other

    def _forget_derived(self) -> None:
        self.live = BitMap()
        # Searchable fields in the order in which they were met; their number is in every place.
        self.fields: list[str] = []
        self._weights: dict[str, tuple[int, int] | None] = {}
        self.weights: list[int] = []
        self.postings = Postings()
        # (field, number of words) -> documents; only for short fields.
        self.sizes: dict[tuple[int, int], BitMap] = {}
        self.facets: dict[str, Facet] = {}
        self._faceted: dict[str, bool] = {}

    def get(self, document: int) -> Document:
        """The document as it was sent."""
        found: Document = decode(self.documents[document])
        return found

    def analyse(
        self, rows: Iterable[tuple[str, bytes, Document]], gone: Iterable[str] = ()
    ) -> "Batch":
        """What is to be done to add or replace documents (external id, raw, decoded) and drop others.

        Changes nothing that a search sees; `commit` does. No id may come twice.
        """
        batch = Batch()
        fresh = self.next_id
        for external, raw, document in rows:
            number = self.ids.get(external)
            if number is None:
                batch.added.append((fresh, external, raw, document))
                fresh += 1
            else:
                batch.replaced.append(self._replacement(number, raw, document))
        for external in gone:
            if external in self.ids:
                batch.replaced.append(self._replacement(self.ids[external], b"", {}))
                batch.dropped.append(external)
        for number, _, _, document in batch.added:
            self._find_places(batch, number, document)
        return batch

    def _replacement(self, number: int, raw: bytes, new: Document) -> Replacement:
        """Most of a document stays when it is replaced: only what differs is looked at."""
        old = self.get(number)
        names = _different(old, new)
        before, after = self._words(old, names), self._words(new, names)
        return Replacement(
            number, raw, old, new, names, _places(number, before), _places(number, after),
            _sizes(before), _sizes(after),
        )  # fmt: skip

    def _find_places(self, batch: "Batch", number: int, document: Document) -> None:
        """Documents come in order of their numbers, so that places are in order too."""
        fields = self._words(document)
        places = batch.places
        for word, found in _places(number, fields).items():
            if word in places:
                places[word] += found
            else:
                places[word] = found
        batch.sizes.append((number, _sizes(fields)))

    def commit(self, batch: "Batch") -> None:
        """Do what was found out by the last `analyse`."""
        self.changed += len(batch.added) + len(batch.replaced)
        for each in batch.replaced:
            self._replace(each)
        for external in batch.dropped:
            number = self.ids.pop(external)
            del self.documents[number]
            self.live.discard(number)
        for number, external, raw, document in batch.added:
            self.documents[number], self.ids[external] = raw, number
            self.next_id = max(self.next_id, number + 1)
            self._count(document, 1)
        self._keep(batch)

    def _replace(self, each: Replacement) -> None:
        self.documents[each.number] = each.raw
        self.postings.change(each.number, each.old_places, each.new_places)
        for size in each.old_sizes:
            self.sizes[size].discard(each.number)
        for size in each.new_sizes:
            self.sizes.setdefault(size, BitMap()).add(each.number)
        self._facet(each.number, each.old, each.names, add=False)
        if each.old.keys() != each.new.keys():
            self._count(each.old, -1)
            self._count(each.new, 1)

    def _count(self, document: Document, change: int) -> None:
        for name in document:
            count = self.field_counts.get(name, 0) + change
            if count:
                self.field_counts[name] = count
            else:
                del self.field_counts[name]

    def _keep(self, batch: "Batch") -> None:
        self.postings.add(batch.places)
        for number, sizes in batch.sizes:
            self.live.add(number)
            for size in sizes:
                self.sizes.setdefault(size, BitMap()).add(number)
        # What was there is gone by now, so a value is written as those write it that have it.
        for each in batch.replaced:
            self._facet(each.number, each.new, each.names, add=True)
        for number, _, _, document in batch.added:
            self._facet(number, document, add=True)

    def adopt_documents(self, rows: Iterable[tuple[str, bytes, int]]) -> None:
        """Take documents of which all else is known already."""
        for external, raw, number in rows:
            self.documents[number], self.ids[external] = raw, number
            self.next_id = max(self.next_id, number + 1)
            self._count(decode(raw), 1)

    def load(self, rows: Iterable[tuple[str, bytes, int]]) -> None:
        """Take (external id, document, number) rows as they were kept, in order of the numbers."""
        for step in batched(rows, _STEP):
            batch = Batch()
            for external, raw, number in step:
                document = decode(raw)
                batch.added.append((number, external, raw, document))
                self._find_places(batch, number, document)
            self.commit(batch)

    def rule(self, name: str) -> Rule | None:
        """The first entry of `filterableAttributes` that means this attribute."""
        return next((rule for rule in self.rules if rule.covers(name)), None)

    def filterable_names(self) -> list[str]:
        """The names and patterns of what may be filtered by, in order."""
        return sorted({p for rule in self.rules if rule.features.filterable for p in rule.patterns})

    def may_filter(self, name: str) -> bool:
        """May this attribute be filtered by, counted and made distinct?"""
        rule = self.rule(name)
        return rule is not None and rule.features.filterable

    def max_weight(self) -> int | None:
        """The weight of the last searchable attribute; None when every field weighs the same."""
        wanted = self.settings["searchableAttributes"]
        return None if "*" in wanted else len(wanted) - 1

    def field(self, name: str) -> int | None:
        """The number of a searchable field; None for others."""
        known = self._weights.get(name, ())
        if known == ():
            known = self._weights[name] = self._meet(name)
        return known[0] if known else None

    def _meet(self, name: str) -> tuple[int, int] | None:
        wanted = self.settings["searchableAttributes"]
        weight = 0 if "*" in wanted else next(
            (n for n, w in enumerate(wanted) if inside(name, w)), None
        )  # fmt: skip
        if weight is None:
            return None
        self.fields.append(name)
        self.weights.append(weight)
        return len(self.fields) - 1, weight

    def is_faceted(self, name: str) -> bool:
        """Are the values of this field kept for filters or sorting?"""
        known = self._faceted.get(name)
        if known is None:
            rule = self.rule(name)
            known = self._faceted[name] = (
                rule is not None and (rule.features.filterable or rule.features.facet_search)
            ) or inside_any(name, index_settings.sorted_names(self.settings))
        return known

    def new_facet(self, name: str) -> Facet:
        """An empty facet for this attribute."""
        return Facet(remembers=inside_any(name, index_settings.sorted_names(self.settings)))

    def _words(
        self, document: Document, names: Container[str] | None = None
    ) -> dict[int, list[tuple[str, int]]]:
        """(word, position) of every searchable field (among `names`), by the field's number."""
        found: dict[int, list[tuple[str, int]]] = {}
        last: dict[int, int] = {}
        cut = self.tokenizer.words
        for name, value in flatten(document):
            if names is not None and name not in names:
                continue
            number = self.field(name)
            if number is None:
                continue
            locales = self.tokenizer.locales(name)
            kept = found.setdefault(number, [])
            for text in texts(value):
                base = last[number] + HARD_BREAK if number in last else 0
                words = cut(text, locales)
                if base:
                    words = [(w, base + p) for w, p in words if base + p < MAX_POSITION]
                kept += words
                last[number] = kept[-1][1] if words else base
        return found

    def _facet(
        self, number: int, document: Document, names: Container[str] | None = None, *, add: bool
    ) -> None:
        for name, value in flatten(document):
            if names is not None and name not in names:
                continue
            self.names[name] = None
            if self.is_faceted(name):
                if name not in self.facets:
                    self.facets[name] = self.new_facet(name)
                self.facets[name].change(number, value, add=add)


def _different(old: Document, new: Document) -> set[str]:
    """The dotted names whose values differ; 1, 1.0 and true are three values."""
    before, after = _encoded(old), _encoded(new)
    return {n for n in before.keys() | after.keys() if before.get(n) != after.get(n)}


def _encoded(document: Document) -> dict[str, bytes]:
    # An attribute within several objects of an array has a value from each.
    found: dict[str, bytes] = {}
    for name, value in flatten(document):
        found[name] = found.get(name, b"") + b"," + msgspec.json.encode(value)
    return found


def _places(number: int, fields: dict[int, list[tuple[str, int]]]) -> PlacesOfWords:
    """Where each word stands in a document, in order."""
    found: PlacesOfWords = {}
    # By number of the field, so that a word's places are in order.
    for number_of_field, kept in sorted(fields.items()):
        high = number << 32 | number_of_field << 16
        for word, position in kept:
            if word in found:
                found[word].append(high | position)
            else:
                found[word] = [high | position]
    return found


def _sizes(fields: dict[int, list[tuple[str, int]]]) -> Sizes:
    """(field, number of words) of the short fields."""
    return [(n, len(kept)) for n, kept in fields.items() if 0 < len(kept) <= COUNTED_WORDS]


def batched(rows: Iterable[Row], size: int) -> Iterator[list[Row]]:
    """The rows in lists of `size`."""
    rest = iter(rows)
    while step := list(islice(rest, size)):
        yield step
