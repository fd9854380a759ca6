"""The table of tasks: the queue of work to do, and the record of work that was done."""

import json
from typing import NamedTuple, NotRequired, TypedDict

from deploy.searchnode.storage.database import Database
from deploy.searchnode.values import JsonObject


class TaskRecord(TypedDict):
    """A task as the API shows it. Times are written as `clock.now` writes them."""

    uid: int
    batchUid: int | None
    indexUid: str | None
    status: str
    type: str
    canceledBy: int | None
    details: JsonObject | None
    error: JsonObject | None
    duration: str | None
    enqueuedAt: str
    startedAt: str | None
    finishedAt: str | None
    customMetadata: NotRequired[str]


class Selection(NamedTuple):
    """A part of the tasks: clauses of SQL that all must hold, with their arguments.

    Clauses are made of fixed texts and placeholders only, never of what a request says.
    """

    clauses: tuple[str, ...] = ()
    arguments: tuple[str | int | None, ...] = ()

    @property
    def where(self) -> str:
        """The clauses as the condition of a WHERE."""
        return " AND ".join(("1", *self.clauses))

    def and_(self, clause: str, *arguments: str | int | None) -> "Selection":
        """Return the selection with one more clause."""
        return Selection((*self.clauses, clause), (*self.arguments, *arguments))


class TaskTable:
    """The tasks of one node, in order of their uids."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, record: TaskRecord, payload: bytes | None) -> TaskRecord:
        """Write a new task with what it needs to be executed; return the record with its uid."""
        with self._database.transaction() as db:
            cursor = db.execute(
                "INSERT INTO tasks (status, kind, index_uid, record, payload) VALUES (?, ?, ?, '', ?)",
                (record["status"], record["type"], record["indexUid"], payload),
            )
            record["uid"] = int(cursor.lastrowid or 0)
            db.execute("UPDATE tasks SET record = ? WHERE uid = ?", (json.dumps(record), record["uid"]))
        return record

    def save(self, record: TaskRecord, payload: bytes | None = None) -> None:
        """Write the state of a task. Its payload is dropped unless it is given again."""
        with self._database.transaction() as db:
            db.execute(
                "UPDATE tasks SET status = ?, record = ?, payload = ? WHERE uid = ?",
                (record["status"], json.dumps(record), payload, record["uid"]),
            )

    def get(self, uid: int) -> TaskRecord | None:
        """Return a task; None when it is unknown or was deleted."""
        for (record,) in self._database.rows("SELECT record FROM tasks WHERE uid = ?", uid):
            found: TaskRecord = json.loads(record)
            return found
        return None

    def next(self) -> tuple[TaskRecord, bytes | None] | None:
        """Return the oldest task that waits, with its payload; None when no task waits."""
        for record, payload in self._database.rows(
            "SELECT record, payload FROM tasks WHERE status = 'enqueued' ORDER BY uid LIMIT 1"
        ):
            return json.loads(record), payload
        return None

    def last_finished(self) -> int:
        """Return the highest uid of the finished tasks; 0 when there is none."""
        rows = self._database.rows(
            "SELECT coalesce(max(uid), 0) FROM tasks WHERE status NOT IN ('enqueued', 'processing')"
        )
        return int(rows[0][0])

    def busy_indexes(self) -> set[str | None]:
        """Return the uids of indexes with tasks to do; None among them when a task has no index."""
        rows = self._database.rows(
            "SELECT DISTINCT index_uid FROM tasks WHERE status IN ('enqueued', 'processing')"
        )
        return {uid for (uid,) in rows}

    def count(self, selection: Selection) -> int:
        """Return how many tasks are selected."""
        rows = self._database.rows(
            f"SELECT count(*) FROM tasks WHERE {selection.where}",  # noqa: S608 - clauses are fixed texts
            *selection.arguments,
        )
        return int(rows[0][0])

    def uids(self, selection: Selection) -> list[int]:
        """Return the uids of the selected tasks."""
        rows = self._database.rows(
            f"SELECT uid FROM tasks WHERE {selection.where}",  # noqa: S608 - clauses are fixed texts
            *selection.arguments,
        )
        return [uid for (uid,) in rows]

    def find(self, selection: Selection, limit: int, *, oldest_first: bool) -> list[TaskRecord]:
        """Return selected tasks in order of their uids.

        Args:
            selection: Which tasks.
            limit: At most so many.
            oldest_first: The lowest uid first; otherwise the highest first.

        Returns:
            The records of the tasks.
        """
        order = "ASC" if oldest_first else "DESC"
        rows = self._database.rows(
            f"SELECT record FROM tasks WHERE {selection.where} ORDER BY uid {order} LIMIT ?",  # noqa: S608 - clauses are fixed texts
            *selection.arguments,
            limit,
        )
        return [json.loads(record) for (record,) in rows]

    def delete_finished(self, uid: int) -> int:
        """Delete a task unless it waits or is being executed; return how many tasks were deleted."""
        with self._database.transaction() as db:
            return db.execute(
                "DELETE FROM tasks WHERE uid = ? AND status NOT IN ('enqueued', 'processing')", (uid,)
            ).rowcount
