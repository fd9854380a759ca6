"""How many files a process of the API may have open, and how many of them are connections of clients."""

import resource

# Connections of a worker, idle ones included: the server accepts no further ones. Each costs some kilobytes.
MAX_CONNECTIONS = 16_384
# Files that are no client's connection: logs, metrics, connections to PostgreSQL, Redis and engines.
SPARE_FILES = 512


def let_open_many_files() -> None:
    """Let this process and its workers open as many files as they may and need."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_CONNECTIONS + SPARE_FILES
    files = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < files:
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, hard))


def max_connections() -> int:
    """Return how many connections a worker accepts at the same time."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return MAX_CONNECTIONS
    return max(SPARE_FILES, min(MAX_CONNECTIONS, soft - SPARE_FILES))
