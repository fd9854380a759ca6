"""One index in memory: documents, inverted index, facets. `storage/store.py` has the durable copy.

A write has two steps. `analyse` finds out what changes and runs beside searches; `commit` applies it
under the node's lock. Only the thread that executes tasks calls them.
"""

import re
from collections.abc import Callable, Container, Iterable

import msgspec
from pyroaring import BitMap

from deploy.searchnode.batches import in_batches
from deploy.searchnode.index.analysis import Analyser, Batch, Replacement
from deploy.searchnode.index.facets import Facet
from deploy.searchnode.index.fields import flatten
from deploy.searchnode.index.inverted_index import InvertedIndex
from deploy.searchnode.index.schema import FilterableAttributes, SearchableFields
from deploy.searchnode.index.settings import Settings, defaults
from deploy.searchnode.text.tokens import Tokenizer
from deploy.searchnode.values import Document

# Documents that are indexed in one step when a whole index is built.
_STEP = 500
_UID = re.compile(r"[A-Za-z0-9_-]{1,512}")
# Decodes a document; its JSON must be an object.
decode: Callable[[bytes | msgspec.Raw], Document] = msgspec.json.Decoder().decode


def is_valid_uid(uid: str) -> bool:
    """Return whether an index may have this uid."""
    return _UID.fullmatch(uid) is not None


