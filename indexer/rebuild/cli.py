"""`thmanyah reindex` and `thmanyah drift`."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from sqlalchemy import Engine as Database

from catalog.core.actor import Actor
from catalog.core.db import opened, session_factory
from catalog.core.errors import CatalogError
from catalog.core.settings import CatalogSettings
from catalog.indexing import audits, queries, rebuilds
from catalog.indexing.models import ENDED, DriftReport, ReindexJob
from indexer.engines import index_settings, targets
from indexer.rebuild.drift import reports
from indexer.settings import IndexerSettings

_ACTOR = Actor("system", name="thmanyah")
_POLL_SECONDS = 0.5


def _settings() -> CatalogSettings:
    changes = {"pool_min": 1, "pool_max": 2, "statement_timeout_ms": 120_000}
    return CatalogSettings().model_copy(update=changes)


@contextmanager
def _refusals() -> Iterator[None]:
    """Turn what the catalogue refuses into a line without a traceback.

    Raises:
        ClickException: The catalogue refuses.
    """
    try:
        yield
    except CatalogError as error:
        raise click.ClickException(error.detail) from error


@click.command()
@click.option("--engine", help="The engine, when there are several.")
@click.option("--reason", default="", help="The reason, shown in the list of rebuilds.")
@click.option("--force", is_flag=True, help="Rebuild even if searches lose attributes by it.")
@click.option("--follow", type=int, help="Watch this rebuild; start none.")
@click.option("--cancel", type=int, help="Cancel this rebuild.")
@click.option("--rollback", type=int, help="Make the index from before this rebuild live again.")
@click.option("--no-wait", is_flag=True, help="Return at once.")
def reindex(
    engine: str | None,
    reason: str,
    force: bool,
    follow: int | None,
    cancel: int | None,
    rollback: int | None,
    no_wait: bool,
) -> None:
    """Rebuild the search index beside the live one, then swap the two.

    Searches never notice. Ctrl-C ends the watching, not the rebuild.
    """
    with opened(_settings()) as database:
        with _refusals(), session_factory(database).begin() as session:
            if cancel is not None:
                job_id = rebuilds.cancel(session, cancel, _ACTOR).id
            elif rollback is not None:
                job_id = rebuilds.request_rollback(session, rollback, _ACTOR).id
            elif follow is not None:
                job_id = rebuilds.get(session, follow).id
            else:
                name = targets.resolve_engine(session, IndexerSettings(), engine)
                job_id = rebuilds.request(
                    session, name, reason, _ACTOR, build=index_settings.BUILD, force=force
                ).id
        click.echo(f"reindex job {job_id}")
        if no_wait:
            return
        job = _follow(database, job_id)
    click.echo(f"{job.state}{f': {job.detail}' if job.detail else ''}")
    if job.state == "failed":
        click.get_current_context().exit(1)


def _follow(database: Database, job_id: int) -> ReindexJob:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, disable=not sys.stderr.isatty(), console=Console(stderr=True)) as bar:
        task = bar.add_task("queued", total=None)
        while True:
            with session_factory(database)() as session:
                job, waiting, _, _ = session.execute(queries.rebuild(job_id)).one()
            done = None if job.total is None else max(0, job.total - waiting)
            bar.update(task, description=job.state, total=job.total, completed=done or 0)
            if job.state in ENDED:
                found: ReindexJob = job
                return found
            time.sleep(_POLL_SECONDS)


@click.command()
@click.option("--repair", is_flag=True, help="Have the sender correct what differs.")
def drift(repair: bool) -> None:
    """Compare every index with the database. Exits 1 when a difference is not repaired."""
    settings = IndexerSettings()
    with opened(_settings()) as database:
        sessions = session_factory(database)
        with sessions.begin() as session:
            ids = [target.id for target in targets.list_active(session, settings)]
            requested = audits.request(session, ids, _ACTOR, repair=repair)
        for report in requested:
            while reports.write_report(database, settings, report.id) == "busy":
                # A worker carries this audit out.
                time.sleep(_POLL_SECONDS)
        with sessions() as session:
            found = [session.get_one(DriftReport, report.id) for report in requested]
    table = Table()
    for column in ("target", "state", "checked", "missing", "stale", "ghosts", "repaired"):
        table.add_column(column, justify="right")
    for report in found:
        numbers = (report.checked, report.missing, report.stale, report.ghosts, report.repaired)
        table.add_row(str(report.target_id), report.state, *map(str, numbers))
    Console().print(table)
    for report in found:
        if report.detail:
            click.echo(f"target {report.target_id}: {report.detail}", err=True)
    wrong = any(r.missing + r.stale + r.ghosts > r.repaired or r.state != "done" for r in found)
    click.get_current_context().exit(int(wrong))
