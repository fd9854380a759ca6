"""Editors' programs over HTTP."""

from typing import Any

from sqlalchemy import Engine as Database
from sqlalchemy import text

from tests.support.client import Client

DRAFT = {"title": "قهوة المساء", "language": "ar", "mediaType": "audio", "kind": "episode"}


def created(person: Client, **changed: Any) -> dict[str, Any]:
    answer = person.post("/catalog/programs", DRAFT | changed)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()["data"]
    return found


def programs(database: Database) -> int:
    with database.connect() as connection:
        return int(connection.scalar(text("SELECT count(*) FROM programs")) or 0)


def read(person: Client, path: str) -> dict[str, str]:
    """Return the header that names the revision of what is at `path` now."""
    answer = person.get(path)
    assert answer.status_code == 200, answer.text
    return {"If-Match": answer.headers["etag"]}
