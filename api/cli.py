"""The commands `thmanyah api` and `thmanyah openapi`. `deploy/cli.py` adds them to the console script."""

import json
import multiprocessing
import os
import shutil
import socket
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from indexer.process import listening, loading, logs, stopping, telemetry

if TYPE_CHECKING:
    from api.server import Server
    from api.settings import Settings


@click.command()
def api() -> None:
    """Serve the HTTP API (API_HOST, API_PORT, API_WORKERS)."""
    stop = stopping.requested(_kill_workers)
    server, known = import_server()
    everything = known.from_env()
    # Read again with each request that needs them: a wrong variable ends the start, and no page.
    from indexer.pictures.settings import PictureSettings

    PictureSettings()
    logs.configure(everything.indexer.log_format)
    # The workers record; that they do, or cannot, is said once.
    telemetry.is_on()
    settings = everything.api
    _refuse_powerful_key(everything)
    # Before the metrics folder is emptied: it belongs to the process that has the port.
    bound = _claim(settings.host, settings.port)
    # Before any module imports prometheus_client, which reads this variable at import.
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    made = folder is None
    folder = folder or tempfile.mkdtemp(prefix="thmanyah-metrics-")
    shutil.rmtree(folder, ignore_errors=True)
    Path(folder).mkdir(parents=True)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
    try:
        server(bound, stop, settings.workers).run()
    finally:
        if made:
            shutil.rmtree(folder, ignore_errors=True)


def import_server() -> "tuple[type[Server], type[Settings]]":
    """Import and return what serves, and its settings: after the process has begun to listen for signals."""
    with loading.quickly(rich=False):
        from api.server import Server
        from api.settings import Settings

        return Server, Settings


@click.command()
def openapi() -> None:
    """Print the OpenAPI document."""
    from api.app import routers
    from api.openapi import document
    from api.settings import Settings

    click.echo(json.dumps(document(routers(Settings.from_env())), ensure_ascii=False, indent=2))


def _claim(host: str, port: int) -> socket.socket:
    """Take the port for this process alone.

    Raises:
        ClickException: The port is taken, or the host is no address of this machine.
    """
    try:
        return listening.claim(host, port)
    except listening.CannotListenError as error:
        raise click.ClickException(str(error)) from error


def _refuse_powerful_key(settings: "Settings") -> None:
    """Keep the engine's other keys out of the process that strangers speak to.

    Raises:
        ClickException: In production, the API has no key of its own for searching.
    """
    engine = settings.indexer
    if settings.api.environment != "local" and engine.meili_search_key in ("", engine.meili_key):
        raise click.ClickException("MEILI_SEARCH_KEY must be a key of its own that may only search")


def _kill_workers() -> None:
    for child in multiprocessing.active_children():
        child.kill()
