"""PostgreSQL: a primary, a streaming replica of it, and the roles that may connect."""

import signal
import subprocess
from pathlib import Path

import psycopg
from psycopg import sql

from deploy.local.errors import LocalStackError
from deploy.local.process import Child
from deploy.local.servers import postgres
from deploy.proving.layout import Place

DATABASE, ROLE, SLOT = "thmanyah", "thmanyah", "replica"
# The cluster's own superuser is trusted from this machine; everybody else has a password.
_RULES = """\
host all postgres 127.0.0.0/8 trust
host replication postgres 127.0.0.0/8 trust
host all all 127.0.0.0/8 scram-sha-256
"""


def initialise(data: Path) -> None:
    """Create the primary's folder.

    Raises:
        LocalStackError: It cannot be created.
    """
    postgres.initialise(data, durable=False)
    (data / "pg_hba.conf").write_text(_RULES)


def child(name: str, data: Path, place: Place) -> Child:
    """Return a server; what it commits is on the disk.

    Args:
        name: Of the part.
        data: Its folder.
        place: Where it listens.
    """
    options = {
        "listen_addresses": place.host,
        "shared_buffers": "128MB",
        # A replica that was away for a while finds what it missed.
        "wal_keep_size": "256MB",
        "max_slot_wal_keep_size": "1GB",
        "hot_standby_feedback": "on",
        "wal_receiver_status_interval": "1s",
        "wal_retrieve_retry_interval": "500ms",
        "primary_slot_name": SLOT,
        "log_min_messages": "log",
    }
    extra = [part for key, value in options.items() for part in ("-c", f"{key}={value}")]
    return Child(
        name,
        [*postgres.server_command(data, place.port), *extra],
        lambda: connects(place),
        place.address,
        base_environment=postgres.environment(),
        user=postgres.user(),
        # A fast shutdown: it ends sessions instead of waiting for them.
        stop_signal=signal.SIGINT,
    )


def admin(place: Place, database: str = "postgres") -> "psycopg.Connection[tuple[object, ...]]":
    """Return a connection as the superuser, in which each statement commits.

    Raises:
        psycopg.OperationalError: The server does not answer.
    """
    return psycopg.connect(
        host=place.host,
        port=place.port,
        user=postgres.SUPERUSER,
        dbname=database,
        connect_timeout=2,
        autocommit=True,
    )


def connects(place: Place) -> bool:
    """Return whether the server takes connections."""
    try:
        admin(place).close()
    except psycopg.OperationalError:
        return False
    return True


def create_database(place: Place, password: str) -> None:
    """Create the product's role and its database, and the replica's slot."""
    with admin(place) as connection:
        role, database = sql.Identifier(ROLE), sql.Identifier(DATABASE)
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(role, sql.Literal(password)))
        connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(database, role))
        connection.execute("SELECT pg_create_physical_replication_slot(%s, true)", [SLOT])


def copy(primary: Place, data: Path) -> None:
    """Make the replica's folder by a base backup of the primary.

    Raises:
        LocalStackError: The backup failed.
    """
    data.mkdir(parents=True, mode=0o700)
    prefix, uid = postgres.as_ordinary_user()
    command = [
        *(*prefix, str(postgres.BIN / "pg_basebackup"), "--pgdata", str(data), "--write-recovery-conf"),
        *("--checkpoint", "fast", "--wal-method", "stream", "--no-sync", "--no-password"),
        *("--host", primary.host, "--port", str(primary.port), "--username", postgres.SUPERUSER),
    ]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        user=uid,
        group=uid,
        env=postgres.environment(),
        timeout=120,
        check=False,
    )
    if done.returncode != 0:
        raise LocalStackError(f"The replica's base backup failed: {done.stderr.strip()}")


def streams(primary: Place) -> bool:
    """Return whether a replica receives the primary's changes."""
    with admin(primary) as connection:
        found = connection.execute("SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'")
        return found.fetchone() != (0,)
