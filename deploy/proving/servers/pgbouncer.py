"""PgBouncer in transaction mode, from deploy/pgbouncer/pgbouncer.ini with this machine's addresses in it."""

import configparser
from collections.abc import Mapping
from pathlib import Path

import psycopg

from deploy.local.process import Child
from deploy.local.servers import postgres
from deploy.proving import debian
from deploy.proving.layout import Place
from deploy.proving.servers.postgres import DATABASE, ROLE

FILE = Path(__file__).parents[2] / "pgbouncer" / "pgbouncer.ini"
# The database that goes to the replica.
READ_DATABASE = f"{DATABASE}_read"


def configure(folder: Path, place: Place, databases: Mapping[str, Place], password: str) -> None:
    """Write the configuration.

    Args:
        folder: Gets the files.
        place: Where PgBouncer listens.
        databases: Name for clients -> the server that has the database.
        password: The role's.
    """
    folder.mkdir(parents=True, exist_ok=True)
    ini = configparser.ConfigParser(interpolation=None)
    ini.read(FILE)
    ini["databases"] = {
        name: f"host={server.host} port={server.port} dbname={DATABASE}" for name, server in databases.items()
    }
    (folder / "userlist.txt").write_text(f'"{ROLE}" "{password}"\n')
    own = {
        "listen_addr": place.host,
        "listen_port": str(place.port),
        "auth_file": str(folder / "userlist.txt"),
        "unix_socket_dir": "",
        "admin_users": ROLE,
    }
    ini["pgbouncer"].update(own)
    with (folder / "pgbouncer.ini").open("w") as file:
        ini.write(file)


def child(folder: Path, place: Place, password: str) -> Child:
    """Return PgBouncer; it is up when the primary answers through it.

    Args:
        folder: Has the configuration.
        place: Where it listens.
        password: The role's.
    """
    # It refuses to run as root.
    prefix, user = postgres.as_ordinary_user()
    return Child(
        "pgbouncer",
        [*prefix, str(debian.find("pgbouncer")), str(folder / "pgbouncer.ini")],
        lambda: _answers(place, password),
        place.address,
        user=user,
    )


def tell(place: Place, password: str, command: str) -> None:
    """Run a command of its console.

    Args:
        place: Where it listens.
        password: The role's.
        command: Such as RELOAD.

    Raises:
        psycopg.Error: It does not answer, or refuses.
    """
    with psycopg.connect(_address(place, password, "pgbouncer"), autocommit=True) as connection:
        connection.execute(command.encode(), prepare=False)


def _address(place: Place, password: str, database: str) -> str:
    return f"postgresql://{ROLE}:{password}@{place.address}/{database}?connect_timeout=2"


def _answers(place: Place, password: str) -> bool:
    try:
        psycopg.connect(_address(place, password, DATABASE)).close()
    except psycopg.OperationalError:
        return False
    return True
