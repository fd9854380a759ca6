"""The SQLite file of a node: connections, transactions and the schema. The tables' modules use it."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# `place` is the number of a document in its index (`Index.ids`).
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


class CorruptStore(Exception):
    """The file is not what was written. Nothing of it may be served."""


class Database:
    """The SQLite file under `folder`, with one connection for writes and one for reads.

    Only one thread writes at a time. Every committed transaction is on disk.
    """

    def __init__(self, folder: Path) -> None:
        """Open the file or create it.

        Raises:
            CorruptStore: SQLite finds the file damaged.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / "searchnode.sqlite3"
        self._lock = threading.RLock()
        self._depth = 0
        self._read_lock = threading.Lock()
        self._writer = sqlite3.connect(self.path, check_same_thread=False, isolation_level=None)
        try:
            self._writer.execute("PRAGMA journal_mode = WAL")
            self._writer.execute("PRAGMA synchronous = FULL")
            self._writer.execute("PRAGMA cache_size = -16000")
            verdict = self._writer.execute("PRAGMA quick_check(1)").fetchone()[0]
            if verdict != "ok":
                raise CorruptStore(f"{self.path}: {verdict}")
            self._writer.executescript(_SCHEMA)
            # Reads have a connection of their own, so that they need not wait for a large write.
            self._reader = sqlite3.connect(self.path, check_same_thread=False, isolation_level=None)
            self._reader.execute("PRAGMA query_only = ON")
        except sqlite3.DatabaseError as error:
            raise CorruptStore(f"{self.path}: {error}") from error

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Commit everything that happens within, or nothing; on disk when it ends.

        A transaction within another one is a part of the outer one.

        Yields:
            The connection for writes.
        """
        with self._lock:
            if self._depth:
                yield self._writer
                return
            self._depth += 1
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
            except BaseException:
                self._writer.execute("ROLLBACK")
                raise
            else:
                self._writer.execute("COMMIT")
            finally:
                self._depth -= 1

    # The caller knows the types of the columns it selects; SQLite does not tell them.
    def rows(self, sql: str, *parameters: object) -> list[Any]:
        """Return the rows of a SELECT, each a tuple; uncommitted changes are not among them."""
        with self._read_lock:
            return self._reader.execute(sql, parameters).fetchall()

    def close(self) -> None:
        """Close both connections, which moves the write-ahead log into the file."""
        with self._lock, self._read_lock:
            self._reader.close()
            self._writer.close()