class Index:
    """An index. Its `uid` may change by a swap; its `number` in the store stays.

    `live` contains the numbers of all documents. `names` are all attributes that any document ever had,
    nested ones by their dotted names, in the order in which they came.
    """

    def __init__(self, uid: str, number: int, primary_key: str | None, created: str) -> None:
        """Make an empty index with default settings.

        Args:
            uid: The name by which requests know the index.
            number: The number by which the store knows it.
            primary_key: The attribute with the documents' ids; None until it is known.
            created: When the index was created, as `clock.now` writes it.
        """
        self.uid, self.number, self.primary_key = uid, number, primary_key
        self.created_at = self.updated_at = created
        # Number of a document -> its JSON.
        self.documents: dict[int, bytes] = {}
        # External id -> number.
        self.ids: dict[str, int] = {}
        self.next_id = 0
        # Documents that were written or deleted since the last snapshot.
        self.changed = 0
        # Attribute of the first level -> how many documents have it.
        self.field_counts: dict[str, int] = {}
        self.names: dict[str, None] = {}
        self.configure(defaults())

    def configure(self, settings: Settings) -> None:
        """Take these settings and forget everything derived from documents, which must be indexed anew."""
        self.tokenizer = Tokenizer(settings)
        self.live = BitMap()
        self.searchable = SearchableFields(settings["searchableAttributes"])
        self.analyser = Analyser(self.tokenizer, self.searchable)
        self.words = InvertedIndex()
        # (number of the field, number of its words) -> documents; only of short fields.
        self.field_lengths: dict[tuple[int, int], BitMap] = {}
        self.facets: dict[str, Facet] = {}
        self.adopt(settings)

    def adopt(self, settings: Settings) -> None:
        """Take settings with which documents need not be indexed anew (`settings.needs_rebuild`)."""
        self.settings = settings
        self.filterable = FilterableAttributes(settings)
        lemmas = self.tokenizer.lemmas
        # The lemmas of a word or phrase -> those of its synonyms.
        self.synonyms = {
            lemmas(key): [lemmas(v) for v in sorted(set(values))]
            for key, values in settings["synonyms"].items()
        }
        self.words_without_typos = frozenset(
            "".join(token.lemma for token in self.tokenizer.tokens(word))
            for word in settings["typoTolerance"]["disableOnWords"]
        )

    def reconfigured(self, settings: Settings) -> "Index":
        """Return an index of the same documents by other settings; this one stays as it is."""
        other = Index(self.uid, self.number, self.primary_key, self.created_at)
        other.documents, other.ids, other.next_id = self.documents, self.ids, self.next_id
        other.field_counts, other.changed = self.field_counts, len(self.documents)
        other.names = self.names
        other.configure(settings)
        for numbers in in_batches(sorted(self.documents), _STEP):
            batch = Batch()
            for number in numbers:
                document = other.get(number)
                batch.added.append((number, "", b"", document))
                other.analyser.add(batch, number, document)
            other._derive(batch)
        return other

    def get(self, number: int) -> Document:
        """Return a document by its number, as it was sent."""
        return decode(self.documents[number])

    def analyse(self, rows: Iterable[tuple[str, bytes, Document]], deleted: Iterable[str] = ()) -> Batch:
        """Find out what changes when documents are added, replaced and deleted.

        The fields that these documents are the first to have are registered at once. Apart from that
        nothing changes until `commit`. No external id may come twice.

        Args:
            rows: (external id, JSON, decoded) of the documents to add or replace.
            deleted: External ids of the documents to delete; unknown ones are left out.

        Returns:
            The batch for `commit`, which must follow before the next call.
        """
        batch = Batch()
        next_id = self.next_id
        for external, raw, document in rows:
            number = self.ids.get(external)
            if number is None:
                batch.added.append((next_id, external, raw, document))
                next_id += 1
            else:
                batch.replaced.append(self.analyser.replacement(number, self.get(number), raw, document))
        for external in deleted:
            if external in self.ids:
                number = self.ids[external]
                batch.replaced.append(self.analyser.replacement(number, self.get(number), b"", {}))
                batch.deleted.append(external)
        for number, _, _, document in batch.added:
            self.analyser.add(batch, number, document)
        return batch

    def commit(self, batch: Batch) -> None:
        """Apply the batch that `analyse` returned last."""
        self.changed += len(batch.added) + len(batch.replaced)
        for replacement in batch.replaced:
            self._replace(replacement)
        for external in batch.deleted:
            number = self.ids.pop(external)
            del self.documents[number]
            self.live.discard(number)
        for number, external, raw, document in batch.added:
            self._put(external, raw, number, document)
        self._derive(batch)

    def _put(self, external: str, raw: bytes, number: int, document: Document) -> None:
        self.documents[number], self.ids[external] = raw, number
        self.next_id = max(self.next_id, number + 1)
        self._count_fields(document, 1)

    def _replace(self, replacement: Replacement) -> None:
        number = replacement.number
        self.documents[number] = replacement.raw
        self.words.replace(number, replacement.old_postings, replacement.new_postings)
        for length in replacement.old_lengths:
            self.field_lengths[length].discard(number)
        for length in replacement.new_lengths:
            self.field_lengths.setdefault(length, BitMap()).add(number)
        self._change_facets(number, replacement.old, replacement.names, add=False)
        if replacement.old.keys() != replacement.new.keys():
            self._count_fields(replacement.old, -1)
            self._count_fields(replacement.new, 1)

    def _count_fields(self, document: Document, change: int) -> None:
        for name in document:
            count = self.field_counts.get(name, 0) + change
            if count:
                self.field_counts[name] = count
            else:
                del self.field_counts[name]

    def _derive(self, batch: Batch) -> None:
        """Add what a batch brings to postings, lengths and facets."""
        self.words.add(batch.postings)
        for number, lengths in batch.lengths:
            self.live.add(number)
            for length in lengths:
                self.field_lengths.setdefault(length, BitMap()).add(number)
        # The old values of all replaced documents were removed before. So a value gets the spelling
        # of a document that still has it.
        for replacement in batch.replaced:
            self._change_facets(replacement.number, replacement.new, replacement.names, add=True)
        for number, _, _, document in batch.added:
            self._change_facets(number, document, add=True)

    def _change_facets(
        self, number: int, document: Document, names: Container[str] | None = None, *, add: bool
    ) -> None:
        """Add or remove the values of a document, of all attributes or of those in `names`."""
        for name, value in flatten(document):
            if names is not None and name not in names:
                continue
            self.names[name] = None
            if self.filterable.has_facet(name):
                if name not in self.facets:
                    self.facets[name] = self.new_facet(name)
                self.facets[name].change(number, value, add=add)

    def new_facet(self, name: str) -> Facet:
        """Return an empty facet for this attribute."""
        return Facet(by_document=self.filterable.is_read_by_document(name))

    def adopt_documents(self, rows: Iterable[tuple[str, bytes, int]]) -> None:
        """Take (external id, JSON, number) of documents whose words and values are known already."""
        for external, raw, number in rows:
            self._put(external, raw, number, decode(raw))

    def load(self, rows: Iterable[tuple[str, bytes, int]]) -> None:
        """Index (external id, JSON, number) of documents from the store, in order of their numbers."""
        for step in in_batches(rows, _STEP):
            batch = Batch()
            for external, raw, number in step:
                document = decode(raw)
                batch.added.append((number, external, raw, document))
                self.analyser.add(batch, number, document)
            self.commit(batch)
