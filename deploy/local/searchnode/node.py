"""The node: its indexes in memory, its store on disk, and the thread that executes tasks in order."""

import gc
import json
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from deploy.local.searchnode import executor, snapshot
from deploy.local.searchnode.errors import ApiError, index_not_found
from deploy.local.searchnode.index import Index
from deploy.local.searchnode.store import Store

# Seconds without a task after which changed indexes are kept; the share of documents, and the least
# number, that must have changed.
_IDLE, _SHARE, _FEW = 2.0, 0.05, 500


def now() -> str:
    """This moment as Meilisearch writes it."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


class Node:
    """Everything one server holds. `lock` guards the indexes in memory."""

    def __init__(self, folder: Path) -> None:
        self.store = Store(folder)
        self.lock = threading.RLock()
        self.indexes: dict[str, Index] = {}
        self.wake = threading.Event()
        self.stopping = False
        # The task that is on disk but not yet wholly in memory: it still counts as processing.
        self.applying = 0
        # The last task whose effect is in memory.
        self.executed = int(
            self.store.rows(
                "SELECT coalesce(max(uid), 0) FROM tasks WHERE status NOT IN ('enqueued', 'processing')"
            )[0][0]
        )
        self._load()
        # What was loaded stays: the collector need not look at it again and again.
        gc.collect()
        gc.freeze()
        self._thread = threading.Thread(target=self._run, name="tasks", daemon=True)

    def _load(self) -> None:
        for number, uid, key, settings, created, updated in self.store.rows(
            "SELECT number, uid, primary_key, settings, created_at, updated_at FROM indexes"
        ):
            index = Index(uid, number, key, created)
            index.updated_at = updated
            index.configure(index.settings | json.loads(settings))
            rows = self.store.documents(number)
            index.changed = snapshot.read(index, self._snapshot(index), rows)
            self.indexes[uid] = index

    def _snapshot(self, index: Index) -> Path:
        return snapshot.path_of(self.store.path.parent, index.number)

    def keep(self, *, least: float = 0.0) -> None:
        """Write snapshots of indexes that changed by more than this share of their documents."""
        for index in list(self.indexes.values()):
            if index.changed > max(least * len(index.documents), 0 if least == 0 else _FEW):
                snapshot.write(index, self._snapshot(index), self.executed)
                index.changed = 0
        known = {self._snapshot(index) for index in self.indexes.values()}
        for path in self.store.path.parent.glob("index-*.*"):
            if path not in known:
                path.unlink(missing_ok=True)

    def start(self) -> None:
        """Begin to execute tasks, first those left from the last run."""
        self._thread.start()

    def stop(self) -> None:
        """Finish the task in hand and close the file."""
        self.stopping = True
        self.wake.set()
        if self._thread.is_alive():
            self._thread.join()
            self.keep()
        self.store.close()

    def index(self, uid: str) -> Index:
        """The index by its uid. Raises ApiError when there is none."""
        found = self.indexes.get(uid)
        if found is None:
            raise index_not_found(uid)
        return found

    def enqueue(
        self,
        kind: str,
        index_uid: str | None,
        details: dict[str, Any] | None,
        payload: Any = None,
        metadata: str | None = None,
    ) -> dict[str, Any]:
        """Write a task down and return its summary, as the 202 answers it."""
        record: dict[str, Any] = {
            "uid": 0, "batchUid": None, "indexUid": index_uid, "status": "enqueued", "type": kind,
            "canceledBy": None, "details": details, "error": None, "duration": None,
            "enqueuedAt": now(), "startedAt": None, "finishedAt": None,
        }  # fmt: skip
        if metadata is not None:
            record["customMetadata"] = metadata
        with self.store.transaction() as db:
            cursor = db.execute(
                "INSERT INTO tasks (status, kind, index_uid, record, payload) VALUES ('enqueued', ?, ?, '', ?)",
                (kind, index_uid, msgspec.json.encode(payload) if payload is not None else None),
            )
            record["uid"] = cursor.lastrowid
            db.execute(
                "UPDATE tasks SET record = ? WHERE uid = ?", (json.dumps(record), record["uid"])
            )
        self.wake.set()
        summary = {k: record[k] for k in ("indexUid", "status", "type", "enqueuedAt")}
        if metadata is not None:
            summary["customMetadata"] = metadata
        return {"taskUid": record["uid"], **summary}

    def task(self, uid: int) -> dict[str, Any]:
        """A task by uid. Raises ApiError when it is unknown or was deleted."""
        rows = self.store.rows("SELECT record FROM tasks WHERE uid = ?", uid)
        if not rows:
            raise ApiError("task_not_found", f"Task `{uid}` not found.")
        return self.shown(json.loads(rows[0][0]))

    def shown(self, record: dict[str, Any]) -> dict[str, Any]:
        """A task's record as it may be told: `succeeded` only once searches see its effect."""
        if record["uid"] == self.applying:
            record |= {"status": "processing", "finishedAt": None, "duration": None}
        return record

    @property
    def busy(self) -> set[str]:
        """The uids of indexes with work to do."""
        rows = self.store.rows(
            "SELECT DISTINCT index_uid FROM tasks WHERE status IN ('enqueued', 'processing')"
        )
        return {uid for (uid,) in rows}

    def _run(self) -> None:
        while not self.stopping:
            self.wake.clear()
            rows = self.store.rows(
                "SELECT uid, record, payload FROM tasks WHERE status = 'enqueued' ORDER BY uid LIMIT 1"
            )
            if not rows:
                if not self.wake.wait(timeout=_IDLE):
                    self.keep(least=_SHARE)
                continue
            _, record, payload = rows[0]
            self._execute(json.loads(record), payload)

    def _execute(self, record: dict[str, Any], payload: bytes | None) -> None:
        started = datetime.now(UTC)
        record |= {"startedAt": now(), "batchUid": record["uid"]}
        try:
            with self.store.transaction():
                # In memory only after the disk agreed: the last thing before the commit.
                change = executor.prepare(self, record, payload)
                self._finish(record, "succeeded", started)
                self.applying = record["uid"]
                self.store.save_task(record)
        except ApiError as error:
            record["error"] = error.body()
            executor.spoil(record)
            self._finish(record, "failed", started)
            with self.store.transaction():
                made = executor.index_made_all_the_same(self, record)
                self.store.save_task(record)
            made()
            return
        change()
        # What came in stays: the collector need not look at it again and again.
        gc.freeze()
        self.executed = record["uid"]
        self.applying = 0

    def _finish(self, record: dict[str, Any], status: str, started: datetime) -> None:
        record["status"] = status
        record["finishedAt"] = now()
        record["duration"] = f"PT{(datetime.now(UTC) - started).total_seconds():.6f}S"
