"""`thmanyah reindex` and `thmanyah drift`."""

import sys
import time

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from sqlalchemy import Engine as Database

from catalog.actor import Actor
from catalog.db import opened, session_factory
from catalog.errors import CatalogError
from catalog.indexing import lifecycle, queries
from catalog.indexing.models import ENDED, DriftReport, ReindexJob
from catalog.settings import CatalogSettings
from indexer import index_settings, targets, upkeep
from indexer.settings import IndexerSettings

_ACTOR = Actor("system", name="thmanyah")
_POLL_SECONDS = 0.5


def _settings() -> CatalogSettings:
    changes = {"pool_min": 1, "pool_max": 2, "statement_timeout_ms": 120_000}
    return CatalogSettings().model_copy(update=changes)


@click.command()
@click.option("--engine", help="Which engine, where there are several.")
@click.option("--reason", default="", help="Why, for whoever reads the list of rebuilds.")
@click.option("--force", is_flag=True, help="Even if searches lose attributes by the new settings.")
@click.option("--follow", type=int, help="Watch this rebuild instead of asking for one.")
@click.option("--cancel", type=int, help="Cancel this rebuild.")
@click.option("--rollback", type=int, help="Put the index from before this rebuild back.")
@click.option("--no-wait", is_flag=True, help="Ask for it and return.")
def reindex(
    engine: str | None, reason: str, force: bool, follow: int | None, cancel: int | None,
    rollback: int | None, no_wait: bool,
) -> None:  # fmt: skip
    """Rebuild the search index beside the live one; searches never notice. Ctrl-C only stops watching."""
    with opened(_settings()) as database:
        sessions = session_factory(database)
        try:
            with sessions.begin() as session:
                if cancel is not None:
                    job_id = lifecycle.cancel(session, cancel, _ACTOR).id
                elif rollback is not None:
                    job_id = lifecycle.request_rollback(session, rollback, _ACTOR).id
                elif follow is not None:
                    job_id = lifecycle.get(session, follow).id
                else:
                    chosen = targets.chosen(session, IndexerSettings(), engine)
                    job_id = lifecycle.request_rebuild(
                        session, chosen, reason, _ACTOR, build=index_settings.BUILD, force=force
                    ).id
        except CatalogError as error:
            raise click.ClickException(error.detail) from error
        click.echo(f"reindex job {job_id}")
        if no_wait:
            return
        job = _follow(database, job_id)
    click.echo(f"{job.state}{f': {job.detail}' if job.detail else ''}")
    if job.state == "failed":
        raise SystemExit(1)


def _follow(database: Database, job_id: int) -> ReindexJob:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())  # fmt: skip
    with Progress(*columns, disable=not sys.stderr.isatty(), console=Console(stderr=True)) as bar:
        task = bar.add_task("queued", total=None)
        while True:
            with session_factory(database)() as session:
                job, waiting, _, _ = session.execute(queries.job(job_id)).one()
            done = None if job.total is None else max(0, job.total - waiting)
            bar.update(task, description=job.state, total=job.total, completed=done or 0)
            if job.state in ENDED:
                found: ReindexJob = job
                return found
            time.sleep(_POLL_SECONDS)


@click.command()
@click.option("--repair", is_flag=True, help="Have what differs sent again.")
def drift(repair: bool) -> None:
    """Compare every index with the record; exit 1 when something differs and is not repaired."""
    settings = IndexerSettings()
    with opened(_settings()) as database:
        sessions = session_factory(database)
        with sessions.begin() as session:
            ids = [target.id for target in targets.kept(session, settings)]
            reports = lifecycle.request_audit(session, ids, _ACTOR, repair=repair)
        for report in reports:
            while upkeep.write_report(database, settings, report.id) == "busy":
                # A worker was quicker.
                time.sleep(_POLL_SECONDS)
        with sessions() as session:
            found = [session.get_one(DriftReport, report.id) for report in reports]
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
    raise SystemExit(int(wrong))
