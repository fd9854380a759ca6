"""The product's processes as children of a test."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil

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


def family(pid: int) -> list[psutil.Process]:
    """Return a process and all processes below it; nothing when it has ended.

    The kernel lists the children of each thread. psutil looks for them among all processes of the machine, which
    costs a test that looks often as much as what it looks at.
    """
    try:
        first = psutil.Process(pid)
        if not Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").exists():
            return [first, *first.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []
    found = [first]
    for number in _below(pid):
        with suppress(psutil.NoSuchProcess):
            found.append(psutil.Process(number))
    return found


def _below(pid: int) -> Iterator[int]:
    # What has ended meanwhile has no children any more.
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            with suppress(OSError):
                for child in map(int, (task / "children").read_text().split()):
                    yield child
                    yield from _below(child)
