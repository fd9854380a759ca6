"""The table of indexes: their uids, primary keys and settings."""

import json
from typing import NamedTuple

import msgspec

from deploy.searchnode.index.settings import Settings, defaults
from deploy.searchnode.storage.database import Database


class IndexRow(NamedTuple):
    """An index in the store. Its `number` stays when its uid changes."""

    number: int
    uid: str
    primary_key: str | None
    settings: Settings
    created_at: str
    updated_at: str


class IndexTable:
    """The indexes of one node."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[IndexRow]:
        """Return all indexes. Settings that an older version did not know have their defaults."""
        rows = self._database.rows(
            "SELECT number, uid, primary_key, settings, created_at, updated_at FROM indexes"
        )
        return [
            IndexRow(
                number,
                uid,
                primary_key,
                msgspec.convert({**defaults(), **json.loads(settings)}, Settings),
                created_at,
                updated_at,
            )
            for number, uid, primary_key, settings, created_at, updated_at in rows
        ]

    def create(self, uid: str, primary_key: str | None, moment: str) -> int:
        """Add an index with default settings.

        Args:
            uid: Its name.
            primary_key: The attribute with the documents' ids; None until it is known.
            moment: The time of its creation.

        Returns:
            The number of the index.
        """
        with self._database.transaction() as db:
            cursor = db.execute(
                "INSERT INTO indexes (uid, primary_key, settings, created_at, updated_at) VALUES (?, ?, ?, ?, ?)",
                (uid, primary_key, json.dumps(defaults()), moment, moment),
            )
        return int(cursor.lastrowid or 0)

    def update(self, number: int, primary_key: str | None, settings: Settings, moment: str) -> None:
        """Write the primary key and the settings of an index.

        Args:
            number: The number of the index.
            primary_key: The attribute with the documents' ids; None when it is not known.
            settings: All its settings.
            moment: The time of the change.
        """
        with self._database.transaction() as db:
            db.execute(
                "UPDATE indexes SET primary_key = ?, settings = ?, updated_at = ? WHERE number = ?",
                (primary_key, json.dumps(settings), moment, number),
            )

    def delete(self, number: int) -> None:
        """Delete an index; its documents are deleted by `DocumentTable.delete_all_of`."""
        with self._database.transaction() as db:
            db.execute("DELETE FROM indexes WHERE number = ?", (number,))

    def swap(self, left: tuple[str, int], right: tuple[str, int]) -> None:
        """Exchange the uids of two indexes, each given as (uid, number)."""
        with self._database.transaction() as db:
            # The uid is unique, so the first index has none for a moment.
            db.execute("UPDATE indexes SET uid = NULL WHERE number = ?", (left[1],))
            db.execute("UPDATE indexes SET uid = ? WHERE number = ?", (left[0], right[1]))
            db.execute("UPDATE indexes SET uid = ? WHERE number = ?", (right[0], left[1]))
