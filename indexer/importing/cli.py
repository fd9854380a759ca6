"""The command `thmanyah import`: creates a run and carries it out in this process, with a progress bar.

It needs PostgreSQL and no other process of the product. When Redis is away, cached answers expire by
themselves.
"""

import logging
import re
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from sqlalchemy import Engine

from catalog.core.actor import Actor
from catalog.core.db import opened, session_factory
from catalog.core.errors import CatalogError
from catalog.core.settings import CatalogSettings
from catalog.imports import items, queries, runs, sources, youtube
from catalog.imports.models import FILES, ImportRun
from catalog.imports.options import Options
from indexer.importing.reading import documents
from indexer.importing.running.runner import Runner
from indexer.importing.settings import ImportSettings
from indexer.importing.sources import SOURCES
from indexer.settings import IndexerSettings
from indexer.stores import invalidation
from indexer.stores.invalidation import Invalidator

_ACTOR = Actor("system", name="command line")
# Kinds of sources by the ending of a file's name.
_KINDS = {
    ".csv": "csv",
    ".tsv": "csv",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".opml": "opml",
    ".xml": "feed",
    ".rss": "feed",
    ".atom": "feed",
}
_MAX_FAILED_SHOWN = 20


@click.command("import")
@click.argument("source", metavar="ADDRESS|FILE")
@click.option(
    "--type",
    "kind",
    type=click.Choice(list(SOURCES)),
    help="Kind of the source. Default: by the file's name; an address is a feed.",
)
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@click.option("--publish", is_flag=True, help="Publish new programs. Default: they stay drafts.")
@click.option("--language", help="Language of items that do not name theirs: ar, en …")
@click.option("--media-type", type=click.Choice(["audio", "video"]), help="Of items that do not name theirs.")
@click.option(
    "--map",
    "mapping",
    multiple=True,
    metavar="COLUMN=FIELD",
    help="Fill this field from this column; may be repeated. COLUMN= leaves the column out.",
)
@click.option(
    "--day-first/--month-first",
    default=None,
    help="Whether 05/03/2024 is 5 March or May 3. Default: an error.",
)
@click.option(
    "--detect-media",
    is_flag=True,
    help="Ask for the first bytes of files of which nothing says whether they are audio or video.",
)
@click.option("--namespace", help="Keeps the ids of this file's programs apart from those of other files.")
@click.option("--remember", is_flag=True, help="Refresh this feed, channel or playlist from now on.")
def import_(
    source: str,
    kind: str | None,
    dry_run: bool,
    publish: bool,
    language: str | None,
    media_type: str | None,
    mapping: tuple[str, ...],
    namespace: str | None,
    remember: bool,
    day_first: bool | None,
    detect_media: bool,
) -> None:
    """Import programs from a feed, a YouTube channel, a file or a list of feeds.

    Exits with 1 when the import or one of its items failed.
    """
    logging.basicConfig(level=logging.ERROR)
    options = Options(
        policy="publish" if publish else "draft",
        language=language,
        media_type=media_type,
        mapping=_mapping(mapping),
        namespace=namespace,
        day_first=day_first,
        detect_media=detect_media,
    )
    kind = kind or _kind_of(source)
    # A channel may be given by its id or handle instead of an address.
    url = source if kind == "youtube" or urlsplit(source).scheme in ("http", "https") else None
    settings = CatalogSettings().model_copy(
        update={"pool_min": 1, "pool_max": 4, "statement_timeout_ms": 120_000}
    )
    with opened(settings, application="thmanyah-import") as database:
        try:
            run_id = _create(database, kind, url, source, options, dry_run, remember)
        except CatalogError as error:
            click.echo(f"Error: {error.detail}", err=True)
            sys.exit(1)
        run = _carry_out(database, run_id)
        _report(database, run)
    if run.status != "succeeded" or run.failed:
        sys.exit(1)


def _mapping(entries: tuple[str, ...]) -> dict[str, str]:
    pairs = [entry.rpartition("=") for entry in entries]
    if any(not equals for _, equals, _ in pairs):
        raise click.BadParameter("must be COLUMN=FIELD", param_hint="--map")
    return {column: field for column, _, field in pairs}


