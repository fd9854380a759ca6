"""The command `thmanyah db verify-backup`: restores a dump beside the product and looks whether it is a whole catalogue."""

import shutil
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import click
import psycopg
from psycopg import sql
from sqlalchemy import Engine, NullPool, create_engine, text
from sqlalchemy.engine import make_url

from catalog.core.db import session_factory
from catalog.programs import queries
from catalog.programs.models import BUCKETS
from catalog.schema import migrate
from indexer.engines import document

# How many buckets of programs are read at a time.
_PART = 16
# Rows that say how much a backup has.
_COUNTED = ("programs", "program_revisions", "categories", "series", "accounts", "audit_events")


class UnusableBackupError(Exception):
    """The dump cannot be restored, or lacks something. The text is for the operator."""


@contextmanager
def _scratch_server() -> Iterator[str]:
    """Start a PostgreSQL of this machine's own in a temporary folder; give the address of its first database.

    Raises:
        UnusableBackupError: It does not start.
    """
    from deploy.local import ports
    from deploy.local.process import Child
    from deploy.local.servers import postgres

    with tempfile.TemporaryDirectory(prefix="thmanyah-backup-", ignore_cleanup_errors=True) as folder:
        data, port = Path(folder) / "postgres", ports.ephemeral()
        # PostgreSQL may run as another user, who must reach its folder.
        Path(folder).chmod(0o755)
        postgres.initialise(data, durable=False)
        address = postgres.url(port, "postgres")
        child = Child(
            "postgres",
            postgres.server_command(data, port, durable=False),
            lambda: _answers(address),
            "",
            base_environment=postgres.environment(),
            user=postgres.user(),
        )
        child.start(Path(folder) / "logs")
        try:
            if not child.wait_ready(60, lambda: False):
                raise UnusableBackupError((Path(folder) / "logs" / "postgres.log").read_text())
            yield address
        finally:
            child.stop(timeout=5)


def _answers(address: str) -> bool:
    try:
        psycopg.connect(_plain(address), connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def _plain(address: str) -> str:
    return make_url(address).set(drivername="postgresql").render_as_string(hide_password=False)


@contextmanager
def _scratch_database(server: str) -> Iterator[str]:
    """Create a database on the server and drop it again; give its address."""
    name = f"verify_{uuid.uuid4().hex}"
    with psycopg.connect(_plain(server), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield make_url(server).set(database=name).render_as_string(hide_password=False)
        finally:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _pg_restore() -> str:
    """Return where pg_restore is: with the local servers, or on PATH, where an old one may be.

    Raises:
        UnusableBackupError: It is not installed.
    """
    try:
        from deploy.local.servers.postgres import BIN
    except ModuleNotFoundError:
        found = shutil.which("pg_restore")
    else:
        found = str(BIN / "pg_restore")
    if found is None:
        raise UnusableBackupError("pg_restore is not installed (Debian: apt install postgresql-client)")
    return found


def _restore(dump: Path, url: str) -> None:
    """Restore a dump into an empty database.

    Raises:
        UnusableBackupError: It cannot be read, or not to its end.
    """
    command = [_pg_restore(), "--no-owner", "--no-privileges", "--exit-on-error", f"--dbname={_plain(url)}"]
    done = subprocess.run([*command, str(dump)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise UnusableBackupError(done.stderr.strip().partition("\n")[0] or "pg_restore failed")


def audit(url: str) -> dict[str, int]:
    """Look whether a restored database is a whole catalogue of this build.

    The schema is brought up first, as after a real restore. Then it is compared with the models, every constraint is
    checked against the rows, and the document of every published program is built.

    Args:
        url: The restored database; nobody else uses it.

    Returns:
        How many rows the tables that matter have, and how many documents were built.

    Raises:
        UnusableBackupError: Something is missing or contradicts itself.
    """
    migrate.upgrade(url)
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        missing = connection.scalars(
            text("SELECT conrelid::regclass || '.' || conname FROM pg_constraint WHERE NOT convalidated")
        ).all()
        if missing:
            raise UnusableBackupError(f"constraints that were never checked: {', '.join(missing)}")
        differences = migrate.differences(url)
        if differences:
            raise UnusableBackupError(f"the schema differs from this build's: {differences[0]}")
        found = {
            table: int(connection.scalar(text(f"SELECT count(*) FROM {table}")) or 0)  # noqa: S608 (our own names)
            for table in _COUNTED
        }
    found["documents"] = _documents(engine)
    return found


def _documents(engine: Engine) -> int:
    """Build the document of every published program; return how many.

    Raises:
        UnusableBackupError: A published program was not found by the audit's buckets.
    """
    built = 0
    with session_factory(engine)() as session:
        for first in range(0, BUCKETS, _PART):
            limits = {"first": first, "last": first + _PART - 1}
            for row in session.execute(queries.BY_BUCKETS, limits).mappings():
                document.build(cast("queries.ProgramRow", dict(row)))
                built += 1
        published = session.scalars(queries.count_published()).one()
    if built != published:
        raise UnusableBackupError(f"{published} programs are published, {built} have a document")
    return built


@click.command("verify-backup")
@click.argument("dump", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--server",
    help="Address of a scratch server on which a database may be created; without it one is started here.",
)
def verify_backup(dump: Path, server: str | None) -> None:
    """Restore a dump (pg_dump --format=custom) into a scratch database, and look whether it is a whole catalogue."""
    try:
        if server is not None:
            found = _verify(dump, server)
        else:
            with _scratch_server() as own:
                found = _verify(dump, own)
    except UnusableBackupError as error:
        click.echo(f"the backup cannot be used: {error}", err=True)
        sys.exit(1)
    click.echo("the backup is whole: " + ", ".join(f"{count} {name}" for name, count in found.items()))


def _verify(dump: Path, server: str) -> dict[str, int]:
    with _scratch_database(server) as url:
        _restore(dump, url)
        return audit(url)
