"""The product's processes as children of a test."""

import os
import subprocess
from pathlib import Path

from api.settings import Settings


def environment(settings: Settings) -> dict[str, str]:
    """Return the variables that give a process these settings."""
    return {
        "DATABASE_URL": settings.catalog.database_url,
        "DATABASE_POOL_MIN": "1",
        "DATABASE_POOL_MAX": "10",
        "MEILI_URL": settings.indexer.meili_url,
        "MEILI_URLS": settings.indexer.meili_urls,
        "MEILI_KEY": settings.indexer.meili_key,
        "MEILI_INDEX": settings.indexer.meili_index,
        "REDIS_CACHE_URL": settings.indexer.redis_cache_url,
        "REDIS_QUEUE_URL": settings.indexer.redis_queue_url,
        "REDIS_PREFIX": settings.indexer.redis_prefix,
        "RATE_LIMIT_PER_MINUTE": "0",
        "LOGIN_LIMIT_PER_MINUTE": "1000",
    }


def running(command: list[str], environment: dict[str, str], log: Path) -> "subprocess.Popen[bytes]":
    """Start a process in a session of its own; the caller ends it.

    Args:
        command: The program and its arguments.
        environment: Variables on top of the test's own.
        log: Gets both of its outputs, behind what the file holds.
    """
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            env=os.environ | environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