def _kind_of(source: str) -> str:
    if youtube.is_youtube(source):
        return "youtube"
    kind = _KINDS.get(Path(urlsplit(source).path).suffix.lower())
    if urlsplit(source).scheme in ("http", "https"):
        return kind or "feed"
    if kind in (None, "feed") and _is_opml(source):
        return "opml"
    if kind is None:
        raise click.UsageError("The file's name does not show its kind: name it with --type.")
    return kind


def _is_opml(location: str) -> bool:
    """Whether a file begins as a list of feeds does, whatever its name is."""
    try:
        with Path(location).open("rb") as file:
            return re.search(rb"<(?:\w+:)?opml[\s>]", file.read(4096), re.IGNORECASE) is not None
    except OSError:
        return False


def _create(
    database: Engine,
    kind: str,
    url: str | None,
    location: str,
    options: Options,
    dry_run: bool,
    remember: bool,
) -> int:
    body = None
    if url is None:
        try:
            body = Path(location).read_bytes()
        except OSError as error:
            raise click.ClickException(f"{location}: {error.strerror}") from error
        if remember:
            raise click.UsageError("--remember needs an address: a file cannot be refreshed.")
    elif kind in FILES and remember:
        raise click.UsageError("--remember works for feeds, channels and playlists, not for files.")
    else:
        url = sources.check_url(kind, url)
    with session_factory(database).begin() as session:
        source = sources.find(session, kind, url) if url else None
        if remember and url and source is None and not dry_run:
            source = sources.create(session, kind, url, options, _ACTOR)
        # Of a file, the name gives the namespace: the same file imported again finds the same programs.
        name = url or f"file://{Path(location).name}"
        namespace = source.namespace if source else sources.namespace_of(kind, name, options)
        run = runs.create(
            session,
            runs.Origin(kind, namespace, url, None if url else Path(location).name),
            options,
            _ACTOR,
            dry_run=dry_run,
            trigger="cli",
            source=source,
        )
        if body is not None:
            for part, packed in enumerate(documents.pack(body)):
                runs.add_part(session, run.id, 0, part, packed, {})
            run.fetched = True
        return run.id


def _carry_out(database: Engine, run_id: int) -> ImportRun:
    settings = IndexerSettings()
    cache = invalidation.connect(settings.redis_cache_url)
    invalidator = Invalidator(cache, settings.redis_prefix)
    columns: list[ProgressColumn] = [
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    ]
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("fetching", total=None)

        def show(run: ImportRun) -> None:
            bar.update(task, description=f"import {run.id}", completed=items.count_done(run), total=run.total)

        runner = Runner(database, ImportSettings(), invalidator=invalidator, progress=show)
        while True:
            status = runner.run(run_id)
            with session_factory(database)() as session:
                run = runs.get(session, run_id)
            # Nobody waits a day at a prompt: the product's workers go on when the quota is renewed.
            if status not in ("queued", "busy") or run.code == "quota_exhausted":
                cache.close()
                return run
            # The run waits for its next attempt, or a worker of the product carries it out.
            bar.update(task, description=f"waiting: {run.code}" if run.code else "waiting")
            time.sleep(0.5)


def _report(database: Engine, run: ImportRun) -> None:
    console = Console()
    table = Table(
        show_header=True,
        title=f"Import {run.id}{' (dry run)' if run.dry_run else ''}: {run.status}",
        title_justify="left",
    )
    for name in items.COUNTERS:
        table.add_column(name, justify="right")
    table.add_row(*(str(getattr(run, column)) for column in items.COUNTERS.values()))
    console.print(table)
    if run.code:
        console.print(f"{run.code}: {run.detail or ''}", markup=False, highlight=False)
    with session_factory(database)() as session:
        failed = list(session.scalars(queries.items(run.id, 0, _MAX_FAILED_SHOWN, "failed")))
    for item in failed:
        console.print(
            f"  {item.position}  {item.title[:60]}  {item.detail}",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )
    if run.failed > len(failed):
        console.print(f"  … and {run.failed - len(failed)} more")
