"""The node: its indexes in memory, its store on disk, and the queue of tasks. Every request uses it.

`worker.py` executes the tasks that `enqueue` writes.
"""

import gc
import threading
from pathlib import Path

from deploy.searchnode.clock import now
from deploy.searchnode.errors import ApiError, IndexNotFound
from deploy.searchnode.index.index import Index
from deploy.searchnode.storage import snapshot
from deploy.searchnode.storage.store import Store
from deploy.searchnode.storage.tasks import TaskRecord
from deploy.searchnode.tasks.payloads import encode
from deploy.searchnode.values import JsonObject

# While a node runs, an index is saved only after so many documents changed.
_MIN_CHANGED = 500


class Node:
    """Everything that one server holds.

    `indexes` are the indexes in memory, by uid. A thread that reads or changes them takes `lock` first.
    """

    def __init__(self, folder: Path) -> None:
        """Open the store under `folder` and load its indexes.

        Raises:
            CorruptStore: The store is damaged.
        """
        self.store = Store(folder)
        self.lock = threading.RLock()
        self.indexes: dict[str, Index] = {}
        # Set when there may be a new task.
        self.wake = threading.Event()
        # The uid of the task whose effect is on disk but not yet wholly in memory; 0: none.
        self.applying = 0
        # The uid of the last task whose effect is in memory.
        self.executed = self.store.tasks.last_finished()
        # Whether the task thread failed: no task will be executed any more.
        self.has_crashed = False
        self._load()
        # Python's garbage collector need not look at what was loaded again and again.
        gc.collect()
        gc.freeze()

    def _load(self) -> None:
        for row in self.store.indexes.all():
            index = Index(row.uid, row.number, row.primary_key, row.created_at)
            index.updated_at = row.updated_at
            index.configure(row.settings)
            documents = self.store.documents.all_of(row.number)
            index.changed = snapshot.read(index, self._snapshot_path(index), documents)
            self.indexes[row.uid] = index

    def _snapshot_path(self, index: Index) -> Path:
        return snapshot.path_of(self.store.path.parent, index.number)

    def save_snapshots(self, *, min_share: float = 0.0) -> None:
        """Save every index of which more than this share of documents changed; 0: any document.

        Snapshots of indexes that no longer exist are deleted.
        """
        for index in list(self.indexes.values()):
            if index.changed > max(min_share * len(index.documents), 0 if min_share == 0 else _MIN_CHANGED):
                snapshot.write(index, self._snapshot_path(index), self.executed)
                index.changed = 0
        known = {self._snapshot_path(index) for index in self.indexes.values()}
        for path in self.store.path.parent.glob("index-*.*"):
            if path not in known:
                path.unlink(missing_ok=True)

    def index(self, uid: str) -> Index:
        """Return an index by its uid.

        Raises:
            IndexNotFound: There is no such index.
        """
        found = self.indexes.get(uid)
        if found is None:
            raise IndexNotFound(uid)
        return found

    def enqueue(
        self,
        kind: str,
        index_uid: str | None,
        details: JsonObject | None,
        payload: object = None,
        metadata: str | None = None,
    ) -> JsonObject:
        """Write a task to the store, from where the worker takes it.

        Args:
            kind: The type of the task, as Meilisearch names it.
            index_uid: The index it is about; None when it is about several or none.
            details: What the task's details say before it is executed.
            payload: What its execution needs (`payloads.py`).
            metadata: A text of the sender, which the task repeats.

        Returns:
            The summary of the task, as the answer of status 202 has it.
        """
        record: TaskRecord = {
            "uid": 0,
            "batchUid": None,
            "indexUid": index_uid,
            "status": "enqueued",
            "type": kind,
            "canceledBy": None,
            "details": details,
            "error": None,
            "duration": None,
            "enqueuedAt": now(),
            "startedAt": None,
            "finishedAt": None,
        }
        if metadata is not None:
            record["customMetadata"] = metadata
        record = self.store.tasks.add(record, None if payload is None else encode(payload))
        self.wake.set()
        summary: JsonObject = {
            "taskUid": record["uid"],
            "indexUid": index_uid,
            "status": record["status"],
            "type": kind,
            "enqueuedAt": record["enqueuedAt"],
        }
        if metadata is not None:
            summary["customMetadata"] = metadata
        return summary

    def task(self, uid: int) -> TaskRecord:
        """Return a task by its uid.

        Raises:
            ApiError: The task is unknown or was deleted.
        """
        record = self.store.tasks.get(uid)
        if record is None:
            raise ApiError("task_not_found", f"Task `{uid}` not found.")
        return self.as_visible(record)

    def as_visible(self, record: TaskRecord) -> TaskRecord:
        """Return a task as requests may see it: `succeeded` only once searches see its effect."""
        if record["uid"] == self.applying:
            record["status"], record["finishedAt"], record["duration"] = "processing", None, None
        return record

    def busy_indexes(self) -> set[str | None]:
        """Return the uids of the indexes that have tasks to do."""
        return self.store.tasks.busy_indexes()
