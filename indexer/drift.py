"""The audit: does an index hold exactly what is published, document by document?

Both sides are read some buckets (id modulo 256) after the others, so memory is bounded whatever the
catalogue's size. What differs is looked at again, several times, because programs go on changing
while the audit reads: only a program with no mark, which differs every time, has drifted.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine as Database
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from catalog import dirty
from catalog.db import plain_rows, session_factory
from catalog.programs import queries
from catalog.programs.models import BUCKETS
from indexer import document, metrics
from indexer.engine import Engine

_PAGE = 5_000
_LOOKS = 3
_PAUSE = 0.1
_AT_ONCE = 500
SAMPLES = 20
KINDS = ("missing", "stale", "ghosts")
Version = tuple[int, str]  # (rev, hash)
# Documents that somebody else put there belong to no bucket.
_STRAY = "_bucket NOT EXISTS"


@dataclass
class Drift:
    """What was found. `missing`, `stale` and `ghosts` are ids of programs."""

    checked: int = 0
    missing: list[int] = field(default_factory=list)
    stale: list[int] = field(default_factory=list)
    ghosts: list[int] = field(default_factory=list)

    @property
    def ids(self) -> list[int]:
        """Every program that has drifted."""
        return [*self.missing, *self.stale, *self.ghosts]

    def samples(self) -> dict[str, list[int]]:
        """Some ids of each kind."""
        return {kind: getattr(self, kind)[:SAMPLES] for kind in KINDS}


class Audit:
    """Compares one index of `engine` with the record; `target_id` is whose marks excuse a difference."""

    def __init__(self, database: Database, engine: Engine, target_id: int, uid: str) -> None:
        self.engine, self.target_id, self.uid = engine, target_id, uid
        self._sessions = session_factory(database)

    def run(
        self,
        *,
        repair: bool = False,
        progress: Callable[[Drift], None] = lambda found: None,
    ) -> Drift:
        """Read everything; with `repair`, mark what drifted: the sender then puts or deletes it.

        `progress` is called after every part. Raises what the engine raises, DBAPIError.
        """
        found = Drift()
        for condition, given in self._parts():
            drifted = self._part(condition, given, found)
            for program_id, kind in sorted(drifted.items()):
                getattr(found, kind).append(program_id)
            if repair and drifted:
                self._repair(sorted(drifted))
            progress(found)
        return found

    def _parts(self) -> Iterator[tuple[str, dict[str, int] | None]]:
        """The engine's filter and the record's parameters for so many buckets that a part has about
        a page's documents; last the documents of no bucket."""
        with self._sessions() as session:
            total = max(
                session.scalars(queries.count_published()).one(), self.engine.count(self.uid)
            )
        step = max(1, min(BUCKETS, BUCKETS * _PAGE // max(total, 1)))
        for first in range(0, BUCKETS, step):
            last = min(first + step, BUCKETS) - 1
            yield f"_bucket {first} TO {last}", {"first": first, "last": last}
        yield _STRAY, None

    def _repair(self, ids: Sequence[int]) -> None:
        with self._sessions.begin() as session:
            dirty.mark_target(session, self.target_id, ids)
        metrics.DRIFT_REPAIRED.inc(len(ids))

    def _part(self, condition: str, given: dict[str, Any] | None, found: Drift) -> dict[int, str]:
        """id -> kind of what has drifted in one bucket, or among the documents of none."""
        stored = self._stored(condition)
        wanted: dict[int, Version] = {}
        if given is not None:
            with self._sessions() as session:
                wanted = self._built(session, queries.BY_BUCKETS, given)
            found.checked += len(wanted)
        suspects = _different(wanted, stored)
        for _ in range(_LOOKS):
            if not suspects:
                break
            suspects = self._look_again(suspects)
            time.sleep(_PAUSE)
        return suspects

    def _look_again(self, suspects: dict[int, str]) -> dict[int, str]:
        """Those that still differ and are not about to be sent."""
        kept: dict[int, str] = {}
        ids = sorted(suspects)
        for first in range(0, len(ids), _AT_ONCE):
            part = ids[first : first + _AT_ONCE]
            with self._sessions() as session:
                excused = dirty.waiting(session, self.target_id, part)
                wanted = self._built(session, queries.BY_IDS, {"ids": part})
            stored = self._stored(f"id IN [{', '.join(map(str, part))}]")
            with self._sessions() as session:
                excused |= dirty.waiting(session, self.target_id, part)
            different = _different(wanted, stored)
            kept |= {n: kind for n, kind in different.items() if n not in excused}
        return kept

    def _stored(self, condition: str) -> dict[int, Version]:
        """id -> version of the engine's documents that meet the filter."""
        found: dict[int, Version] = {}
        offset = 0
        while True:
            page, total = self.engine.documents(
                self.uid,
                fields=["id", "_rev", "_hash"],
                offset=offset,
                limit=_PAGE,
                where=condition,
            )
            # A document of another build may lack either: it differs from every version.
            found |= {row["id"]: (row.get("_rev", -1), row.get("_hash", "")) for row in page}
            offset += len(page)
            if not page or offset >= total:
                return found

    def _built(self, session: Session, statement: Any, given: dict[str, Any]) -> dict[int, Version]:
        """id -> version of the documents that should be there."""
        now = session.scalars(select(func.now())).one()
        rows = plain_rows(session, statement, **given)
        built = (document.build(row) for row in rows if document.is_indexed(row, now))
        return {found["id"]: (found["_rev"], found["_hash"]) for found in built}


def _different(wanted: dict[int, Version], stored: dict[int, Version]) -> dict[int, str]:
    """id -> missing, stale or ghosts."""
    found = {
        program_id: "stale" if program_id in stored else "missing"
        for program_id, version in wanted.items()
        if stored.get(program_id) != version
    }
    return found | {program_id: "ghosts" for program_id in stored if program_id not in wanted}
