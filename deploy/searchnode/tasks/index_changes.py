"""Tasks about whole indexes: create, update, delete, swap, change settings. `executor.py` names them."""

import msgspec

from deploy.searchnode.errors import ApiError, IndexNotFound
from deploy.searchnode.index import settings_change
from deploy.searchnode.index.settings import needs_rebuild
from deploy.searchnode.tasks.changes import Change, Execution, create_index, save_index
from deploy.searchnode.tasks.payloads import IndexKey, Swap


def create(task: Execution) -> Change:
    """Prepare an `indexCreation` (see `changes.py`).

    Raises:
        ApiError: The index exists.
    """
    node, uid = task.node, task.uid
    if uid in node.indexes:
        raise ApiError("index_already_exists", f"Index `{uid}` already exists.")
    index = create_index(node, uid, msgspec.json.decode(task.payload, type=IndexKey).primary_key)
    return lambda: node.indexes.__setitem__(uid, index)


def update(task: Execution) -> Change:
    """Prepare an `indexUpdate`, which sets the primary key (see `changes.py`).

    Raises:
        ApiError: There is no such index, or it has documents by another primary key.
    """
    node = task.node
    index = node.index(task.uid)
    key = msgspec.json.decode(task.payload, type=IndexKey).primary_key
    if key and index.primary_key and key != index.primary_key and index.documents:
        raise ApiError(
            "index_primary_key_already_exists", "The index already has documents under another primary key."
        )
    moment = save_index(node, index, key or index.primary_key, index.settings)

    def change() -> None:
        index.primary_key = key or index.primary_key
        index.updated_at = moment

    return change


def delete(task: Execution) -> Change:
    """Prepare an `indexDeletion` (see `changes.py`).

    Raises:
        ApiError: There is no such index.
    """
    node, uid = task.node, task.uid
    index = node.index(uid)
    node.store.documents.delete_all_of(index.number)
    node.store.indexes.delete(index.number)
    task.record["details"] = {"deletedDocuments": len(index.documents)}
    return lambda: node.indexes.__delitem__(uid)


def swap(task: Execution) -> Change:
    """Prepare an `indexSwap` of one or more pairs (see `changes.py`).

    Raises:
        IndexNotFound: One of the indexes does not exist.
    """
    node = task.node
    pairs = [exchange.indexes for exchange in msgspec.json.decode(task.payload, type=list[Swap])]
    missing = [uid for pair in pairs for uid in pair if uid not in node.indexes]
    if missing:
        raise IndexNotFound(missing[0])
    for left, right in pairs:
        node.store.indexes.swap((left, node.indexes[left].number), (right, node.indexes[right].number))

    def change() -> None:
        with node.lock:
            for left, right in pairs:
                a, b = node.indexes[left], node.indexes[right]
                a.uid, b.uid = right, left
                node.indexes[left], node.indexes[right] = b, a

    return change


def change_settings(task: Execution) -> Change:
    """Prepare a `settingsUpdate`, which creates its index when it is missing (see `changes.py`).

    Raises:
        ApiError: The settings contradict each other after the change.
    """
    node, uid = task.node, task.uid
    index = node.indexes.get(uid) or create_index(node, uid, None)
    settings = settings_change.apply(index.settings, msgspec.json.decode(task.payload))
    moment = save_index(node, index, index.primary_key, settings)

    def change() -> None:
        # Searches go on in the old index until the new one is complete.
        changed = index.reconfigured(settings) if needs_rebuild(index.settings, settings) else index
        with node.lock:
            if changed is index:
                changed.adopt(settings)
            changed.updated_at = moment
            node.indexes[uid] = changed

    return change
