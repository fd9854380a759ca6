"""`thmanyah searchnode`: started like a real Meilisearch, by its option and environment names."""

import asyncio
import gc
import logging
import signal
import sys
from pathlib import Path

import click
from granian.constants import Interfaces
from granian.server.embed import Server

from deploy.local.searchnode.app import create_app
from deploy.local.searchnode.keys import Keys
from deploy.local.searchnode.node import Node
from deploy.local.searchnode.store import CorruptStore

MIN_MASTER_KEY = 16


@click.command()
@click.option("--http-addr", envvar="MEILI_HTTP_ADDR", default="127.0.0.1:7700", show_default=True)
@click.option("--master-key", envvar="MEILI_MASTER_KEY", help="Without it, everything is open.")
@click.option("--db-path", envvar="MEILI_DB_PATH", default="./data.ms", show_default=True)
@click.option("--env", "environment", envvar="MEILI_ENV", default="development", hidden=True)
@click.option("--max-indexing-memory", envvar="MEILI_MAX_INDEXING_MEMORY", hidden=True)
@click.option("--no-analytics", is_flag=True, hidden=True)
def searchnode(
    http_addr: str,
    master_key: str | None,
    db_path: str,
    environment: str,
    max_indexing_memory: str | None,
    no_analytics: bool,
) -> None:
    """Serve the part of Meilisearch's HTTP API that the product uses, from this machine."""
    if master_key is not None and len(master_key.encode()) < MIN_MASTER_KEY:
        raise click.ClickException(f"The master key must be at least {MIN_MASTER_KEY} bytes.")
    host, _, port = http_addr.rpartition(":")
    if not host or not port.isdecimal():
        raise click.ClickException(f"{http_addr!r} is not HOST:PORT.")
    # Indexing shares the interpreter with searches: let searches in sooner.
    sys.setswitchinterval(0.001)
    # A search makes many small things and soon lets go of them: look for cycles less often.
    gc.set_threshold(50_000, 20, 50)
    logging.basicConfig(
        level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )
    try:
        node = Node(Path(db_path))
    except CorruptStore as error:
        raise click.ClickException(f"The database is damaged and is not served. {error}") from error
    node.start()
    try:
        asyncio.run(_serve(node, Keys(node.store, master_key), host, int(port)))
    finally:
        node.stop()


async def _serve(node: Node, keys: Keys, host: str, port: int) -> None:
    server = Server(
        create_app(node, keys), address=host, port=port, interface=Interfaces.ASGI, log_access=False
    )
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    serving = asyncio.create_task(server.serve())
    stopping = asyncio.create_task(stop.wait())
    click.echo(f"search node listening on http://{host}:{port}")
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    if serving.done():
        serving.result()
        return
    server.stop()  # type: ignore[no-untyped-call]
    await serving
