"""What tests of runs share: give a document to a run, carry it out, look at what became of it."""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine, func, select, text
from sqlalchemy.orm import Session

from catalog.core.db import session_factory
from catalog.imports import items, runs, sources
from catalog.imports.models import ImportItem, ImportRun
from catalog.imports.options import Options
from catalog.imports.writing.rows import Row
from catalog.programs.models import Program
from indexer.importing.reading import documents
from indexer.importing.reading.markup import tidy
from indexer.importing.running.runner import Runner
from indexer.importing.settings import ImportSettings
from indexer.importing.sources.feeds import items as feed_items
from indexer.importing.sources.feeds.channel import Channel
from indexer.importing.sources.feeds.document import parse
from tests.support.paths import ROOT
from tests.support.programs import EDITOR


@dataclass
class Importer:
    """Imports into one database."""

    database: Engine
    # Without the files of chapters that real feeds name: strangers' servers have no part in tests.
    settings: ImportSettings = field(
        default_factory=lambda: ImportSettings().model_copy(update={"max_chapters": 0})
    )

    def start(
        self,
        source: str,
        body: bytes | None = None,
        /,
        *,
        url: str | None = None,
        dry_run: bool = False,
        **options: Any,
    ) -> int:
        """A queued run of an upload or an address."""
        chosen = Options(**options)
        with session_factory(self.database).begin() as session:
            namespace = sources.namespace_of(source, url or "https://feed.example/", chosen)
            origin = runs.Origin(source, namespace, url)
            run = runs.create(session, origin, chosen, EDITOR, dry_run=dry_run)
            if body is not None:
                for part, packed in enumerate(documents.pack(body)):
                    runs.add_part(session, run.id, 0, part, packed, {})
                run.fetched = True
            return run.id

    def run(self, run_id: int, **settings: Any) -> ImportRun:
        """Carry it out here."""
        Runner(self.database, self.settings.model_copy(update=settings)).run(run_id)
        return self.look(run_id)

    def go(self, source: str, body: bytes | None = None, /, **more: Any) -> ImportRun:
        """Start and carry out."""
        return self.run(self.start(source, body, **more))

    def look(self, run_id: int) -> ImportRun:
        """The run as it is."""
        with session_factory(self.database)() as session:
            return session.get_one(ImportRun, run_id)

    def items(self, run_id: int) -> list[ImportItem]:
        """Its items in order."""
        with session_factory(self.database)() as session:
            query = select(ImportItem).where(ImportItem.run_id == run_id)
            return list(session.scalars(query.order_by(ImportItem.position)))

    def programs(self) -> list[Program]:
        """Every program."""
        with session_factory(self.database)() as session:
            return list(session.scalars(select(Program).order_by(Program.id)))


def case(name: str) -> bytes:
    """A small input made by hand after a report of a reader of feeds or files."""
    return (ROOT / "tests" / "indexer" / "importing" / "cases" / name).read_bytes()


def read_feed(body: bytes, **options: Any) -> list[Row]:
    """The rows of a feed, without a database."""
    document = parse(tidy(body), "https://feed.example/")
    channel = Channel.of(document, "https://feed.example/")
    chosen = Options(**options)
    return [
        feed_items.row(n, item, document, channel, "n", chosen) for n, item in enumerate(document.items, 1)
    ]


def counts(run: ImportRun) -> dict[str, int]:
    """Outcome counters that are not 0."""
    found = {name: getattr(run, name) for name in items.COUNTERS.values()}
    return {name: n for name, n in found.items() if n}


def footprint(session: Session) -> dict[str, Any]:
    """How much of everything there is, and what rows the catalogue holds: equal means nothing written."""
    tables = (
        "programs",
        "program_slugs",
        "program_tags",
        "program_people",
        "program_revisions",
        "series",
        "tags",
        "people",
        "imported_programs",
        "index_dirty",
    )
    found: dict[str, Any] = {
        t: session.execute(
            text(
                f"SELECT md5(coalesce(string_agg(t::text || t.xmin::text, '' ORDER BY t::text), '')) FROM {t} t"
            )
        ).scalar_one()
        for t in tables
    }
    found["audit"] = session.scalar(
        select(func.count()).select_from(text("audit_events")).where(text("entity = 'program'"))
    )
    return found


def rss(*items: str, channel: str = "", head: str = "") -> bytes:
    """A podcast feed around these items."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>{head}<rss version="2.0" '
        'xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd" xmlns:podcast="https://podcastindex.org/namespace/1.0" '
        'xmlns:media="http://search.yahoo.com/mrss/" xmlns:content="http://purl.org/rss/1.0/modules/content/" '
        'xmlns:atom="http://www.w3.org/2005/Atom">'
        f"<channel><title>فنجان</title><language>ar</language>{channel}{''.join(items)}</channel></rss>"
    ).encode()


def episode(n: int, title: str | None = None, more: str = "") -> str:
    """One playable item."""
    return (
        f"<item><guid>ep-{n}</guid><title>{title or f'الحلقة {n}'}</title><description>حديث {n}</description>"
        f'<enclosure url="https://cdn.example/{n}.mp3" type="audio/mpeg" length="1000"/>{more}</item>'
    )
