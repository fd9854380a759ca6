"""Routes about the server: health, version, statistics."""

from typing import NamedTuple

from deploy.searchnode.errors import ApiError
from deploy.searchnode.http.call import Call
from deploy.searchnode.http.routing import Route
from deploy.searchnode.index.index import Index

# The version of Meilisearch whose API the node speaks; `commitSha` says which server speaks it.
VERSION = "1.50.0"
NAME = "thmanyah-searchnode"
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def health(call: Call) -> object:
    """Answer that the node is there.

    Raises:
        ApiError: Its task thread failed, so it is about to end.
    """
    if call.node.has_crashed:
        raise ApiError("internal", "The task thread failed.")
    return {"status": "available"}


def version(call: Call) -> object:
    """Answer the version of the API and the name of the server."""
    return {"commitSha": NAME, "commitDate": "unknown", "pkgVersion": VERSION}


def stats(call: Call) -> object:
    """Answer the size of the store and the statistics of every index that the caller may see."""
    shown_as = _Sizes.of(call)
    size = shown_as.size(call.node.store.path.stat().st_size)
    shown = [index for uid, index in sorted(call.node.indexes.items()) if call.grant.covers(uid)]
    busy = call.node.busy_indexes()
    return {
        "databaseSize": size,
        "usedDatabaseSize": size,
        "lastUpdate": max((index.updated_at for index in shown), default=None),
        "indexes": {index.uid: _stats(index, busy, shown_as) for index in shown},
    }


def index_stats(call: Call) -> object:
    """Answer the statistics of one index."""
    return _stats(call.index, call.node.busy_indexes(), _Sizes.of(call))


class _Sizes(NamedTuple):
    """How a request wants sizes: as texts with a unit or as bytes, and whether those of an index's parts too."""

    human: bool
    internal: bool

    @classmethod
    def of(cls, call: Call) -> "_Sizes":
        wanted = call.query.get("sizeFormat", "raw")
        if wanted not in ("raw", "human"):
            raise ApiError(
                "invalid_stats_size_format",
                f"Unknown value `{wanted}` for parameter `sizeFormat`: expected one of `human`, `raw`",
            )
        code = "invalid_stats_show_internal_database_sizes"
        return cls(wanted == "human", call.flag("showInternalDatabaseSizes", code))

    def size(self, size: int) -> int | str:
        """Return a number of bytes as it is wanted."""
        if not self.human:
            return size
        power = min(len(_UNITS) - 1, max(0, size.bit_length() - 1) // 10)
        return f"{size / 1024**power:.2f}".rstrip("0").rstrip(".") + f" {_UNITS[power]}"


def _stats(index: Index, busy: set[str | None], shown_as: _Sizes) -> dict[str, object]:
    """Return the statistics of an index."""
    size = sum(map(len, index.documents.values()))
    # The one part that the store keeps; everything else of an index is made from it.
    internal = {"internalDatabaseSizes": {"documents": shown_as.size(size)}} if shown_as.internal else {}
    return {
        "numberOfDocuments": len(index.documents),
        "rawDocumentDbSize": shown_as.size(size),
        "avgDocumentSize": shown_as.size(size // len(index.documents) if index.documents else 0),
        "isIndexing": index.uid in busy,
        **internal,
        "numberOfEmbeddings": 0,
        "numberOfEmbeddedDocuments": 0,
        "fieldDistribution": dict(sorted(index.field_counts.items())),
    }


def webhooks(call: Call) -> object:
    """Answer that there are no webhooks: clients ask when they start."""
    return {"results": []}


ROUTES = (
    Route("GET", "/health", None, health, quick=True),
    Route("GET", "/version", "version", version),
    Route("GET", "/stats", "stats.get", stats),
    Route("GET", "/indexes/{uid:str}/stats", "stats.get", index_stats),
    Route("GET", "/webhooks", "webhooks.get", webhooks),
)
