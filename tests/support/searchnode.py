"""Indexes of the search node in memory, without a node around them."""

from typing import Any

import msgspec

from deploy.searchnode.index import settings, settings_change
from deploy.searchnode.index.index import Index


def write(index: Index, documents: list[dict[str, Any]], deleted: list[str] | None = None) -> None:
    """Add or replace documents (with an `id`) and delete others by their external ids, in one batch."""
    rows = [(str(d["id"]), msgspec.json.encode(d), d) for d in documents]
    index.commit(index.analyse(rows, deleted or ()))


def index_of(documents: list[dict[str, Any]], **changes: Any) -> Index:
    """Return an index of these documents, with these settings and defaults for the others."""
    index = Index("tested", 1, "id", "2026-01-01T00:00:00Z")
    index.configure(settings_change.apply(settings.defaults(), settings_change.validate(changes)))
    write(index, documents)
    return index
