"""Tasks about documents: add, replace, merge and delete them. `executor.py` names them."""

from collections.abc import Sequence

import msgspec

from deploy.searchnode.batches import in_batches
from deploy.searchnode.index.index import Index, decode
from deploy.searchnode.query.filters import evaluation
from deploy.searchnode.tasks import documents
from deploy.searchnode.tasks.changes import Change, Execution, create_index, save_index
from deploy.searchnode.tasks.node import Node
from deploy.searchnode.tasks.payloads import Addition, Deletion
from deploy.searchnode.values import Document

# Documents that are put into the index at once: about as long as a search may have to wait.
_STEP = 20


def add(task: Execution) -> Change:
    """Prepare a `documentAdditionOrUpdate`, which creates its index when it is missing (see `changes.py`).

    Raises:
        ApiError: A document has no usable id, or no primary key can be inferred.
    """
    node, uid = task.node, task.uid
    addition = msgspec.json.decode(task.payload, type=Addition)
    existing = node.indexes.get(uid)
    latest, key = _latest(existing, addition, uid)
    index = existing or create_index(node, uid, key)
    if index.primary_key != key:
        save_index(node, index, key, index.settings)
    next_number = index.next_id
    rows = []
    for external, (raw, _) in latest.items():
        number = index.ids.get(external)
        rows.append((external, raw, next_number if number is None else number))
        next_number += number is None
    node.store.documents.put(index.number, rows, task.record["uid"])
    task.set_detail("indexedDocuments", len(addition.documents))

    def change() -> None:
        index.primary_key = key
        node.indexes[uid] = index
        _apply(node, index, [(external, raw, document) for external, (raw, document) in latest.items()])

    return change


def _latest(
    index: Index | None, addition: Addition, uid: str
) -> tuple[dict[str, tuple[bytes, Document]], str | None]:
    """Return the last version of each document, as JSON and decoded, by external id; and the primary key."""
    key = (index.primary_key if index else None) or addition.primary_key
    latest: dict[str, tuple[bytes, Document]] = {}
    for raw in addition.documents:
        document = decode(raw)
        key = key or documents.infer_primary_key(document, uid)
        external = documents.external_id(document, key)
        if not addition.merge:
            # As in Meilisearch, the order is that of the last versions.
            latest.pop(external, None)
            latest[external] = bytes(raw), document
            continue
        base = latest[external][1] if external in latest else None
        if base is None and index is not None and external in index.ids:
            base = index.get(index.ids[external])
        merged = {**(base or {}), **document}
        latest[external] = msgspec.json.encode(merged), merged
    return latest, key


def delete(task: Execution) -> Change:
    """Prepare a `documentDeletion` by filter, by ids or of all documents (see `changes.py`).

    Raises:
        ApiError: There is no such index, or the filter is not allowed.
    """
    node = task.node
    index, deletion = node.index(task.uid), msgspec.json.decode(task.payload, type=Deletion)
    if deletion.filter is not None:
        found = evaluation.evaluate(index, deletion.filter, "invalid_document_filter")
        external_ids = {number: external for external, number in index.ids.items()}
        ids = [external_ids[number] for number in found or ()]
    elif deletion.all:
        ids = list(index.ids)
    else:
        ids = [external for external in dict.fromkeys(deletion.ids) if external in index.ids]
    node.store.documents.delete(index.number, ids)
    task.set_detail("deletedDocuments", len(ids))
    return lambda: _apply(node, index, [], ids)


def _apply(
    node: Node, index: Index, rows: list[tuple[str, bytes, Document]], deleted: Sequence[str] = ()
) -> None:
    """Change the index in small steps, so that searches go on between; words are found without the lock."""
    for step in in_batches(rows, _STEP):
        batch = index.analyse(step)
        with node.lock:
            index.commit(batch)
    for ids in in_batches(deleted, _STEP):
        batch = index.analyse((), ids)
        with node.lock:
            index.commit(batch)
