"""Fetches the files of chapters that a feed's items name, after the run has written its programs.

A file is fetched once for each address. What fails is counted and costs the run nothing: the program keeps what it had, and
the next import of the feed asks again. The requests go through the guard of imports; their number and time are limited.
"""

import logging

from catalog.core import changes
from catalog.imports import items, leases
from catalog.imports.beside import chapters
from indexer.importing.errors import ImportFailed
from indexer.importing.running.context import RunContext
from indexer.importing.sources.feeds import chapters as files
from indexer.stores.invalidation import Invalidator

log = logging.getLogger(__name__)
# After so many failures in a row, the servers are not asked again in this run.
MAX_FAILURES = 5
# A file may take so long, including redirects.
_SECONDS = 10.0
_ACCEPT = "application/json+chapters, application/json;q=0.9, */*;q=0.1"


def fetch(context: RunContext, source_type: str, invalidator: Invalidator | None) -> None:
    """Bring the chapters of the run's programs up to date.

    Args:
        context: The run, whose programs are written.
        source_type: What `programs.source_type` says of them.
        invalidator: Informs the caches; None where nobody caches.

    Raises:
        LeaseLost: Another process works on the run now.
        CancelRequested: Somebody asked the run to stop.
    """
    limit = context.settings.max_chapters
    if not limit:
        return
    with context.sessions() as session:
        found = session.execute(chapters.unread(source_type, context.run.namespace, limit)).all()
    failures = 0
    for program_id, url in found:
        if failures >= MAX_FAILURES:
            log.warning("import %s asks for no more files of chapters", context.run.id)
            return
        failures = 0 if _bring(context, program_id, url, invalidator) else failures + 1


def _bring(context: RunContext, program_id: int, url: str | None, invalidator: Invalidator | None) -> bool:
    """Store the chapters of one program; return whether its file could be read. Without an address there are none."""
    try:
        read = [] if url is None else _read(context, url)
    except ImportFailed as error:
        log.warning("import %s: the chapters of program %s: %s", context.run.id, program_id, error.code)
        read = None
    with context.sessions() as session:
        run = leases.require(session, context.run.id, context.token)
        if read is None:
            chapters.note_failure(session, program_id)
        else:
            chapters.store(session, program_id, url, read)
        if url is not None:
            items.count_files(session, run, "chapters", {"failed" if read is None else "read": 1})
        session.commit()
        if invalidator is not None:
            invalidator.programs_changed(changes.take(session))
    return read is not None


def _read(context: RunContext, url: str) -> list[chapters.Chapter]:
    fetched = context.fetcher.fetch(url, max_bytes=files.MAX_BYTES, accept=_ACCEPT, seconds=_SECONDS)
    return files.read(fetched.body)
