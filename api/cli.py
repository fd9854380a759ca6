"""`thmanyah api` and `thmanyah openapi`."""

import json
import logging
import os
import shutil
import tempfile
from pathlib import Path

import click


@click.command()
def api() -> None:
    """Serve the HTTP API (API_HOST, API_PORT, API_WORKERS)."""
    # Before anything imports prometheus_client: it decides at import where its values live.
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    made = folder is None
    folder = folder or tempfile.mkdtemp(prefix="thmanyah-metrics-")
    shutil.rmtree(folder, ignore_errors=True)
    Path(folder).mkdir(parents=True)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder

    from granian import Granian
    from granian.constants import Interfaces, Loops

    from api.settings import Settings

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    settings = Settings.from_env().api
    try:
        Granian(
            "api.app:asgi",
            address=settings.host,
            port=settings.port,
            interface=Interfaces.ASGI,
            loop=Loops.uvloop,
            workers=settings.workers,
            factory=True,
            backlog=4096,
            backpressure=1024,
            respawn_failed_workers=True,
            log_access=False,
        ).serve()
    finally:
        if made:
            shutil.rmtree(folder, ignore_errors=True)


@click.command()
def openapi() -> None:
    """Print the OpenAPI document."""
    from api.app import create_app

    click.echo(json.dumps(create_app().state.openapi(), ensure_ascii=False, indent=2))
