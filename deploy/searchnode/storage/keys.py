"""The table of API keys. The secrets are not in it: `http/keys.py` derives them from the master key."""

import json
from typing import TypedDict

from deploy.searchnode.storage.database import Database


class KeyRecord(TypedDict):
    """A key without its secret. `indexes` are uids or patterns, `expiresAt` None for a key without end."""

    name: str | None
    description: str | None
    uid: str
    actions: list[str]
    indexes: list[str]
    expiresAt: str | None
    createdAt: str
    updatedAt: str


class KeyTable:
    """The API keys of one node."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[KeyRecord]:
        """Return all keys, the newest first."""
        rows = self._database.rows("SELECT record FROM keys ORDER BY rowid DESC")
        return [json.loads(record) for (record,) in rows]

    def add(self, record: KeyRecord) -> bool:
        """Add a key; return False and change nothing when its uid is taken."""
        with self._database.transaction() as db:
            if db.execute("SELECT 1 FROM keys WHERE uid = ?", (record["uid"],)).fetchone():
                return False
            db.execute("INSERT INTO keys VALUES (?, ?)", (record["uid"], json.dumps(record)))
            return True

    def update(self, record: KeyRecord) -> None:
        """Write a key anew, by its uid."""
        with self._database.transaction() as db:
            db.execute("UPDATE keys SET record = ? WHERE uid = ?", (json.dumps(record), record["uid"]))

    def delete(self, uid: str) -> None:
        """Delete a key."""
        with self._database.transaction() as db:
            db.execute("DELETE FROM keys WHERE uid = ?", (uid,))
