"""What each kind of task does: first to the store, then, once that is on disk, in memory.

The worker calls `prepare` within a transaction and runs the returned change after the commit.
"""

import msgspec

from deploy.searchnode.storage.tasks import TaskRecord
from deploy.searchnode.tasks import document_changes, index_changes
from deploy.searchnode.tasks.changes import Change, Execution, Preparation, create_index, no_change
from deploy.searchnode.tasks.node import Node
from deploy.searchnode.tasks.payloads import TaskUids


def prepare(node: Node, record: TaskRecord, payload: bytes | None) -> Change:
    """Write the effect of a task to the store and fill in the details of its record.

    Args:
        node: The node.
        record: The task.
        payload: What it needs (`payloads.py`).

    Returns:
        What to do in memory after the commit.

    Raises:
        ApiError: The task fails. The caller undoes the transaction.
    """
    return _KINDS[record["type"]](Execution(node, record, payload or b"null"))


def effect_of_failure(node: Node, record: TaskRecord) -> Change:
    """Write what a failed task changes: documents that cannot be added still create their index."""
    uid = record["indexUid"] or ""
    if record["type"] != "documentAdditionOrUpdate" or uid in node.indexes:
        return no_change
    index = create_index(node, uid, None)
    return lambda: node.indexes.__setitem__(uid, index)


def reset_counts(record: TaskRecord) -> None:
    """Set the counts in the details of a failed task to 0."""
    if record["type"] == "indexDeletion":
        record["details"] = {"deletedDocuments": 0}
    details = record["details"] or {}
    for name in ("indexedDocuments", "deletedDocuments"):
        if name in details:
            details[name] = 0


def _selected(task: Execution) -> list[int]:
    """Return the tasks that a task about tasks is about, never itself."""
    uids = msgspec.json.decode(task.payload, type=TaskUids).uids
    return [uid for uid in uids if uid != task.record["uid"]]


def _cancel_tasks(task: Execution) -> Change:
    node, canceled = task.node, 0
    for uid in _selected(task):
        other = node.task(uid)
        if other["status"] == "enqueued":
            other["status"], other["canceledBy"] = "canceled", task.record["uid"]
            other["finishedAt"] = task.record["startedAt"]
            node.store.tasks.save(other)
            canceled += 1
    task.set_detail("canceledTasks", canceled)
    return no_change


def _delete_tasks(task: Execution) -> Change:
    deleted = sum(task.node.store.tasks.delete_finished(uid) for uid in _selected(task))
    task.set_detail("deletedTasks", deleted)
    return no_change


_KINDS: dict[str, Preparation] = {
    "indexCreation": index_changes.create,
    "indexUpdate": index_changes.update,
    "indexDeletion": index_changes.delete,
    "indexSwap": index_changes.swap,
    "settingsUpdate": index_changes.change_settings,
    "documentAdditionOrUpdate": document_changes.add,
    "documentDeletion": document_changes.delete,
    "taskCancelation": _cancel_tasks,
    "taskDeletion": _delete_tasks,
}
