"""What each kind of task does: first to the store, then, once that is on disk, in memory."""

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from deploy.local.searchnode import documents, filters, settings
from deploy.local.searchnode.errors import ApiError, index_not_found
from deploy.local.searchnode.index import Document, Index, batched, decode

if TYPE_CHECKING:
    from deploy.local.searchnode.node import Node

Change = Callable[[], None]
# Documents put into the index at once: about as long as a search may have to wait.
_STEP = 20


def _read(payload: bytes | None) -> Any:
    return msgspec.json.decode(payload or b"null")


def prepare(node: "Node", record: dict[str, Any], payload: bytes | None) -> Change:
    """Write the task's effect and return what to do in memory after the commit.

    Fills in the record's details. Raises ApiError when the task fails; nothing is then changed.
    """
    return KINDS[record["type"]](node, record, payload)


def index_made_all_the_same(node: "Node", record: dict[str, Any]) -> Change:
    """Documents that fail to be added still make their index."""
    uid = record["indexUid"]
    if record["type"] != "documentAdditionOrUpdate" or uid in node.indexes:
        return lambda: None
    index = _create_row(node, uid, None)
    return lambda: node.indexes.__setitem__(uid, index)


def spoil(record: dict[str, Any]) -> None:
    """The details of a failed task: nothing was done."""
    if record["type"] == "indexDeletion":
        record["details"] = {"deletedDocuments": 0}
    details = record["details"] or {}
    for name in ("indexedDocuments", "deletedDocuments"):
        if name in details:
            details[name] = 0


def _create_row(node: "Node", uid: str, primary_key: str | None) -> Index:
    from deploy.local.searchnode.node import now

    moment = now()
    with node.store.transaction() as db:
        cursor = db.execute(
            "INSERT INTO indexes (uid, primary_key, settings, created_at, updated_at) VALUES (?, ?, ?, ?, ?)",
            (uid, primary_key, json.dumps(settings.defaults()), moment, moment),
        )
    return Index(uid, int(cursor.lastrowid or 0), primary_key, moment)


def _save(node: "Node", index: Index, primary_key: str | None, values: dict[str, Any]) -> str:
    from deploy.local.searchnode.node import now

    moment = now()
    with node.store.transaction() as db:
        db.execute(
            "UPDATE indexes SET primary_key = ?, settings = ?, updated_at = ? WHERE number = ?",
            (primary_key, json.dumps(values), moment, index.number),
        )
    return moment


def _create(node: "Node", record: dict[str, Any], payload: bytes | None) -> Change:
    uid = record["indexUid"]
    if uid in node.indexes:
        raise ApiError("index_already_exists", f"Index `{uid}` already exists.")
    index = _create_row(node, uid, _read(payload)["primaryKey"])
    return lambda: node.indexes.__setitem__(uid, index)


def _update(node: "Node", record: dict[str, Any], payload: bytes | None) -> Change:
    index = node.index(record["indexUid"])
    key = _read(payload)["primaryKey"]
    if key and index.primary_key and key != index.primary_key and index.documents:
        raise ApiError(
            "index_primary_key_already_exists",
            "The index already has documents under another primary key.",
        )
    moment = _save(node, index, key or index.primary_key, index.settings)

    def change() -> None:
        index.primary_key = key or index.primary_key
        index.updated_at = moment

    return change


def _delete_index(node: "Node", record: dict[str, Any], payload: bytes | None) -> Change:
    uid = record["indexUid"]
    index = node.index(uid)
    with node.store.transaction() as db:
        db.execute("DELETE FROM documents WHERE number = ?", (index.number,))
        db.execute("DELETE FROM indexes WHERE number = ?", (index.number,))
    record["details"] = {"deletedDocuments": len(index.documents)}
    return lambda: node.indexes.__delitem__(uid)


def _swap(node: "Node", record: dict[str, Any], payload: bytes | None) -> Change:
    pairs = [swap["indexes"] for swap in _read(payload)]
    missing = [uid for pair in pairs for uid in pair if uid not in node.indexes]
    if missing:
        raise index_not_found(missing[0])
    with node.store.transaction() as db:
        for left, right in pairs:
            numbers = node.indexes[left].number, node.indexes[right].number
            db.execute("UPDATE indexes SET uid = NULL WHERE number = ?", (numbers[0],))
            db.execute("UPDATE indexes SET uid = ? WHERE number = ?", (left, numbers[1]))
            db.execute("UPDATE indexes SET uid = ? WHERE number = ?", (right, numbers[0]))

    def change() -> None:
        for left, right in pairs:
            a, b = node.indexes[left], node.indexes[right]
            a.uid, b.uid = right, left
            node.indexes[left], node.indexes[right] = b, a

    return change


