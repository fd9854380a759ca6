"""The search engine of the local stack: a `meilisearch` on PATH, else the bundled search node.

Both get the same variables. The API's key may only search, the pipeline's key may write, and neither may
manage keys.
"""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.local.errors import LocalStackError

if TYPE_CHECKING:
    import meilisearch

MEILISEARCH, SEARCHNODE = "meilisearch", "searchnode"
# By default, Meilisearch reserves so much on a large machine that a small batch takes eight times as long.
INDEXING_MEMORY = "1GiB"
# Fixed ids: a key's value follows from its id and the master key, so it is the same at every start.
_KEYS: dict[str, dict[str, object]] = {
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
        "actions": ["search", "documents.*", "indexes.*", "settings.*", "tasks.*", "stats.*", "version"],
    },
}


def name() -> str:
    """Return which engine is started on this machine."""
    return MEILISEARCH if shutil.which(MEILISEARCH) else SEARCHNODE


def environment(engine: str, folder: Path, port: int, master_key: str) -> Mapping[str, str]:
    """Return the variables that configure the engine.

    Args:
        engine: What `name` returned.
        folder: Where the engine keeps its data.
        port: Where it listens, on loopback.
        master_key: Signs its keys.
    """
    variables = {
        "MEILI_HTTP_ADDR": f"127.0.0.1:{port}",
        "MEILI_MASTER_KEY": master_key,
        "MEILI_DB_PATH": str(folder),
        "MEILI_MAX_INDEXING_MEMORY": os.environ.get("MEILI_MAX_INDEXING_MEMORY", INDEXING_MEMORY),
        "MEILI_NO_ANALYTICS": "true",
        "MEILI_ENV": "development",
    }
    if engine == MEILISEARCH:
        folder.mkdir(parents=True, exist_ok=True)
        variables["MEILI_DUMP_DIR"] = str(folder / "dumps")
        variables["MEILI_SNAPSHOT_DIR"] = str(folder / "snapshots")
        variables["MEILI_DB_PATH"] = str(folder / "data")
    return variables


def ensure_keys(url: str, master_key: str) -> dict[str, str]:
    """Make the keys of the API and the pipeline unless the engine has them; return them by variable.

    Raises:
        LocalStackError: The engine does not accept the master key, or does not answer.
    """
    # Not for whoever only starts the engine.
    import meilisearch
    from meilisearch.errors import MeilisearchError

    from indexer.engines.errors import translated

    client = meilisearch.Client(url, master_key, timeout=10)
    try:
        return {variable: _make_or_get(client, key) for variable, key in _KEYS.items()}
    except MeilisearchError as error:
        raise LocalStackError(
            f"The keys of the engine at {url} cannot be made: {translated(error)}."
        ) from error


def _make_or_get(client: "meilisearch.Client", key: dict[str, object]) -> str:
    from meilisearch.errors import MeilisearchApiError

    try:
        made = client.create_key(key | {"indexes": ["*"], "expiresAt": None})
    except MeilisearchApiError as error:
        if error.code != "api_key_already_exists":
            raise
        made = client.get_key(str(key["uid"]))
    return str(made.key)
