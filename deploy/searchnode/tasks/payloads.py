"""What a task needs to be executed, as the store keeps it. Routes write payloads, the executor reads them.

The payload of a change of settings is the change itself, as the request has it.
"""

import msgspec


class Addition(msgspec.Struct, rename="camel"):
    """Documents to add or replace; with `merge` a document keeps attributes that are not sent."""

    documents: list[msgspec.Raw]
    merge: bool = False
    primary_key: str | None = None


class Deletion(msgspec.Struct, omit_defaults=True):
    """Documents to delete: those that a filter lets through, all, or those with these external ids."""

    # Set only when documents are deleted by filter; a text or a list.
    filter: object = None
    all: bool = False
    ids: list[str] = []


class IndexKey(msgspec.Struct, rename="camel"):
    """The primary key of an index that is created or updated; None when the request names none."""

    primary_key: str | None = None


class Swap(msgspec.Struct):
    """Two indexes that exchange their uids."""

    indexes: tuple[str, str]
    # As the task's details repeat it; renaming is not supported.
    rename: bool = False


class TaskUids(msgspec.Struct):
    """The tasks that are canceled or deleted."""

    uids: list[int]


def encode(payload: object) -> bytes:
    """Return a payload as JSON."""
    return msgspec.json.encode(payload)
