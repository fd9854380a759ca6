"""The command `thmanyah doctor`: whether the servers that the environment names fit together and fit the product.

Without `DATABASE_URL` it looks at this machine instead (`deploy/local/doctor.py`). Each line is ok, warn or fail, and
says what to do.
"""

import asyncio
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.error import URLError
from urllib.request import urlopen

import click
from pydantic import ValidationError
from redis.asyncio import Redis
from sqlalchemy import Connection, NullPool, create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from api.settings import Settings
from catalog.replicas.lag import POSITION, History, Position
from catalog.schema import readiness
from indexer import stores
from indexer.pictures.opening import open_store
from indexer.pictures.settings import PictureSettings
from indexer.pictures.storing import StoreAway

OK, WARN, FAIL = "ok", "warn", "fail"
# PostgreSQL's version that the product is tested with.
POSTGRES = 18
# A name that no picture has.
_NO_PICTURE = f"{'0' * 32}.png"
# Beyond one, times in logs mislead; beyond the other, access tokens of one machine are refused by another.
CLOCK_WARN, CLOCK_FAIL = 1.0, 30.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """A line: what was looked at, ok, warn or fail, and what was found or is to be done."""

    about: str
    level: str
    said: str


@dataclass(frozen=True, slots=True)
class Size:
    """How many API instances there are, and how many clients PgBouncer accepts."""

    instances: int
    max_clients: int


def connections_of_instance(settings: Settings) -> int:
    """Return how many connections to the primary the workers of one API instance may open, and the processes beside it."""
    catalog = settings.catalog
    # Editors' pool, listeners' pool, searches without an engine, the watch of engines, the watch of replicas.
    worker = (
        2 * catalog.pool_max + settings.api.fallback_concurrency + 1 + bool(catalog.database_replica_urls)
    )
    return settings.api.workers * worker


def _connected(url: str, settings: Settings) -> Connection:
    arguments = {"connect_timeout": settings.catalog.connect_timeout}
    return create_engine(url, poolclass=NullPool, connect_args=arguments).connect()


def _database(about: str, url: str, settings: Settings) -> Iterator[Verdict]:
    with _connected(url, settings) as connection:
        before = time.time()
        row = connection.execute(
            text(
                "SELECT current_setting('server_version_num')::int / 10000 AS version, pg_is_in_recovery() AS standby, "
                "extract(epoch FROM clock_timestamp())::float AS now, inet_server_port() AS port, "
                "current_setting('synchronous_commit') AS durable"
            )
        ).one()
        skew = row.now - (before + time.time()) / 2
    if row.standby:
        yield Verdict(about, FAIL, "it is a standby: name the primary, or promote it")
    elif row.version < POSTGRES:
        yield Verdict(
            about, WARN, f"PostgreSQL {row.version}: the product is tested with {POSTGRES}; upgrade it"
        )
    elif row.durable == "off":
        yield Verdict(
            about, FAIL, "synchronous_commit is off: a crash may lose what the index has; set it to on"
        )
    else:
        yield Verdict(about, OK, f"PostgreSQL {row.version}, the primary")
    level = FAIL if abs(skew) > CLOCK_FAIL else WARN if abs(skew) > CLOCK_WARN else OK
    advice = "" if level == OK else ": let both machines use NTP"
    yield Verdict(
        "clock", level, f"{abs(skew):.2f} s {'behind' if skew > 0 else 'ahead of'} the database{advice}"
    )


def _direct(settings: Settings) -> Iterator[Verdict]:
    url = make_url(settings.catalog.direct_url)
    with _connected(settings.catalog.direct_url, settings) as connection:
        port = connection.scalar(text("SELECT inet_server_port()"))
        connection.execute(text("SELECT pg_advisory_xact_lock_shared(0)"))
    if port is not None and url.port is not None and port != url.port:
        said = f"the server listens on port {port}, the address names {url.port}: it must not be a pooler (DATABASE_DIRECT_URL)"
        yield Verdict("direct", WARN, said)
    else:
        yield Verdict("direct", OK, "reached without a pooler")


def _migrations(settings: Settings) -> Iterator[Verdict]:
    with _connected(settings.catalog.database_url, settings) as connection:
        try:
            current = connection.scalar(readiness.VERSION)
            readiness.require_newest(current)
        except readiness.SchemaBehindError as error:
            yield Verdict("migrations", FAIL, str(error))
        except DBAPIError:
            yield Verdict("migrations", FAIL, "the database has no schema: run `thmanyah migrate`")
        else:
            newer = "" if current == readiness.newest() else f", newer than this build's {readiness.newest()}"
            yield Verdict("migrations", OK, f"the schema is at {current}{newer}")


def _replicas(settings: Settings) -> Iterator[Verdict]:
    if not settings.catalog.database_replica_urls:
        yield Verdict("replicas", OK, "none: the primary answers all reads")
    for url in settings.catalog.database_replica_urls:
        about = f"replica {make_url(url).host}"
        history = History()
        with _connected(settings.catalog.direct_url, settings) as primary:
            history.add(Position(**primary.execute(text(POSITION)).one()._mapping), time.monotonic())
        try:
            with _connected(url, settings) as connection:
                behind = history.behind(Position(**connection.execute(text(POSITION)).one()._mapping))
        except DBAPIError as error:
            yield Verdict(
                about, WARN, f"no answer: reads go to the others ({_line(error)}); start it or remove it"
            )
            continue
        if behind == float("inf"):
            yield Verdict(about, FAIL, "it does not follow the primary: make it anew from a base backup")
        else:
            level = OK if behind <= settings.catalog.replica_max_lag else WARN
            advice = "" if level == OK else ": reads leave it until it has caught up"
            yield Verdict(about, level, f"{behind:.1f} s behind{advice}")


