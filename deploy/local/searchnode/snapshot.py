"""What was found out about an index's documents, kept in a file so that opening need not repeat it.

The documents in the store are the truth; a snapshot only saves time. It names the task up to which
it holds: documents written since are indexed again when it is read. A file that is torn, or made
under other settings, is not used.
"""

import hashlib
import json
import logging
import os
from array import array
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from pyroaring import BitMap

from deploy.local.searchnode.facets import Facet
from deploy.local.searchnode.index import Index
from deploy.local.searchnode.store import Row

_MAGIC = b"SEARCHNODE-INDEX-3\n"
_DIGEST = 16
_log = logging.getLogger(__name__)
Values = list[tuple[Any, bytes]]


class FacetKept(msgspec.Struct):
    """One facet's bitmaps, serialized."""

    strings: Values
    shown: dict[str, str]
    ambiguous: list[str]
    numbers: Values
    exists: bytes
    null: bytes
    empty: bytes


class Kept(msgspec.Struct):
    """A snapshot's content."""

    settings: str
    revision: int
    next_id: int
    live: bytes
    names: list[str]
    fields: list[str]
    weights: list[int]
    words: list[str]
    # How many places each word has, and all places one after another.
    counts: bytes
    places: bytes
    sizes: list[tuple[int, int, bytes]]
    facets: dict[str, FacetKept]


def path_of(folder: Path, number: int) -> Path:
    """Where the snapshot of index `number` is."""
    return folder / f"index-{number}.snapshot"


def _fingerprint(settings: dict[str, Any]) -> str:
    return hashlib.blake2b(
        json.dumps(settings, sort_keys=True).encode(), digest_size=16
    ).hexdigest()


def write(index: Index, path: Path, revision: int) -> None:
    """Keep the index as it is after the task `revision`. Durable, or not there at all."""
    places = index.postings.places
    kept = Kept(
        settings=_fingerprint(index.settings), revision=revision, next_id=index.next_id,
        live=index.live.serialize(), names=list(index.names), fields=index.fields, weights=index.weights,
        words=list(places), counts=array("I", map(len, places.values())).tobytes(),
        places=b"".join(map(array.tobytes, places.values())),
        sizes=[(*size, documents.serialize()) for size, documents in index.sizes.items()],
        facets={name: _facet(facet) for name, facet in index.facets.items()},
    )  # fmt: skip
    content = msgspec.msgpack.encode(kept)
    fresh = path.with_suffix(".fresh")
    with fresh.open("wb") as file:
        file.write(_MAGIC + hashlib.blake2b(content, digest_size=_DIGEST).digest())
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


def _facet(facet: Facet) -> FacetKept:
    return FacetKept(
        strings=[(value, documents.serialize()) for value, documents in facet.strings.items()],
        shown=facet.shown, ambiguous=list(facet.ambiguous),
        numbers=[(value, documents.serialize()) for value, documents in facet.numbers.items()],
        exists=facet.exists.serialize(), null=facet.null.serialize(),
        empty=facet.empty.serialize(),
    )  # fmt: skip


def read(index: Index, path: Path, rows: list[Row]) -> int:
    """Fill the configured, empty index with its documents; how many had to be indexed anew."""
    kept = _read(path, _fingerprint(index.settings))
    if kept is None:
        index.load((external, raw, number) for external, raw, number, _ in rows)
        return len(rows)
    known = BitMap.deserialize(kept.live)
    same = BitMap(number for *_, number, revision in rows if revision <= kept.revision) & known
    _restore(index, kept, known - same)
    index.adopt_documents(
        (external, raw, number) for external, raw, number, _ in rows if number in same
    )
    fresh = [(external, raw, number) for external, raw, number, _ in rows if number not in same]
    index.load(fresh)
    index.next_id = max(index.next_id, kept.next_id)
    return len(fresh)


def _read(path: Path, fingerprint: str) -> Kept | None:
    if not path.exists():
        return None
    content = memoryview(path.read_bytes())
    start = len(_MAGIC) + _DIGEST
    digest = hashlib.blake2b(content[start:], digest_size=_DIGEST).digest()
    if content[: len(_MAGIC)] != _MAGIC or content[len(_MAGIC) : start] != digest:
        _log.warning("%s is damaged: the index is made anew from its documents", path)
        return None
    kept = msgspec.msgpack.decode(content[start:], type=Kept)
    return kept if kept.settings == fingerprint else None


def _restore(index: Index, kept: Kept, stale: BitMap) -> None:
    """Take what was kept, without the documents that are not what they were."""
    live = BitMap.deserialize(kept.live) - stale
    index.live = live
    index.names.update(dict.fromkeys(kept.names))
    for name in kept.fields:
        index.field(name)
    counts = np.frombuffer(kept.counts, np.uint32).astype(np.int64)
    places = np.frombuffer(kept.places, np.uint64)
    if stale:
        inside = np.zeros(kept.next_id + 1, np.bool_)
        inside[np.array(live.to_array(), np.uint32)] = True
        keep = inside[places.view(np.uint32)[1::2]]
        words = np.repeat(np.arange(len(counts)), counts)[keep]
        places, counts = places[keep], np.bincount(words, minlength=len(counts))
    raw, ends = places.tobytes(), np.cumsum(counts).tolist()
    begin = 0
    for word, end in zip(kept.words, ends, strict=True):
        if end > begin:
            index.postings.restore(word, array("Q", raw[begin * 8 : end * 8]))
        begin = end
    index.sizes = {
        (field, size): BitMap.deserialize(documents) - stale
        for field, size, documents in kept.sizes
    }
    for name, facet in kept.facets.items():
        index.facets[name] = _restored(index, name, facet, stale)


def _restored(index: Index, name: str, kept: FacetKept, stale: BitMap) -> Facet:
    def values(of: Values) -> Iterable[tuple[Any, BitMap]]:
        for value, raw in of:
            documents = BitMap.deserialize(raw)
            documents = documents - stale if stale else documents
            if documents:
                yield value, documents

    facet = index.new_facet(name)
    facet.restore(
        dict(values(kept.strings)), kept.shown, set(kept.ambiguous), dict(values(kept.numbers)),
        *(BitMap.deserialize(raw) - stale for raw in (kept.exists, kept.null, kept.empty)),
    )  # fmt: skip
    return facet
