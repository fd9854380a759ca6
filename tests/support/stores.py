"""Settings over stores that no other test uses."""

import os
import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pydantic import SecretStr

from api.settings import ApiSettings, Settings
from catalog.core.settings import CatalogSettings
from indexer.settings import IndexerSettings

# Where no server is.
NOWHERE = "http://127.0.0.1:1"


def new_settings(database_url: str, servers: Mapping[str, str]) -> Settings:
    """Return the settings of all layers, with an index and a Redis prefix that no other test has.

    Args:
        database_url: The test's own database.
        servers: Addresses as tests.support.servers gives them.
    """
    valkey = servers["TEST_VALKEY"]
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0")
    mark = uuid.uuid4().hex[:12]
    return Settings(
        CatalogSettings(
            database_url=database_url,
            pool_min=1,
            pool_max=10,
            # A machine may be as slow as it likes.
            statement_timeout_ms=60_000,
        ),
        IndexerSettings(
            meili_url=servers["TEST_ENGINE"],
            meili_key=servers["TEST_ENGINE_KEY"],
            meili_index=f"programs_{mark}",
            redis_cache_url=f"{valkey}/0",
            # Queues have no prefix: every process of the run has a database of its own for them.
            redis_queue_url=f"{valkey}/{1 + int(worker[2:] or 0)}",
            redis_prefix=f"{mark}:",
            redis_timeout=5,
        ),
        ApiSettings(
            secret_key=SecretStr("a secret for tests alone, " * 3), rate_per_minute=0, login_per_minute=1000
        ),
    )


def lone(settings: Settings, **changed: Any) -> Settings:
    """Return the same product as if its engine had never been there, with all the time that it needs.

    Args:
        settings: The product.
        **changed: Further settings of the API.
    """
    changed = {"fallback_timeout_ms": 60_000} | changed
    indexer = settings.indexer.model_copy(update={"meili_url": NOWHERE})
    return replace(settings, indexer=indexer, api=settings.api.model_copy(update=changed))