def _redis(settings: Settings) -> Iterator[Verdict]:
    async def ask(url: str) -> tuple[dict[str, object], int]:
        client: Redis = stores.open_async(url, timeout=2, connect_timeout=2)
        try:
            await client.ping()
            return await stores.info(client), await stores.lost_slots(client)
        finally:
            await stores.close(client)

    for role, url in (
        ("cache", settings.indexer.redis_cache_url),
        ("queue", settings.indexer.redis_queue_url),
    ):
        try:
            info, lost = asyncio.run(ask(url))
        except stores.REDIS_AWAY as error:
            missing = "everything is slower" if role == "cache" else "imports, rebuilds and audits wait"
            yield Verdict(role, FAIL, f"no answer, so {missing}: {_line(error)}")
            continue
        advice = stores.cache_advice(url, info) if role == "cache" else stores.queue_advice(info)
        if lost:
            yield Verdict(role, FAIL, f"the cluster has no server for {lost} of 16384 slots: start its nodes")
        elif advice:
            yield Verdict(role, FAIL if stores.is_cluster(info) else WARN, advice)
        else:
            yield Verdict(role, OK, stores.parse(url).kind)


def _engines(settings: Settings) -> Iterator[Verdict]:
    for name, url in settings.indexer.configured_engines.items():
        try:
            with urlopen(f"{url}/health", timeout=2) as answer:  # noqa: S310 (the settings allow http and https alone)
                level, said = (OK, "available") if answer.status == 200 else (FAIL, f"status {answer.status}")
        except (URLError, OSError) as error:
            level, said = FAIL, f"no answer: {_line(error)}; start it, or remove it from MEILI_URLS"
        yield Verdict(f"engine {name}", level, said)


def _pictures(size: Size) -> Iterator[Verdict]:
    try:
        settings = PictureSettings()
    except ValidationError as error:
        yield Verdict("pictures", FAIL, error.errors()[0]["msg"].removeprefix("Value error, "))
        return
    store = open_store(settings)
    if store is None:
        yield Verdict("pictures", OK, "no place is set: editors upload none")
        return
    try:
        store.get(_NO_PICTURE)
    except StoreAway as error:
        yield Verdict("pictures", FAIL, f"{error}: editors upload none, and listeners see none")
        return
    if settings.folder and size.instances > 1:
        said = f"a folder, which all {size.instances} instances must share; otherwise set PICTURES_BUCKET_URL"
        yield Verdict("pictures", WARN, said)
    else:
        yield Verdict("pictures", OK, "a bucket" if settings.bucket_url else "a folder")


def _connections(settings: Settings, size: Size) -> Iterator[Verdict]:
    each = connections_of_instance(settings)
    wanted = size.instances * each
    with _connected(settings.catalog.direct_url, settings) as connection:
        most = int(connection.scalar(text("SELECT current_setting('max_connections')::int")) or 0)
    pooled = settings.catalog.direct_url != settings.catalog.database_url
    limit, name = (size.max_clients, "PgBouncer's max_client_conn") if pooled else (most, "max_connections")
    said = f"{size.instances} instances x {each} = {wanted} at most; {name} is {limit}"
    if wanted <= limit:
        yield Verdict("connections", OK, said)
    else:
        yield Verdict(
            "connections", FAIL, f"{said}: lower DATABASE_POOL_MAX or put PgBouncer before PostgreSQL"
        )


def _line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).partition("\n")[0]


def examine(settings: Settings, size: Size) -> Iterator[Verdict]:
    """Look at everything that the settings name, and give a verdict of each."""
    checks: dict[str, Callable[[], Iterator[Verdict]]] = {
        "primary": lambda: _database("primary", settings.catalog.database_url, settings),
        "direct": lambda: _direct(settings),
        "migrations": lambda: _migrations(settings),
        "replicas": lambda: _replicas(settings),
        "connections": lambda: _connections(settings, size),
        "redis": lambda: _redis(settings),
        "engines": lambda: _engines(settings),
        "pictures": lambda: _pictures(size),
    }
    for about, check in checks.items():
        try:
            yield from check()
        except DBAPIError as error:
            yield Verdict(about, FAIL, f"PostgreSQL does not answer: {_line(error.orig or error)}")


def _this_machine() -> int:
    """Look at this machine; return the exit code.

    Raises:
        ClickException: Neither servers are named nor local ones installed.
    """
    try:
        from deploy.local.doctor import examine_machine
    except ModuleNotFoundError as error:
        said = "Name the servers (DATABASE_URL=…), or install the local ones: requirements/local.txt."
        raise click.ClickException(said) from error
    return examine_machine()


@click.command()
@click.option("--instances", default=3, show_default=True, help="How many API instances there are.")
@click.option("--max-clients", default=1000, show_default=True, help="PgBouncer's max_client_conn.")
def doctor(instances: int, max_clients: int) -> None:
    """Check the servers that the environment names, or without DATABASE_URL this machine; exit with 1 on a failure."""
    if not os.environ.get("DATABASE_URL"):
        sys.exit(_this_machine())
    # A wrong variable is explained by `deploy.explain`.
    settings = Settings.from_env()
    click.echo(f"{OK:5} {'settings':14} every variable can be read")
    failed = False
    for verdict in examine(settings, Size(instances, max_clients)):
        failed |= verdict.level == FAIL
        click.echo(f"{verdict.level:5} {verdict.about:14} {verdict.said}")
    sys.exit(int(failed))
