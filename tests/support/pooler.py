"""PgBouncer in transaction mode before the run's PostgreSQL, from the very configuration that deploy/ has."""

import configparser
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from sqlalchemy.engine import make_url

from deploy.local import ports
from deploy.local.process import Child
from deploy.local.servers import postgres
from tests.support.databases import plain

CONFIGURATION = Path(__file__).parents[2] / "deploy/pgbouncer/pgbouncer.ini"


def program() -> str | None:
    """Return where PgBouncer is; None when it is not installed."""
    return shutil.which("pgbouncer", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")


@contextmanager
def pooled(url: str, folder: Path, *, size: int) -> Iterator[str]:
    """Run PgBouncer until the block ends.

    Args:
        url: The database that it connects to.
        folder: For its configuration and its log.
        size: How many server connections it opens at most.

    Yields:
        The database's address through PgBouncer.
    """
    database, port = make_url(url), ports.ephemeral()
    ini = configparser.ConfigParser(interpolation=None)
    ini.read(CONFIGURATION)
    ini["databases"] = {"*": f"host={database.host} port={database.port} user={database.username}"}
    ini["pgbouncer"].update(
        {"listen_port": str(port), "auth_type": "any", "default_pool_size": str(size), "unix_socket_dir": ""}
    )
    folder.chmod(0o755)
    path = folder / "pgbouncer.ini"
    with path.open("w") as file:
        ini.write(file)
    address = database.set(port=port).render_as_string(hide_password=False)

    def answers() -> bool:
        try:
            psycopg.connect(plain(address), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    prefix, user = postgres.as_ordinary_user()
    child = Child("pgbouncer", [*prefix, str(program()), str(path)], answers, "", user=user)
    child.start(folder)
    try:
        assert child.wait_ready(30, lambda: False), (folder / "pgbouncer.log").read_text()
        yield address
    finally:
        child.stop(timeout=5)
