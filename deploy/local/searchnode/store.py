"""What survives a crash: indexes, documents, tasks and keys, in one SQLite file.

A write is answered only after it is on disk. A task's effect and its `succeeded` are one
transaction, so it is executed exactly once, whenever the process dies.
"""

import json
import sqlite3
import threading
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from deploy.local.searchnode.index import batched

_SCHEMA = """
CREATE TABLE IF NOT EXISTS indexes (
  number INTEGER PRIMARY KEY AUTOINCREMENT, uid TEXT UNIQUE, primary_key TEXT,
  settings TEXT NOT NULL, created_at TEXT NOT NULL, updated_at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS documents (
  number INTEGER NOT NULL, id TEXT NOT NULL, body BLOB NOT NULL, place INTEGER NOT NULL,
  revision INTEGER NOT NULL, checksum INTEGER NOT NULL, PRIMARY KEY (number, id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tasks (
  uid INTEGER PRIMARY KEY AUTOINCREMENT, status TEXT NOT NULL, kind TEXT NOT NULL,
  index_uid TEXT, record TEXT NOT NULL, payload BLOB);
CREATE INDEX IF NOT EXISTS tasks_status ON tasks (status, uid);
CREATE TABLE IF NOT EXISTS keys (uid TEXT PRIMARY KEY, record TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


# Documents in one statement: around each the interpreter is given up to searches and waited for.
_ROWS = 100


# (external id, document, number, uid of the task that wrote it)
Row = tuple[str, bytes, int, int]


class CorruptStore(Exception):
    """The file is not what was written; nothing of it is served."""


def _checksum(external: str, body: bytes, place: int, revision: int) -> int:
    return zlib.crc32(f"{external} {place} {revision}".encode(), zlib.crc32(body))


class Store:
    """The file under `folder`. One connection, one writer at a time."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / "searchnode.sqlite3"
        self.lock = threading.RLock()
        self._depth = 0
        self._read_lock = threading.Lock()
        self.db = sqlite3.connect(self.path, check_same_thread=False, isolation_level=None)
        try:
            self.db.execute("PRAGMA journal_mode = WAL")
            self.db.execute("PRAGMA synchronous = FULL")
            self.db.execute("PRAGMA cache_size = -16000")
            verdict = self.db.execute("PRAGMA quick_check(1)").fetchone()[0]
            if verdict != "ok":
                raise CorruptStore(f"{self.path}: {verdict}")
            self.db.executescript(_SCHEMA)
            # Reads have a connection of their own: a large write does not hold them up.
            self._reader = sqlite3.connect(self.path, check_same_thread=False, isolation_level=None)
            self._reader.execute("PRAGMA query_only = ON")
        except sqlite3.DatabaseError as error:
            raise CorruptStore(f"{self.path}: {error}") from error

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing, on disk when it returns."""
        with self.lock:
            if self._depth:
                yield self.db
                return
            self._depth += 1
            self.db.execute("BEGIN IMMEDIATE")
            try:
                yield self.db
            except BaseException:
                self.db.execute("ROLLBACK")
                raise
            else:
                self.db.execute("COMMIT")
            finally:
                self._depth -= 1

    def close(self) -> None:
        """Fold the log into the file."""
        with self.lock, self._read_lock:
            self._reader.close()
            self.db.close()

    def meta(self, name: str, default: str) -> str:
        """A named value, kept from the first time on."""
        with self.transaction() as db:
            db.execute("INSERT OR IGNORE INTO meta VALUES (?, ?)", (name, default))
            value: str = db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()[0]
            return value

    def rows(self, sql: str, *parameters: Any) -> list[Any]:
        """The rows of a read."""
        with self._read_lock:
            return self._reader.execute(sql, parameters).fetchall()

    def put_documents(
        self, number: int, rows: Iterable[tuple[str, bytes, int]], revision: int
    ) -> None:
        """Add or replace documents of index `number`, as (id, body, place), by task `revision`."""
        with self.transaction() as db:
            for step in batched(rows, _ROWS):
                values = ", ".join(["(?, ?, ?, ?, ?, ?)"] * len(step))
                db.execute(
                    "INSERT INTO documents (number, id, body, place, revision, checksum) "  # noqa: S608
                    f"VALUES {values} ON CONFLICT (number, id) DO UPDATE "
                    "SET body = excluded.body, revision = excluded.revision, checksum = excluded.checksum",
                    [
                        value
                        for row in step
                        for value in (number, *row, revision, _checksum(*row, revision))
                    ],
                )

    def documents(self, number: int) -> list[Row]:
        """The documents of index `number` in order of their places.

        Raises CorruptStore when one is not what was written.
        """
        rows = self.rows(
            "SELECT id, body, place, revision, checksum FROM documents WHERE number = ? ORDER BY place",
            number,
        )
        for *row, checksum in rows:
            if _checksum(*row) != checksum:
                raise CorruptStore(f"{self.path}: document {row[0]!r} is not what was written")
        return [tuple(row) for *row, _ in rows]

    def delete_documents(self, number: int, ids: Iterable[str]) -> None:
        """Forget documents of index `number`."""
        with self.transaction() as db:
            db.execute(
                "DELETE FROM documents WHERE number = ? AND id IN (SELECT value FROM json_each(?))",
                (number, json.dumps(list(ids))),
            )

    def save_task(self, record: dict[str, Any], payload: bytes | None = None) -> None:
        """Write the task's state; the payload goes once it is finished."""
        with self.transaction() as db:
            db.execute(
                "UPDATE tasks SET status = ?, record = ?, payload = ? WHERE uid = ?",
                (record["status"], json.dumps(record), payload, record["uid"]),
            )