def _settings(node: "Node", record: dict[str, Any], payload: bytes | None) -> Change:
    uid = record["indexUid"]
    existing = node.indexes.get(uid)
    index = existing or _create_row(node, uid, None)
    values = settings.apply(index.settings, _read(payload))
    moment = _save(node, index, index.primary_key, values)

    def change() -> None:
        if settings.needs_rebuild(index.settings, values):
            rebuilt = index.reconfigured(values)
        else:
            rebuilt = index
            index.adopt(values)
        rebuilt.updated_at = moment
        with node.lock:
            node.indexes[uid] = rebuilt

    return change


def _add(node: "Node", record: dict[str, Any], payload: bytes | None) -> Change:
    uid = record["indexUid"]
    sent = msgspec.json.decode(payload or b"", type=documents.Addition)
    existing = node.indexes.get(uid)
    latest, key = _latest(existing, sent, uid)
    index = existing or _create_row(node, uid, key)
    if index.primary_key != key:
        _save(node, index, key, index.settings)
    place = index.next_id
    rows = []
    for external, (raw, _) in latest.items():
        known = index.ids.get(external)
        rows.append((external, raw, place if known is None else known))
        place += known is None
    node.store.put_documents(index.number, rows, record["uid"])
    record["details"]["indexedDocuments"] = len(sent.documents)

    def change() -> None:
        index.primary_key = key
        node.indexes[uid] = index
        _apply(
            node, index, [(external, raw, document) for external, (raw, document) in latest.items()]
        )

    return change


def _latest(
    index: Index | None, sent: documents.Addition, uid: str
) -> tuple[dict[str, tuple[bytes, Document]], str | None]:
    """The last version of each document by external id, raw and decoded; and the primary key."""
    key = (index.primary_key if index else None) or sent.primaryKey
    latest: dict[str, tuple[bytes, Document]] = {}
    for raw in sent.documents:
        document = decode(raw)
        key = key or documents.infer_primary_key(document, uid)
        external = documents.external_id(document, key)
        if not sent.merge:
            # As the real one orders them: the last version, at its own place.
            latest.pop(external, None)
            latest[external] = bytes(raw), document
            continue
        base = latest[external][1] if external in latest else None
        if base is None and index is not None and external in index.ids:
            base = index.get(index.ids[external])
        merged = {**(base or {}), **document}
        latest[external] = msgspec.json.encode(merged), merged
    return latest, key


def _apply(
    node: "Node", index: Index, rows: list[tuple[str, bytes, Document]], gone: Sequence[str] = ()
) -> None:
    """A little at a time, so that searches go on between; words are found outside the lock."""
    for step in batched(rows, _STEP):
        batch = index.analyse(step)
        with node.lock:
            index.commit(batch)
    for ids in batched(gone, _STEP):
        batch = index.analyse((), ids)
        with node.lock:
            index.commit(batch)


def _remove(node: "Node", record: dict[str, Any], payload: bytes | None) -> Change:
    index, wanted = node.index(record["indexUid"]), _read(payload)
    if "filter" in wanted:
        found = filters.evaluate(index, wanted["filter"], "invalid_document_filter")
        names = {number: external for external, number in index.ids.items()}
        ids = [names[number] for number in found or ()]
    elif "all" in wanted:
        ids = list(index.ids)
    else:
        ids = [external for external in dict.fromkeys(wanted["ids"]) if external in index.ids]
    node.store.delete_documents(index.number, ids)
    record["details"]["deletedDocuments"] = len(ids)
    return lambda: _apply(node, index, [], ids)


def _select_tasks(node: "Node", record: dict[str, Any], payload: bytes | None) -> list[int]:
    return [uid for uid in _read(payload)["uids"] if uid != record["uid"]]


def _cancel(node: "Node", record: dict[str, Any], payload: bytes | None) -> Change:
    canceled = 0
    for uid in _select_tasks(node, record, payload):
        task = node.task(uid)
        if task["status"] == "enqueued":
            task |= {
                "status": "canceled",
                "canceledBy": record["uid"],
                "finishedAt": record["startedAt"],
            }
            node.store.save_task(task)
            canceled += 1
    record["details"]["canceledTasks"] = canceled
    return lambda: None


def _prune(node: "Node", record: dict[str, Any], payload: bytes | None) -> Change:
    deleted = 0
    with node.store.transaction() as db:
        for uid in _select_tasks(node, record, payload):
            deleted += db.execute(
                "DELETE FROM tasks WHERE uid = ? AND status NOT IN ('enqueued', 'processing')",
                (uid,),
            ).rowcount
    record["details"]["deletedTasks"] = deleted
    return lambda: None


KINDS: dict[str, Callable[["Node", dict[str, Any], bytes | None], Change]] = {
    "indexCreation": _create,
    "indexUpdate": _update,
    "indexDeletion": _delete_index,
    "indexSwap": _swap,
    "settingsUpdate": _settings,
    "documentAdditionOrUpdate": _add,
    "documentDeletion": _remove,
    "taskCancelation": _cancel,
    "taskDeletion": _prune,
}
