"""Routes about the server: health, version, statistics."""

from deploy.searchnode.errors import ApiError
from deploy.searchnode.http.call import Call
from deploy.searchnode.http.routing import Route
from deploy.searchnode.index.index import Index

# The version of Meilisearch whose API the node speaks; `commitSha` says which server speaks it.
VERSION = "1.50.0"
NAME = "thmanyah-searchnode"


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
    size = call.node.store.path.stat().st_size
    shown = [index for uid, index in sorted(call.node.indexes.items()) if call.grant.covers(uid)]
    busy = call.node.busy_indexes()
    return {
        "databaseSize": size,
        "usedDatabaseSize": size,
        "lastUpdate": max((index.updated_at for index in shown), default=None),
        "indexes": {index.uid: _stats(index, busy) for index in shown},
    }


def index_stats(call: Call) -> object:
    """Answer the statistics of one index."""
    return _stats(call.index, call.node.busy_indexes())


def _stats(index: Index, busy: set[str | None]) -> dict[str, object]:
    """Return the statistics of an index; sizes are in bytes."""
    size = sum(map(len, index.documents.values()))
    return {
        "numberOfDocuments": len(index.documents),
        "rawDocumentDbSize": size,
        "avgDocumentSize": size // len(index.documents) if index.documents else 0,
        "isIndexing": index.uid in busy,
        "numberOfEmbeddings": 0,
        "numberOfEmbeddedDocuments": 0,
        "fieldDistribution": dict(sorted(index.field_counts.items())),
    }


ROUTES = (
    Route("GET", "/health", None, health, quick=True),
    Route("GET", "/version", "version", version),
    Route("GET", "/stats", "stats.get", stats),
    Route("GET", "/indexes/{uid:str}/stats", "stats.get", index_stats),
)
