"""The table of documents, as they were sent, each with a checksum."""

import json
import zlib
from collections.abc import Iterable
from typing import NamedTuple

from deploy.searchnode.batches import in_batches
from deploy.searchnode.storage.database import CorruptStore, Database

# Documents of one INSERT. Around each statement Python's lock is handed to searches and waited for.
_ROWS = 100


class DocumentRow(NamedTuple):
    """A document in the store. `revision` is the uid of the task that wrote it."""

    external: str
    raw: bytes
    number: int
    revision: int


def _checksum(external: str, raw: bytes, number: int, revision: int) -> int:
    return zlib.crc32(f"{external} {number} {revision}".encode(), zlib.crc32(raw))


class DocumentTable:
    """The documents of all indexes. An index is named by its number."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, index: int, rows: Iterable[tuple[str, bytes, int]], revision: int) -> None:
        """Add or replace documents.

        Args:
            index: The number of the index.
            rows: (external id, JSON, number) of each document; a replaced one with the number that it has.
            revision: The uid of the task that writes them.
        """
        with self._database.transaction() as db:
            for batch in in_batches(rows, _ROWS):
                values = ", ".join(["(?, ?, ?, ?, ?, ?)"] * len(batch))
                db.execute(
                    "INSERT INTO documents (number, id, body, place, revision, checksum) "  # noqa: S608 - only placeholders are added to the text
                    f"VALUES {values} ON CONFLICT (number, id) DO UPDATE "
                    "SET body = excluded.body, revision = excluded.revision, checksum = excluded.checksum",
                    [value for row in batch for value in (index, *row, revision, _checksum(*row, revision))],
                )

    def all_of(self, index: int) -> list[DocumentRow]:
        """Return the documents of an index in order of their numbers.

        Raises:
            CorruptStore: A document is not what was written.
        """
        found = []
        for *columns, checksum in self._database.rows(
            "SELECT id, body, place, revision, checksum FROM documents WHERE number = ? ORDER BY place", index
        ):
            row = DocumentRow(*columns)
            if _checksum(*row) != checksum:
                raise CorruptStore(
                    f"{self._database.path}: document {row.external!r} is not what was written"
                )
            found.append(row)
        return found

    def delete(self, index: int, ids: Iterable[str]) -> None:
        """Delete the documents of an index that have these external ids."""
        with self._database.transaction() as db:
            db.execute(
                "DELETE FROM documents WHERE number = ? AND id IN (SELECT value FROM json_each(?))",
                (index, json.dumps(list(ids))),
            )

    def delete_all_of(self, index: int) -> None:
        """Delete all documents of an index."""
        with self._database.transaction() as db:
            db.execute("DELETE FROM documents WHERE number = ?", (index,))
