"""What the modules of the executor share: a task that is being executed, and the row of an index.

Each kind of task is a function from an `Execution` to a `Change`. It writes to the store within the
worker's transaction, fills in the record's details, and raises ApiError when the task fails; the
transaction is then undone. The `Change` runs after the commit.
"""

from collections.abc import Callable
from typing import NamedTuple

from deploy.searchnode.clock import now
from deploy.searchnode.index.index import Index
from deploy.searchnode.index.settings import Settings
from deploy.searchnode.storage.tasks import TaskRecord
from deploy.searchnode.tasks.node import Node
from deploy.searchnode.values import Json

# Brings memory up to what the store says.
Change = Callable[[], None]


class Execution(NamedTuple):
    """A task that is being executed on a node. `payload` is what it needs, as JSON (`payloads.py`)."""

    node: Node
    record: TaskRecord
    payload: bytes

    @property
    def uid(self) -> str:
        """The uid of the index that the task is about; only for tasks about one index."""
        return self.record["indexUid"] or ""

    def set_detail(self, name: str, value: Json) -> None:
        """Set one of the details of the task, by its name in the API."""
        self.record["details"] = {**(self.record["details"] or {}), name: value}


Preparation = Callable[[Execution], Change]


def no_change() -> None:
    """Leave memory as it is."""


def create_index(node: Node, uid: str, primary_key: str | None) -> Index:
    """Write a new index with default settings to the store.

    Args:
        node: The node.
        uid: The name of the index.
        primary_key: The attribute with the documents' ids; None until it is known.

    Returns:
        The index, which is not among the node's indexes yet.
    """
    moment = now()
    number = node.store.indexes.create(uid, primary_key, moment)
    return Index(uid, number, primary_key, moment)


def save_index(node: Node, index: Index, primary_key: str | None, settings: Settings) -> str:
    """Write the primary key and the settings of an index to the store.

    Args:
        node: The node.
        index: The index, which stays as it is in memory.
        primary_key: The attribute with the documents' ids; None when it is not known.
        settings: All its settings.

    Returns:
        The time of the change.
    """
    moment = now()
    node.store.indexes.update(index.number, primary_key, settings, moment)
    return moment
