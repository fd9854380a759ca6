"""`thmanyah engine`: which engines there are, and who of them answers listeners."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from sqlalchemy import Engine as Database
from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.actor import Actor
from catalog.db import opened, session_factory
from catalog.dirty import IndexTarget
from catalog.errors import CatalogError
from catalog.indexing import engines, queries
from catalog.settings import CatalogSettings
from indexer import targets
from indexer.engine import Engine, EngineRejectedError, EngineUnavailableError
from indexer.settings import IndexerSettings

_ACTOR = Actor("system", name="thmanyah")
_POLL_SECONDS = 0.5


@contextmanager
def _opened() -> Iterator[Database]:
    """The record; what it refuses is a sentence."""
    settings = CatalogSettings().model_copy(update={"pool_min": 1, "pool_max": 2})
    try:
        with opened(settings, application="thmanyah-engine") as database:
            yield database
    except CatalogError as error:
        raise click.ClickException(error.detail) from error


@click.group()
def engine() -> None:
    """Search engines: list, add, drain, resume, remove."""


@engine.command("list")
def list_() -> None:
    """Every engine with its state and how far it is behind."""
    settings = IndexerSettings()
    with _opened() as database, session_factory(database)() as session:
        urls = targets.engines(session, settings)
        rows = [row for row in session.execute(queries.engine_states()) if row.name in urls]
        # One that was just configured is in the list as soon as something sends.
        missing = sorted(set(urls) - {row.name for row in rows})
    table = Table()
    for column in ("engine", "address", "state", "answers", "filled", "behind"):
        table.add_column(column)
    for row in rows:
        answers = "yes" if Engine(settings, urls[row.name]).healthy() else "no"
        filled = "yes" if row.filled else "no"
        table.add_row(row.name, urls[row.name], row.state, answers, filled, f"{row.lag:.1f} s")
    for name in missing:
        table.add_row(name, urls[name], "not sent to yet", "", "", "")
    Console().print(table)


@engine.command()
@click.argument("name")
@click.argument("url")
@click.option("--no-wait", is_flag=True, help="Return at once; it serves when it is filled.")
def add(name: str, url: str, no_wait: bool) -> None:
    """Fill the engine at URL while the others serve; then it serves too. Ctrl-C only stops watching.

    It must know the keys of the others: with a MEILI_KEY that may manage keys they are made there,
    which takes the same master key.
    """
    settings = IndexerSettings()
    with _opened() as database:
        sessions = session_factory(database)
        with sessions() as session:
            others = targets.engines(session, settings)
        try:
            new = Engine(settings, url)
            new.index_uids()
            for other in others.values():
                if new.copy_keys(Engine(settings, other)):
                    break
        except (EngineUnavailableError, EngineRejectedError) as error:
            raise click.ClickException(f"{url} does not let us in: {error}") from error
        with sessions.begin() as session:
            engines.add(session, name, url, _ACTOR)
        click.echo(f"{name} is added; `thmanyah sync` fills it.")
        if not no_wait:
            _watch(database, name)
            click.echo(f"{name} is filled and serves.")


def _watch(database: Database, name: str) -> None:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())  # fmt: skip
    sessions = session_factory(database)
    with Progress(*columns, disable=not sys.stderr.isatty(), console=Console(stderr=True)) as bar:
        task, most = bar.add_task("waiting for its sender", total=None), 0
        while True:
            with sessions() as session:
                filled, waiting = _filling(session, name)
            if filled:
                return
            if waiting:
                most = max(most, waiting)
                bar.update(task, description="filling", total=most, completed=most - waiting)
            time.sleep(_POLL_SECONDS)


def _filling(session: Session, name: str) -> tuple[bool, int]:
    """Is the engine's index filled, and how many documents does it wait for? Raises NotFound."""
    engines.get(session, name)
    live = (IndexTarget.engine == name, IndexTarget.state == "live")
    target = session.scalars(select(IndexTarget).where(*live)).one_or_none()
    if target is None:
        return False, 0
    return target.filled, int(session.scalars(queries.waiting(target.id)).one())


@engine.command()
@click.argument("name")
@click.option("--force", is_flag=True, help="Even if no other engine serves: PostgreSQL then answers.")  # fmt: skip
def drain(name: str, force: bool) -> None:
    """Send no more listeners to it, and return when none is left there. It is kept in step."""
    with _opened() as database, session_factory(database).begin() as session:
        engines.drain(session, name, _ACTOR, force=force)
    # Then the searches of before end.
    time.sleep(targets.HEARD_SECONDS + IndexerSettings().read_timeout)
    click.echo(f"{name} is drained; `thmanyah engine resume {name}` sends listeners to it again.")


@engine.command()
@click.argument("name")
def resume(name: str) -> None:
    """Send listeners to it again, as soon as it is in step."""
    with _opened() as database, session_factory(database).begin() as session:
        engines.resume(session, name, _ACTOR)
    click.echo(f"{name} serves as soon as it is in step.")


@engine.command()
@click.argument("name")
@click.option("--force", is_flag=True, help="Even if no other engine serves.")
def remove(name: str, force: bool) -> None:
    """Forget an engine. What it holds stays there."""
    with _opened() as database, session_factory(database).begin() as session:
        engines.remove(session, name, _ACTOR, force=force)
    click.echo(f"{name} is removed.")
