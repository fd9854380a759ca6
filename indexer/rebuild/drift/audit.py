"""The drift audit: does an index hold exactly the published programs, document by document?

Both sides are read some buckets (id modulo 256) at a time, so memory is bounded whatever the catalogue's size.
Programs go on changing while the audit reads. So what differs is looked at again, several times: only a program
that differs every time, and has no mark, has drifted.

Called by `indexer.rebuild.drift.reports` (audits) and by `indexer.rebuild.checks` (rebuilds).
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from sqlalchemy import Engine as Database
from sqlalchemy import Executable, func, select
from sqlalchemy.orm import Session

from catalog.core.db import plain_rows, session_factory
from catalog.indexing import marks
from catalog.programs import queries
from catalog.programs.models import BUCKETS
from indexer import metrics
from indexer.engines import document
from indexer.engines.admin import Engine
from indexer.engines.messages import StoredVersion

_PAGE = 5_000
_LOOKS = 3
_PAUSE = 0.1
_IDS_AT_ONCE = 500
SAMPLES = 20
Kind = Literal["missing", "stale", "ghosts"]
# (rev, hash). A stored document of another build may have neither: it differs from every version.
Version = tuple[object, object]
# Documents that another program wrote belong to no bucket.
_NO_BUCKET = "_bucket NOT EXISTS"


@dataclass
class Drift:
    """What an audit found.

    Attributes:
        checked: How many documents the index should have.
        missing: Ids of programs whose document the index lacks.
        stale: Ids of programs whose document is of another version.
        ghosts: Ids of documents that the index should not have.
    """

    checked: int = 0
    missing: list[int] = field(default_factory=list)
    stale: list[int] = field(default_factory=list)
    ghosts: list[int] = field(default_factory=list)

    @property
    def ids(self) -> list[int]:
        """Every program that has drifted."""
        return [*self.missing, *self.stale, *self.ghosts]

    def samples(self) -> dict[str, list[int]]:
        """Return some ids of each kind."""
        kinds = {"missing": self.missing, "stale": self.stale, "ghosts": self.ghosts}
        return {kind: ids[:SAMPLES] for kind, ids in kinds.items()}

    def add(self, drifted: dict[int, Kind]) -> None:
        """Add programs, given as id -> kind."""
        kinds = {"missing": self.missing, "stale": self.stale, "ghosts": self.ghosts}
        for program_id, kind in sorted(drifted.items()):
            kinds[kind].append(program_id)


class _Part(NamedTuple):
    """A part of the index: the engine's filter, and the parameters of the same part in PostgreSQL."""

    where: str
    buckets: dict[str, int] | None


class Audit:
    """Compares one index with PostgreSQL."""

    def __init__(self, database: Database, engine: Engine, target_id: int, uid: str) -> None:
        """Nothing is read before `run`.

        Args:
            database: PostgreSQL, the primary.
            engine: The index's engine.
            target_id: The target whose marks excuse a difference.
            uid: The index.
        """
        self.engine, self.target_id, self.uid = engine, target_id, uid
        self._sessions = session_factory(database)

    def run(self, *, repair: bool = False, progress: Callable[[Drift], None] = lambda found: None) -> Drift:
        """Compare the whole index.

        Args:
            repair: Whether to mark what has drifted, so that the sender stores or deletes it.
            progress: Called after each part with everything found so far.

        Raises:
            EngineUnavailableError: The engine is away.
            EngineRejectedError: The engine refuses to show its documents.
            DBAPIError: PostgreSQL is away.
        """
        found = Drift()
        for part in self._parts():
            drifted = self._compare(part, found)
            found.add(drifted)
            if repair and drifted:
                self._mark(sorted(drifted))
            progress(found)
        return found

    def _parts(self) -> Iterator[_Part]:
        """Yield parts of about `_PAGE` documents, and at last the documents that have no bucket."""
        with self._sessions() as session:
            total = max(session.scalars(queries.count_published()).one(), self.engine.count(self.uid))
        step = max(1, min(BUCKETS, BUCKETS * _PAGE // max(total, 1)))
        for first in range(0, BUCKETS, step):
            last = min(first + step, BUCKETS) - 1
            yield _Part(f"_bucket {first} TO {last}", {"first": first, "last": last})
        yield _Part(_NO_BUCKET, None)

    def _mark(self, ids: Sequence[int]) -> None:
        with self._sessions.begin() as session:
            marks.mark_target(session, self.target_id, ids)
        metrics.DRIFT_REPAIRED.inc(len(ids))

    def _compare(self, part: _Part, found: Drift) -> dict[int, Kind]:
        """Return id -> kind of what has drifted in one part, and count in `found` what was checked."""
        stored = self._stored(part.where)
        wanted: dict[int, Version] = {}
        if part.buckets is not None:
            with self._sessions() as session:
                wanted = _wanted(session, queries.BY_BUCKETS, **part.buckets)
            found.checked += len(wanted)
        suspects = _different(wanted, stored)
        for _ in range(_LOOKS):
            if not suspects:
                break
            suspects = self._look_again(suspects)
            time.sleep(_PAUSE)
        return suspects

    def _look_again(self, suspects: dict[int, Kind]) -> dict[int, Kind]:
        """Return those that still differ and have no mark."""
        drifted: dict[int, Kind] = {}
        ids = sorted(suspects)
        for first in range(0, len(ids), _IDS_AT_ONCE):
            part = ids[first : first + _IDS_AT_ONCE]
            with self._sessions() as session:
                marked = marks.marked_ids(session, self.target_id, part)
                wanted = _wanted(session, queries.BY_IDS, ids=part)
            stored = self._stored(f"id IN [{', '.join(map(str, part))}]")
            with self._sessions() as session:
                # A mark may have been made, and another one settled, while the index was read.
                marked |= marks.marked_ids(session, self.target_id, part)
            different = _different(wanted, stored)
            drifted |= {n: kind for n, kind in different.items() if n not in marked}
        return drifted

    def _stored(self, where: str) -> dict[int, Version]:
        """Return id -> version of the documents in the index that meet the engine's filter."""
        found: dict[int, Version] = {}
        offset = 0
        while True:
            page, total = self.engine.documents(
                self.uid, StoredVersion, offset=offset, limit=_PAGE, where=where
            )
            found |= {row.id: (row.rev, row.hash) for row in page}
            offset += len(page)
            if not page or offset >= total:
                return found


def _wanted(session: Session, statement: Executable, **parameters: object) -> dict[int, Version]:
    """Return id -> version of the documents that the index should have, among the rows of a statement."""
    now = session.scalars(select(func.now())).one()
    rows = plain_rows(session, statement, queries.ProgramRow, **parameters)
    built = (document.build(row) for row in rows if document.is_indexed(row, now))
    return {found.id: (found.rev, found.hash) for found in built}


def _different(wanted: dict[int, Version], stored: dict[int, Version]) -> dict[int, Kind]:
    different: dict[int, Kind] = {
        program_id: "stale" if program_id in stored else "missing"
        for program_id, version in wanted.items()
        if stored.get(program_id) != version
    }
    ghosts: dict[int, Kind] = {program_id: "ghosts" for program_id in stored if program_id not in wanted}
    return different | ghosts
