"""Pins and synonyms, in the memory of the process: a search looks them up without asking anybody.

They are read again when `Invalidations` says that they may have changed, so a page of a new generation is never made with
old pins. What cannot be read then is used as it was, and answers are kept briefly until it can.
"""

import asyncio
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import RowMapping
from sqlalchemy.exc import SQLAlchemyError

from api.answers.invalidations import Invalidations
from api.discovery.lookups.replica import Replica
from api.http.observed import metrics
from catalog.curation import expansions, pins, queries
from catalog.words.spelling import split

# After so many seconds they are read again, in case the message about a change was lost or never sent.
MAX_AGE_SECONDS = 60.0
# After a failure the next search that needs them tries again after so many seconds; until then answers are kept as long.
RETRY_SECONDS = 1.0


class Pinned(NamedTuple):
    """The programs that are pinned to the places of a query's results.

    Attributes:
        places: Program -> its place, from 1; by place.
        ends_at: Seconds since 1970 when a pin of the query begins or ends.
        max_ttl: Seconds that an answer may be kept: few while it is not known which pins there are.
    """

    places: dict[int, int]
    ends_at: float = math.inf
    max_ttl: float = math.inf


NOTHING = Pinned({})


@dataclass(frozen=True, slots=True)
class _Pin:
    pin_id: int
    program_id: int
    place: int
    starts_at: float
    ends_at: float


class Curated:
    """What this process knows of the curation."""

    def __init__(self, replica: Replica, known: Invalidations) -> None:
        """Begin without any of it.

        Args:
            replica: Reads pins and synonyms, from the primary.
            known: Says when they may have changed.
        """
        self._replica, self._known = replica, known
        self._pins: dict[str, list[_Pin]] = {}
        # The words of each pin's query: folding many takes a moment, which requests would have to wait for.
        self._folded: dict[str, str] = {}
        self._rules: list[expansions.Rule] = []
        self._expansions = expansions.NONE
        # By how many seconds the database's clock is ahead of this machine's.
        self._ahead = 0.0
        self._epoch, self._read_at = -1, -math.inf
        self._failed_at = -math.inf
        self._reading = asyncio.Lock()

    async def pinned(self, *texts: str, without: int | None = None) -> Pinned:
        """Return what is pinned now to the first of these queries that has a pin.

        Args:
            *texts: A query, and the words that it was taken for.
            without: A pin that is left out.
        """
        certain = await self._refresh()
        found = NOTHING
        if self._pins:
            for text in texts:
                of_text = self._pins.get(pins.folded(text))
                if of_text is not None:
                    found = self._in_force([pin for pin in of_text if pin.pin_id != without])
                    break
        return found if certain else found._replace(max_ttl=RETRY_SECONDS)

    async def variants(self, text: str) -> list[str]:
        """Return other wordings of a query, in which a term has become a synonym of it; few, and mostly none."""
        await self._refresh()
        if not self._rules:
            return []
        return [" ".join(words) for words in self._expansions.of(split(text))]

    async def terms(self, text: str) -> list[tuple[str, ...]]:
        """Return the terms of a query that have a synonym, as words."""
        await self._refresh()
        return self._expansions.terms(split(text))

    async def remaining(self, without: expansions.Rule) -> expansions.Expansions:
        """Return what the synonyms in force mean, except one.

        Args:
            without: The synonym that is left out.
        """
        await self._refresh()
        return expansions.Expansions([rule for rule in self._rules if rule != without])

    def _in_force(self, of_query: Sequence[_Pin]) -> Pinned:
        now = time.time() + self._ahead
        moments = [at for pin in of_query for at in (pin.starts_at, pin.ends_at) if at > now]
        places: dict[int, int] = {}
        for pin in of_query:
            # The older pin wins a place and a program that two pins name.
            if pin.starts_at <= now < pin.ends_at and pin.place not in places.values():
                places.setdefault(pin.program_id, pin.place)
        by_place = dict(sorted(places.items(), key=lambda item: item[1]))
        return Pinned(by_place, min(moments, default=math.inf) - self._ahead)

    async def _refresh(self) -> bool:
        """Read everything again if it may have changed; return whether what is known is current."""
        if self._is_current():
            return True
        async with self._reading:
            if self._is_current():
                return True
            if time.monotonic() - self._failed_at < RETRY_SECONDS:
                return False
            epoch = self._known.curation_epoch
            try:
                rows = await self._replica.newest(queries.pins())
                rules = await self._replica.newest(queries.synonyms())
            except SQLAlchemyError:
                metrics.CURATION_FAILURES.inc()
                self._failed_at = time.monotonic()
                return False
            self._learn(rows)
            self._learn_rules([expansions.Rule(row["kind"], row["terms"], row["finds"]) for row in rules])
            self._epoch, self._read_at = epoch, time.monotonic()
            return True

    def _is_current(self) -> bool:
        age = time.monotonic() - self._read_at
        return self._epoch == self._known.curation_epoch and age <= MAX_AGE_SECONDS

    def _learn(self, rows: Sequence[RowMapping]) -> None:
        found: dict[str, list[_Pin]] = {}
        known, self._folded = self._folded, {}
        for row in rows:
            query = row["query"]
            self._folded[query] = known.get(query) or pins.folded(query)
            self._ahead = row["now"].timestamp() - time.time()
            starts_at, ends_at = _seconds(row["starts_at"], -math.inf), _seconds(row["ends_at"], math.inf)
            pin = _Pin(row["pin_id"], row["program_id"], row["place"], starts_at, ends_at)
            found.setdefault(self._folded[query], []).append(pin)
        self._pins = found

    def _learn_rules(self, rules: list[expansions.Rule]) -> None:
        if rules != self._rules:
            self._rules, self._expansions = rules, expansions.Expansions(rules)


def _seconds(moment: datetime | None, otherwise: float) -> float:
    return otherwise if moment is None else moment.timestamp()
