"""What each kind of task does: first to the store, then, once that is on disk, in memory."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from deploy.local.searchnode import documents, filters, settings
from deploy.local.searchnode.errors import ApiError, index_not_found
from deploy.local.searchnode.index import Index

if TYPE_CHECKING:
    from deploy.local.searchnode.node import Node

Change = Callable[[], None]
_STEP = 20


def prepare(node: "Node", record: dict[str, Any], payload: Any) -> Change:
    """Write the task's effect and return what to do in memory after the commit.

    Fills in the record's details. Raises ApiError when the task fails; nothing is then changed.
    """
    return _KINDS[record["type"]](node, record, payload)


def spoil(record: dict[str, Any]) -> None:
    """The details of a failed task: nothing was done."""
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


def _create(node: "Node", record: dict[str, Any], payload: Any) -> Change:
    uid = record["indexUid"]
    if uid in node.indexes:
        raise ApiError("index_already_exists", f"Index `{uid}` already exists.")
    index = _create_row(node, uid, payload["primaryKey"])
    return lambda: node.indexes.__setitem__(uid, index)


def _update(node: "Node", record: dict[str, Any], payload: Any) -> Change:
    index = node.index(record["indexUid"])
    key = payload["primaryKey"]
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


def _delete_index(node: "Node", record: dict[str, Any], payload: Any) -> Change:
    uid = record["indexUid"]
    index = node.index(uid)
    with node.store.transaction() as db:
        db.execute("DELETE FROM documents WHERE number = ?", (index.number,))
        db.execute("DELETE FROM indexes WHERE number = ?", (index.number,))
    record["details"] = {"deletedDocuments": len(index.documents)}
    return lambda: node.indexes.__delitem__(uid)


def _swap(node: "Node", record: dict[str, Any], payload: Any) -> Change:
    pairs = [swap["indexes"] for swap in payload]
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


def _settings(node: "Node", record: dict[str, Any], payload: Any) -> Change:
    uid = record["indexUid"]
    existing = node.indexes.get(uid)
    index = existing or _create_row(node, uid, None)
    values = settings.apply(index.settings, payload)
    moment = _save(node, index, index.primary_key, values)

    def change() -> None:
        rebuild = settings.needs_rebuild(index.settings, values) or (
            {r for r in values["rankingRules"] if ":" in r} - set(index.settings["rankingRules"])
            or values["distinctAttribute"] != index.settings["distinctAttribute"]
        )
        index.settings, index.updated_at = values, moment
        node.indexes[uid] = index
        if rebuild:
            with node.lock:
                index.rebuild()

    return change


def _add(node: "Node", record: dict[str, Any], payload: Any) -> Change:
    uid, sent = record["indexUid"], payload["documents"]
    existing = node.indexes.get(uid)
    key = (existing.primary_key if existing else None) or payload["primaryKey"]
    if key is None and sent:
        key = documents.infer_primary_key(sent[0], uid)
    latest: dict[str, dict[str, Any]] = {}
    for document in sent:
        external = documents.external_id(document, key or "id")
        if payload["merge"]:
            base = latest.get(external)
            if base is None and existing is not None and external in existing.ids:
                base = existing.get(existing.ids[external])
            latest[external] = {**(base or {}), **document}
        else:
            # As the real one orders them: the last version, at its own place.
            latest.pop(external, None)
            latest[external] = document
    index = existing or _create_row(node, uid, key)
    if index.primary_key != key:
        _save(node, index, key, index.settings)
    rows, place = [], index.next_id
    for external, document in latest.items():
        known = index.ids.get(external)
        rows.append((external, documents.encode(document), place if known is None else known))
        place += known is None
    node.store.put_documents(index.number, rows)
    record["details"]["indexedDocuments"] = len(sent)

    def change() -> None:
        index.primary_key = key
        node.indexes[uid] = index
        # A little at a time: searches go on between.
        for start in range(0, len(rows), _STEP):
            with node.lock:
                for external, body, _ in rows[start : start + _STEP]:
                    index.put(external, body)

    return change


def _remove(node: "Node", record: dict[str, Any], payload: Any) -> Change:
    index = node.index(record["indexUid"])
    if "filter" in payload:
        found = filters.evaluate(index, payload["filter"], "invalid_document_filter")
        names = {number: external for external, number in index.ids.items()}
        ids = [names[number] for number in found or ()]
    elif "all" in payload:
        ids = list(index.ids)
    else:
        ids = [external for external in dict.fromkeys(payload["ids"]) if external in index.ids]
    node.store.delete_documents(index.number, ids)
    record["details"]["deletedDocuments"] = len(ids)

    def change() -> None:
        for start in range(0, len(ids), _STEP):
            with node.lock:
                for external in ids[start : start + _STEP]:
                    index.delete(external)

    return change


def _select_tasks(node: "Node", record: dict[str, Any], payload: Any) -> list[int]:
    return [uid for uid in payload["uids"] if uid != record["uid"]]


def _cancel(node: "Node", record: dict[str, Any], payload: Any) -> Change:
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


def _prune(node: "Node", record: dict[str, Any], payload: Any) -> Change:
    deleted = 0
    with node.store.transaction() as db:
        for uid in _select_tasks(node, record, payload):
            deleted += db.execute(
                "DELETE FROM tasks WHERE uid = ? AND status NOT IN ('enqueued', 'processing')",
                (uid,),
            ).rowcount
    record["details"]["deletedTasks"] = deleted
    return lambda: None


_KINDS: dict[str, Callable[["Node", dict[str, Any], Any], Change]] = {
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
