"""Snapshots: what was derived from an index's documents, in a file, so that a start need not repeat it.

The documents in the store are the truth; a snapshot only saves time. It names the last task whose
effect it has: documents that later tasks wrote are indexed again when the snapshot is read. A torn
file, or a file made under other settings, is not used. `tasks/node.py` writes and reads snapshots.
"""

import hashlib
import json
import logging
import os
from array import array
from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

import msgspec
import numpy as np
from pyroaring import BitMap

from deploy.searchnode.index.facets import Facet, FacetContent
from deploy.searchnode.index.index import Index
from deploy.searchnode.index.settings import Settings
from deploy.searchnode.storage.documents import DocumentRow

_MAGIC = b"SEARCHNODE-INDEX-3\n"
_DIGEST_BYTES = 16
_log = logging.getLogger(__name__)
Value = TypeVar("Value", float, str)


class SavedFacet(msgspec.Struct):
    """A facet (`FacetContent`); bitmaps are serialized."""

    strings: list[tuple[str, bytes]]
    shown: dict[str, str]
    ambiguous: list[str]
    numbers: list[tuple[float, bytes]]
    exists: bytes
    null: bytes
    empty: bytes


class SavedIndex(msgspec.Struct):
    """The content of a snapshot; bitmaps are serialized."""

    # A digest of the settings.
    settings: str
    # The uid of the last task whose effect is in the snapshot.
    revision: int
    next_id: int
    live: bytes
    names: list[str]
    fields: list[str]
    weights: list[int]
    words: list[str]
    # How many postings each word has (32 bits each), and all postings one after another (64 bits each).
    counts: bytes
    places: bytes
    # (number of the field, number of its words, documents).
    sizes: list[tuple[int, int, bytes]]
    facets: dict[str, SavedFacet]


def path_of(folder: Path, number: int) -> Path:
    """Return where the snapshot of index `number` is."""
    return folder / f"index-{number}.snapshot"


def _fingerprint(settings: Settings) -> str:
    return hashlib.blake2b(json.dumps(settings, sort_keys=True).encode(), digest_size=16).hexdigest()


def write(index: Index, path: Path, revision: int) -> None:
    """Save an index. The file is durable when the function returns, and replaced as a whole.

    Args:
        index: The index to save.
        path: Where, as `path_of` says.
        revision: The uid of the last task whose effect is in the index.
    """
    postings = index.words.postings
    saved = SavedIndex(
        settings=_fingerprint(index.settings),
        revision=revision,
        next_id=index.next_id,
        live=index.live.serialize(),
        names=list(index.names),
        fields=index.searchable.names,
        weights=index.searchable.weights,
        words=list(postings),
        counts=array("I", map(len, postings.values())).tobytes(),
        places=b"".join(map(array.tobytes, postings.values())),
        sizes=[(*length, documents.serialize()) for length, documents in index.field_lengths.items()],
        facets={name: _saved(facet.content()) for name, facet in index.facets.items()},
    )
    content = msgspec.msgpack.encode(saved)
    fresh = path.with_suffix(".fresh")
    with fresh.open("wb") as file:
        file.write(_MAGIC + hashlib.blake2b(content, digest_size=_DIGEST_BYTES).digest())
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


def _saved(content: FacetContent) -> SavedFacet:
    return SavedFacet(
        strings=[(value, documents.serialize()) for value, documents in content.strings.items()],
        shown=content.spellings,
        ambiguous=list(content.ambiguous),
        numbers=[(value, documents.serialize()) for value, documents in content.numbers.items()],
        exists=content.exists.serialize(),
        null=content.null.serialize(),
        empty=content.empty.serialize(),
    )


def read(index: Index, path: Path, rows: list[DocumentRow]) -> int:
    """Fill an empty, configured index with its documents, from the snapshot as far as it is usable.

    Args:
        index: The index to fill.
        path: Where its snapshot may be.
        rows: All documents of the index, in order of their numbers.

    Returns:
        How many documents had to be indexed again.
    """
    saved = _read(path, _fingerprint(index.settings))
    if saved is None:
        index.load((row.external, row.raw, row.number) for row in rows)
        return len(rows)
    known = BitMap.deserialize(saved.live)
    same = BitMap(row.number for row in rows if row.revision <= saved.revision) & known
    _restore(index, saved, known - same)
    index.adopt_documents((row.external, row.raw, row.number) for row in rows if row.number in same)
    newer = [(row.external, row.raw, row.number) for row in rows if row.number not in same]
    index.load(newer)
    index.next_id = max(index.next_id, saved.next_id)
    return len(newer)


def _read(path: Path, fingerprint: str) -> SavedIndex | None:
    if not path.exists():
        return None
    content = memoryview(path.read_bytes())
    start = len(_MAGIC) + _DIGEST_BYTES
    digest = hashlib.blake2b(content[start:], digest_size=_DIGEST_BYTES).digest()
    if content[: len(_MAGIC)] != _MAGIC or content[len(_MAGIC) : start] != digest:
        _log.warning("The snapshot %s is damaged. The index is built from its documents.", path)
        return None
    saved = msgspec.msgpack.decode(content[start:], type=SavedIndex)
    return saved if saved.settings == fingerprint else None


def _restore(index: Index, saved: SavedIndex, stale: BitMap) -> None:
    """Take what was saved, without the documents that were replaced or deleted since (`stale`)."""
    live = BitMap.deserialize(saved.live) - stale
    index.live = live
    index.names.update(dict.fromkeys(saved.names))
    for name in saved.fields:
        index.searchable.number(name)
    counts = np.frombuffer(saved.counts, np.uint32).astype(np.int64)
    postings = np.frombuffer(saved.places, np.uint64)
    if stale:
        is_live = np.zeros(saved.next_id + 1, np.bool_)
        is_live[np.array(live.to_array(), np.uint32)] = True
        # The upper half of a posting is the document (`index/inverted_index.py`).
        keep = is_live[postings.view(np.uint32)[1::2]]
        words = np.repeat(np.arange(len(counts)), counts)[keep]
        postings, counts = postings[keep], np.bincount(words, minlength=len(counts))
    raw, ends = postings.tobytes(), np.cumsum(counts).tolist()
    begin = 0
    for word, end in zip(saved.words, ends, strict=True):
        if end > begin:
            index.words.restore(word, array("Q", raw[begin * 8 : end * 8]))
        begin = end
    index.field_lengths = {
        (field, length): BitMap.deserialize(documents) - stale for field, length, documents in saved.sizes
    }
    for name, facet in saved.facets.items():
        index.facets[name] = _restored(index.new_facet(name), facet, stale)


def _restored(facet: Facet, saved: SavedFacet, stale: BitMap) -> Facet:
    exists, null, empty = (BitMap.deserialize(raw) - stale for raw in (saved.exists, saved.null, saved.empty))
    facet.restore(
        FacetContent(
            strings=dict(_values(saved.strings, stale)),
            spellings=saved.shown,
            ambiguous=set(saved.ambiguous),
            numbers=dict(_values(saved.numbers, stale)),
            exists=exists,
            null=null,
            empty=empty,
        )
    )
    return facet


def _values(saved: list[tuple[Value, bytes]], stale: BitMap) -> Iterable[tuple[Value, BitMap]]:
    """Yield the values that a document still has, with their documents."""
    for value, raw in saved:
        documents = BitMap.deserialize(raw)
        documents = documents - stale if stale else documents
        if documents:
            yield value, documents
