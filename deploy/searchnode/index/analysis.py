"""Finds out what a batch of documents changes in an index, before anything changes. `index.py` calls it.

The words of a document are found without the lock that searches wait for; only the result, a `Batch`,
is applied under it.
"""

from collections.abc import Container
from dataclasses import dataclass, field

import msgspec

from deploy.searchnode.index.fields import flatten, texts
from deploy.searchnode.index.schema import SearchableFields
from deploy.searchnode.text.tokens import HARD_BREAK, MAX_POSITION, Tokenizer
from deploy.searchnode.values import Document

# Fields with at most this many words are known by their length, to find whole matches.
MAX_COUNTED_WORDS = 30
# Word -> its postings in order.
PostingsOfWords = dict[str, list[int]]
# (number of the field, number of its words) of the short fields of one document.
FieldLengths = list[tuple[int, int]]
# Number of the field -> (word, position) in order.
WordsOfFields = dict[int, list[tuple[str, int]]]


@dataclass
class Replacement:
    """A new version of a document, or its deletion (`new` is `{}`).

    Postings and lengths are those of the attributes in `names` only, whose values differ.
    """

    number: int
    raw: bytes
    old: Document
    new: Document
    names: set[str]
    old_postings: PostingsOfWords
    new_postings: PostingsOfWords
    old_lengths: FieldLengths
    new_lengths: FieldLengths


@dataclass
class Batch:
    """Documents to add, replace and delete, with all that changes in the index by them."""

    # (number, external id, JSON, decoded) of new documents.
    added: list[tuple[int, str, bytes, Document]] = field(default_factory=list)
    # Postings and short fields of the new documents.
    postings: PostingsOfWords = field(default_factory=dict)
    lengths: list[tuple[int, FieldLengths]] = field(default_factory=list)
    replaced: list[Replacement] = field(default_factory=list)
    # External ids of the replaced documents that are deleted.
    deleted: list[str] = field(default_factory=list)


class Analyser:
    """Cuts documents into words by the settings of one index."""

    def __init__(self, tokenizer: Tokenizer, searchable: SearchableFields) -> None:
        self.tokenizer, self.searchable = tokenizer, searchable

    def add(self, batch: Batch, number: int, document: Document) -> None:
        """Put the postings and short fields of a new document into the batch.

        Documents must come in order of their numbers, so that each word's postings are in order.

        Args:
            batch: The batch to fill.
            number: The number of the document.
            document: The document, decoded.
        """
        fields = self._words(document)
        postings = batch.postings
        for word, found in postings_of(number, fields).items():
            if word in postings:
                postings[word] += found
            else:
                postings[word] = found
        batch.lengths.append((number, _lengths(fields)))

    def replacement(self, number: int, old: Document, raw: bytes, new: Document) -> Replacement:
        """Compare two versions of a document; only attributes that differ are cut into words.

        Args:
            number: The number of the document.
            old: The version in the index.
            raw: The new version as JSON; empty when the document is deleted.
            new: The new version, decoded; `{}` when the document is deleted.

        Returns:
            What changes in the index.
        """
        names = _different(old, new)
        before, after = self._words(old, names), self._words(new, names)
        return Replacement(
            number=number,
            raw=raw,
            old=old,
            new=new,
            names=names,
            old_postings=postings_of(number, before),
            new_postings=postings_of(number, after),
            old_lengths=_lengths(before),
            new_lengths=_lengths(after),
        )

    def _words(self, document: Document, names: Container[str] | None = None) -> WordsOfFields:
        """Return the words of every searchable field, or of the fields among `names`."""
        found: WordsOfFields = {}
        last: dict[int, int] = {}
        cut = self.tokenizer.words
        for name, value in flatten(document):
            if names is not None and name not in names:
                continue
            number = self.searchable.number(name)
            if number is None:
                continue
            locales = self.tokenizer.locales(name)
            of_field = found.setdefault(number, [])
            for text in texts(value):
                base = last[number] + HARD_BREAK if number in last else 0
                words = cut(text, locales)
                if base:
                    words = [(w, base + p) for w, p in words if base + p < MAX_POSITION]
                of_field += words
                last[number] = of_field[-1][1] if words else base
        return found


def _different(old: Document, new: Document) -> set[str]:
    """Return the dotted names whose values differ; 1, 1.0 and true are three values."""
    before, after = _encoded(old), _encoded(new)
    return {n for n in before.keys() | after.keys() if before.get(n) != after.get(n)}


def _encoded(document: Document) -> dict[str, bytes]:
    # An attribute of several objects of an array has a value from each of them.
    found: dict[str, bytes] = {}
    for name, value in flatten(document):
        found[name] = found.get(name, b"") + b"," + msgspec.json.encode(value)
    return found


def postings_of(number: int, fields: WordsOfFields) -> PostingsOfWords:
    """Return the postings of the words of document `number`, by word, each list in order."""
    found: PostingsOfWords = {}
    # In order of the fields' numbers, so that each word's postings are in order.
    for number_of_field, words in sorted(fields.items()):
        high = number << 32 | number_of_field << 16
        for word, position in words:
            if word in found:
                found[word].append(high | position)
            else:
                found[word] = [high | position]
    return found


def _lengths(fields: WordsOfFields) -> FieldLengths:
    return [(n, len(words)) for n, words in fields.items() if 0 < len(words) <= MAX_COUNTED_WORDS]
