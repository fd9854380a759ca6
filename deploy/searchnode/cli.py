"""`thmanyah searchnode`: starts the node by the names of a real Meilisearch's options and variables.

The supervised stack (`deploy/local/`), tests and benchmarks run this command; nothing imports the node.
"""

import asyncio
import gc
import logging
import sys
from pathlib import Path

import click

from deploy.searchnode.http.app import MAX_BODY, create_app
from deploy.searchnode.http.keys import Keys
from deploy.searchnode.http.serving import PortError, bind, serve
from deploy.searchnode.storage.database import CorruptStore
from deploy.searchnode.tasks.node import Node
from deploy.searchnode.tasks.worker import Worker

MIN_MASTER_KEY_BYTES = 16


@click.command()
@click.option(
    "--http-addr",
    envvar="MEILI_HTTP_ADDR",
    default="127.0.0.1:7700",
    show_default=True,
    help="Where to listen, as HOST:PORT.",
)
@click.option("--master-key", envvar="MEILI_MASTER_KEY", help="Without it everybody may do everything.")
@click.option(
    "--db-path",
    envvar="MEILI_DB_PATH",
    default="./data.ms",
    show_default=True,
    help="The folder of the node's data.",
)
@click.option(
    "--http-payload-size-limit",
    "max_body",
    envvar="MEILI_HTTP_PAYLOAD_SIZE_LIMIT",
    type=click.IntRange(1),
    default=MAX_BODY,
    show_default=True,
    help="Bytes that a request may have.",
)
@click.option(
    "--env",
    "environment",
    envvar="MEILI_ENV",
    type=click.Choice(["development", "production"]),
    default="development",
    show_default=True,
    help="In production, a master key of at least 16 bytes is required.",
)
@click.option("--max-indexing-memory", envvar="MEILI_MAX_INDEXING_MEMORY", hidden=True)
@click.option("--no-analytics", is_flag=True, hidden=True)
def searchnode(
    http_addr: str,
    master_key: str | None,
    db_path: str,
    max_body: int,
    environment: str,
    max_indexing_memory: str | None,
    no_analytics: bool,
) -> None:
    """Serve the part of Meilisearch's HTTP API that the product uses, from this machine."""
    _serve(http_addr, master_key, Path(db_path), max_body, production=environment == "production")


def _serve(http_addr: str, master_key: str | None, folder: Path, max_body: int, *, production: bool) -> None:
    """Start the node and serve it until the process is asked to stop.

    Args:
        http_addr: Where to listen, as HOST:PORT.
        master_key: Signs the keys; None for a node without keys.
        folder: Of the node's data.
        max_body: Bytes that a request may have.
        production: Refuse a short master key.

    Raises:
        ClickException: An option is wrong, the port is taken, or the store is damaged.
    """
    length = len((master_key or "").encode())
    if production and length < MIN_MASTER_KEY_BYTES:
        raise click.ClickException(
            f"In production the master key must have at least {MIN_MASTER_KEY_BYTES} bytes. "
            f"{f'This one has {length}' if length else 'There is none: set MEILI_MASTER_KEY'}."
        )
    host, _, port = http_addr.rpartition(":")
    if not host or not port.isdecimal():
        raise click.ClickException(f"{http_addr!r} is not HOST:PORT.")
    # Indexing and searches share the interpreter: searches get their turn sooner.
    sys.setswitchinterval(0.001)
    # A search makes many small objects and drops them soon: Python looks for circles less often.
    gc.set_threshold(50_000, 20, 50)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        bound = bind(host, int(port))
    except PortError as error:
        raise click.ClickException(str(error)) from error
    try:
        node = Node(folder)
    except CorruptStore as error:
        raise click.ClickException(f"The database is damaged and is not served. {error}") from error
    worker = Worker(node)
    worker.start()
    host, number = bound.getsockname()[:2]
    try:
        app = create_app(node, Keys(node.store, master_key), max_body)
        asyncio.run(serve(app, bound, f"search node listening on http://{host}:{number}"))
    finally:
        worker.stop()
