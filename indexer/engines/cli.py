"""`thmanyah engine`: which search engines there are, and which of them answer listeners."""

import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from sqlalchemy import Engine as Database
from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.core.actor import Actor
from catalog.core.db import opened, session_factory
from catalog.core.errors import CatalogError
from catalog.core.settings import CatalogSettings
from catalog.indexing import engines, queries, states
from catalog.indexing.models import IndexTarget
from indexer.engines import targets
from indexer.engines.admin import Engine
from indexer.engines.errors import EngineRejectedError, EngineUnavailableError
from indexer.settings import IndexerSettings

_ACTOR = Actor("system", name="thmanyah")
_POLL_SECONDS = 0.5


@contextmanager
def _opened() -> Iterator[Database]:
    """Open PostgreSQL; what the catalogue refuses becomes a line without a traceback.

    Raises:
        ClickException: The catalogue refuses.
    """
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
    """List every engine with its state and its lag."""
    settings = IndexerSettings()
    with _opened() as database, session_factory(database)() as session:
        urls = targets.engine_urls(session, settings)
        rows = [row for row in session.execute(queries.engine_states()) if row.name in urls]
        # `thmanyah sync` registers an engine that was configured just now.
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
@click.option("--no-wait", is_flag=True, help="Return at once; the engine serves when its index is filled.")
def add(name: str, url: str, no_wait: bool) -> None:
    """Add the engine at URL: it is filled while the others serve, and then serves too.

    It must have the keys of the other engines. With a MEILI_KEY that may manage keys they are copied, which works
    only if the master keys are the same. Ctrl-C ends the watching, not the fill.
    """
    settings = IndexerSettings()
    with _opened() as database:
        sessions = session_factory(database)
        with sessions() as session:
            others = targets.engine_urls(session, settings)
        _copy_keys(settings, url, others.values())
        with sessions.begin() as session:
            engines.add(session, name, url, _ACTOR)
        click.echo(f"{name} is added; `thmanyah sync` fills it.")
        if not no_wait:
            _watch(database, name)
            click.echo(f"{name} is filled and serves.")


def _copy_keys(settings: IndexerSettings, url: str, others: Iterable[str]) -> None:
    """Copy the keys of another engine to the engine at `url`.

    Args:
        settings: The key to ask with.
        url: The new engine.
        others: Addresses of engines that have the keys; the first that shows them is used.

    Raises:
        ClickException: The new engine is away, or refuses our key, or has another master key.
    """
    try:
        new = Engine(settings, url)
        new.index_uids()
        for other in others:
            if new.copy_keys(Engine(settings, other)):
                break
    except (EngineUnavailableError, EngineRejectedError) as error:
        raise click.ClickException(f"The engine at {url} cannot be added: {error}.") from error


def _watch(database: Database, name: str) -> None:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    sessions = session_factory(database)
    with Progress(*columns, disable=not sys.stderr.isatty(), console=Console(stderr=True)) as bar:
        task, most = bar.add_task("waiting for its sender", total=None), 0
        while True:
            with sessions() as session:
                filled, waiting = _progress(session, name)
            if filled:
                return
            if waiting:
                most = max(most, waiting)
                bar.update(task, description="filling", total=most, completed=most - waiting)
            time.sleep(_POLL_SECONDS)


def _progress(session: Session, name: str) -> tuple[bool, int]:
    """Return whether the engine's index is filled, and how many documents it waits for.

    Raises:
        NotFound: The engine was removed.
    """
    engines.get(session, name)
    main = (IndexTarget.engine == name, IndexTarget.state.in_(states.MAIN))
    target = session.scalars(select(IndexTarget).where(*main)).one_or_none()
    if target is None:
        return False, 0
    return target.state == "live", session.scalars(queries.count_marks(target.id)).one()


@engine.command()
@click.argument("name")
@click.option("--force", is_flag=True, help="Even if no other engine serves: then PostgreSQL answers.")
def drain(name: str, force: bool) -> None:
    """Send no more searches to an engine; return when the last one has ended. It is kept up to date."""
    with _opened() as database, session_factory(database).begin() as session:
        engines.drain(session, name, _ACTOR, force=force)
    # First every API process follows, then the searches end that it has sent.
    time.sleep(targets.FOLLOWED_AFTER_SECONDS + IndexerSettings().read_timeout)
    click.echo(f"{name} is drained; `thmanyah engine resume {name}` sends searches to it again.")


@engine.command()
@click.argument("name")
def resume(name: str) -> None:
    """Send searches to a drained engine again."""
    with _opened() as database, session_factory(database).begin() as session:
        engines.resume(session, name, _ACTOR)
    click.echo(f"{name} serves as soon as it is up to date.")


@engine.command()
@click.argument("name")
@click.option("--force", is_flag=True, help="Even if no other engine serves.")
def remove(name: str, force: bool) -> None:
    """Forget an engine. Its documents stay on it."""
    with _opened() as database, session_factory(database).begin() as session:
        engines.remove(session, name, _ACTOR, force=force)
    click.echo(f"{name} is removed.")
