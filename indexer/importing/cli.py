"""`thmanyah import`."""

import logging
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
from redis import Redis
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from sqlalchemy import Engine

from catalog.actor import Actor
from catalog.db import opened, session_factory
from catalog.errors import CatalogError
from catalog.imports import lifecycle, queries, sources, youtube
from catalog.imports.models import FILES, ImportRun
from catalog.imports.options import Options
from catalog.settings import CatalogSettings
from indexer.importing import documents
from indexer.importing.runner import Runner
from indexer.importing.settings import ImportSettings
from indexer.importing.sources import SOURCES
from indexer.invalidation import Invalidator
from indexer.settings import IndexerSettings

_ACTOR = Actor("system", name="command line")
_SUFFIXES = {".csv": "csv", ".tsv": "csv", ".json": "json", ".jsonl": "jsonl", ".ndjson": "jsonl", ".opml": "opml",
             ".xml": "feed", ".rss": "feed", ".atom": "feed"}  # fmt: skip
_SHOWN = 20


@click.command("import")
@click.argument("what", metavar="ADDRESS|FILE")
@click.option(
    "--type",
    "kind",
    type=click.Choice(list(SOURCES)),
    help="Default: by the name; an address is a feed.",
)
@click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing.")
@click.option("--publish", is_flag=True, help="Publish what is new; default: drafts.")
@click.option("--language", help="For items that do not say: ar, en …")
@click.option(
    "--media-type", type=click.Choice(["audio", "video"]), help="For items that do not say."
)
@click.option(
    "--map", "mapping", multiple=True, metavar="COLUMN=FIELD", help="Fill a field from a column."
)
@click.option("--day-first/--month-first", default=None, help="How dates such as 05/03/2024 are meant.")  # fmt: skip
@click.option("--namespace", help="Keeps the ids of this file apart from those of other files.")
@click.option("--remember", is_flag=True, help="Refresh this feed from now on.")
def import_(
    what: str, kind: str | None, dry_run: bool, publish: bool, language: str | None,
    media_type: str | None, mapping: tuple[str, ...], namespace: str | None, remember: bool,
    day_first: bool | None,
) -> None:  # fmt: skip
    """Import programs from a feed, a file or a list of feeds."""
    logging.basicConfig(level=logging.ERROR)
    pairs = [entry.rpartition("=") for entry in mapping]
    if any(not equals for _, equals, _ in pairs):
        raise click.BadParameter("must be COLUMN=FIELD", param_hint="--map")
    options = Options(
        policy="publish" if publish else "draft",
        language=language,
        media_type=media_type,
        mapping={column: field for column, _, field in pairs},
        namespace=namespace,
        day_first=day_first,
    )
    found = kind or _kind_of(what)
    # Channels may also be given by id or handle.
    url = what if found == "youtube" or urlsplit(what).scheme in ("http", "https") else None
    settings = CatalogSettings().model_copy(
        update={"pool_min": 1, "pool_max": 4, "statement_timeout_ms": 120_000}
    )
    with opened(settings, application="thmanyah-import") as database:
        try:
            run_id = _create(database, found, url, what, options, dry_run, remember)
        except CatalogError as error:
            raise click.ClickException(error.detail if hasattr(error, "detail") else str(error)) from error  # fmt: skip
        run = _carry_out(database, run_id)
        _report(database, run)
    if run.status != "succeeded" or run.failed:
        raise SystemExit(1)


def _kind_of(what: str) -> str:
    if youtube.is_youtube(what):
        return "youtube"
    found = _SUFFIXES.get(Path(urlsplit(what).path).suffix.lower())
    if found is None and urlsplit(what).scheme not in ("http", "https"):
        raise click.UsageError("Say what the file is: --type.")
    return found or "feed"


def _create(
    database: Engine, kind: str, url: str | None, what: str, options: Options, dry_run: bool, remember: bool
) -> int:  # fmt: skip
    body = None
    if url is None:
        try:
            body = Path(what).read_bytes()
        except OSError as error:
            raise click.ClickException(f"{what}: {error.strerror}") from error
        if remember:
            raise click.UsageError("Only an address can be remembered.")
    elif kind in FILES and remember:
        raise click.UsageError("Only a feed can be remembered.")
    else:
        url = sources.check_url(kind, url)
    with session_factory(database).begin() as session:
        source = sources.find(session, kind, url) if url else None
        if remember and url and source is None and not dry_run:
            source = sources.create(session, kind, url, options, _ACTOR)
        # A file is known by its name: the same file again finds the same programs.
        name = url or f"file://{Path(what).name}"
        run = lifecycle.create(
            session, kind, options, _ACTOR, url=url, dry_run=dry_run, trigger="cli", source=source,
            file_name=None if url else Path(what).name,
            namespace=source.namespace if source else sources.namespace_of(kind, name, options),
        )  # fmt: skip
        if body is not None:
            for part, packed in enumerate(documents.pack(body)):
                lifecycle.add_part(session, run.id, 0, part, packed, {})
            run.fetched = True
        return run.id


def _carry_out(database: Engine, run_id: int) -> ImportRun:
    settings = IndexerSettings()
    cache = Redis.from_url(settings.redis_cache_url, socket_timeout=2, socket_connect_timeout=1)
    invalidator = Invalidator(cache, settings.redis_prefix)
    columns: list[Any] = [SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()]  # fmt: skip
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("fetching", total=None)

        def show(run: ImportRun) -> None:
            bar.update(task, description=f"import {run.id}", completed=lifecycle.done(run), total=run.total)  # fmt: skip

        runner = Runner(database, ImportSettings(), invalidator=invalidator, progress=show)
        while True:
            status = runner.run(run_id)
            with session_factory(database)() as session:
                run = lifecycle.get(session, run_id)
            # A day is too long to wait for: the product's workers go on then.
            if status not in ("queued", "busy") or run.code == "quota_exhausted":
                cache.close()
                return run
            # Tried again later, or a worker of the product was faster and carries it out.
            bar.update(task, description=f"waiting: {run.code}" if run.code else "waiting")
            time.sleep(0.5)


def _report(database: Engine, run: ImportRun) -> None:
    console = Console()
    table = Table(show_header=True, title=f"Import {run.id}{' (dry run)' if run.dry_run else ''}: {run.status}", title_justify="left")  # fmt: skip
    for name in lifecycle.COUNTERS:
        table.add_column(name, justify="right")
    table.add_row(*(str(getattr(run, column)) for column in lifecycle.COUNTERS.values()))
    console.print(table)
    if run.code:
        console.print(f"{run.code}: {run.detail or ''}", markup=False, highlight=False)
    with session_factory(database)() as session:
        failed = list(session.scalars(queries.items(run.id, 0, _SHOWN, "failed")))
    for item in failed:
        console.print(f"  {item.position}  {item.title[:60]}  {item.detail}", markup=False, highlight=False, soft_wrap=True)  # fmt: skip
    if run.failed > len(failed):
        console.print(f"  … and {run.failed - len(failed)} more")
