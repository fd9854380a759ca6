"""What survives a crash: indexes, documents, tasks and keys, in one SQLite file. The node owns it.

A write is answered only after it is on disk. The effect of a task and its status `succeeded` are one
transaction, so a task is executed exactly once, whenever the process dies.
"""

import sqlite3
from contextlib import AbstractContextManager
from pathlib import Path

from deploy.searchnode.storage.database import Database
from deploy.searchnode.storage.documents import DocumentTable
from deploy.searchnode.storage.indexes import IndexTable
from deploy.searchnode.storage.keys import KeyTable
from deploy.searchnode.storage.tasks import TaskTable


class Store:
    """The tables of one node."""

    def __init__(self, folder: Path) -> None:
        """Open the store under `folder`, which is created when it is missing.

        Raises:
            CorruptStore: The file is damaged.
        """
        self._database = Database(folder)
        self.path = self._database.path
        self.indexes = IndexTable(self._database)
        self.documents = DocumentTable(self._database)
        self.tasks = TaskTable(self._database)
        self.keys = KeyTable(self._database)

    def transaction(self) -> AbstractContextManager[sqlite3.Connection]:
        """Return a context that commits all writes within it, or none of them."""
        return self._database.transaction()

    def meta(self, name: str, default: str) -> str:
        """Return a named value; the first call for a name writes the default."""
        with self._database.transaction() as db:
            db.execute("INSERT OR IGNORE INTO meta VALUES (?, ?)", (name, default))
            value: str = db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()[0]
            return value

    def set_meta(self, name: str, value: str) -> None:
        """Change a named value that `meta` has written."""
        with self._database.transaction() as db:
            db.execute("UPDATE meta SET value = ? WHERE name = ?", (value, name))

    def close(self) -> None:
        """Close the file."""
        self._database.close()
