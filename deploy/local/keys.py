"""Keys of the local engine: the API may search, the pipeline may write, neither manages keys."""

from typing import Any

import meilisearch
from meilisearch.errors import MeilisearchApiError

# Fixed ids: a key's value follows from its id and the master key, so it is the same at every start.
KEYS: dict[str, dict[str, Any]] = {
    "MEILI_SEARCH_KEY": {
        "uid": "7c1d3c5e-1f0a-4a55-9d0e-2f6c3f5b8a01",
        "name": "API",
        "description": "Searches only.",
        "actions": ["search"],
    },
    "MEILI_KEY": {
        "uid": "7c1d3c5e-1f0a-4a55-9d0e-2f6c3f5b8a02",
        "name": "Pipeline",
        "description": "Documents, indexes, settings and tasks.",
        "actions": [
            "search", "documents.*", "indexes.*", "settings.*", "tasks.*", "stats.*", "version",
        ],
    },
}  # fmt: skip


def ensure(url: str, master_key: str) -> dict[str, str]:
    """Make the keys unless they are there; variable to value. Raises MeilisearchError."""
    client = meilisearch.Client(url, master_key, timeout=10)
    found = {}
    for variable, wanted in KEYS.items():
        try:
            key = client.create_key(wanted | {"indexes": ["*"], "expiresAt": None})
        except MeilisearchApiError as error:
            if error.code != "api_key_already_exists":
                raise
            key = client.get_key(wanted["uid"])
        found[variable] = key.key
    return found
