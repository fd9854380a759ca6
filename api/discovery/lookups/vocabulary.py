"""The words of the catalogue in this process: read from the replica, and read again a moment after they changed.

`ladder` and `service` read queries with it. A new lexicon is arranged in a thread and then takes the place of the old
one, so that no search waits for it.
"""

import asyncio
import logging
import math
import time

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from api.discovery.lookups.replica import Replica
from api.http.observed import metrics
from catalog.vocabulary import queries
from catalog.words.lexicon import MAX_WORDS, Builder, Lexicon
from catalog.words.readings import Reader
from catalog.words.spelling import split

log = logging.getLogger(__name__)
CHECK_SECONDS = 2.0
# Reading the words may take one part in so many of a process's time.
_SHARE = 10
# Words of one statement: between two of them, other requests are answered.
_CHUNK = 5_000
# Letters by which a word that resembles none is looked for.
_BEGINNING = 3
# Seconds for which each of the two levels of the cache keeps an answer that was made without the catalogue's words, and
# one to a query with an unknown word, which may be published and not counted yet: it is right within a minute.
UNREAD_SECONDS, UNKNOWN_SECONDS = 1.0, 25.0


class Vocabulary:
    """Has the reader of the newest words; before the first load, of none."""

    def __init__(self, replica: Replica) -> None:
        """Read nothing yet."""
        self._replica = replica
        self.reader = Reader(Builder().finish())
        self._version: int | None = None
        metrics.VOCABULARY.set(0)

    def max_ttl(self, *, doubtful: bool) -> float:
        """Return for how many seconds an answer to a query may be kept.

        Args:
            doubtful: What `Reader.doubtful` says of the query.
        """
        if self._version is None:
            return UNREAD_SECONDS
        return UNKNOWN_SECONDS if doubtful else math.inf

    def knows(self, text: str) -> bool:
        """Return whether the catalogue has every word, the last one as a whole word."""
        return not self.reader.doubtful(f"{text} ")

    def near(self, word: str) -> list[str]:
        """Return words of the catalogue that resemble a word: misspelt, sounding alike, or beginning alike."""
        reader = self.reader
        near = [correction.word for correction in reader.lexicon.corrections(word, 1, 2)]
        near = near or [reading.text for reading in reader.read(word, 1)]
        return near or [entry.word for entry in reader.lexicon.completions(word[:_BEGINNING], 1)]

    def unknown(self, text: str) -> list[str]:
        """Return the words of a text that the catalogue does not have."""
        return [word for word in split(text) if not self.reader.knows(word)]

    async def run(self) -> None:
        """Look for changes until cancelled. While PostgreSQL is away the last words are kept."""
        while True:
            began = time.monotonic()
            try:
                await self.refresh()
            except (DBAPIError, PoolTimeoutError, OSError) as error:
                log.debug("the vocabulary cannot be read: %s", type(error).__name__)
            await asyncio.sleep(max(CHECK_SECONDS, _SHARE * (time.monotonic() - began)))

    async def refresh(self) -> bool:
        """Read the words if they have changed; return whether they have.

        Raises:
            DBAPIError: The replica does not answer.
            sqlalchemy.exc.TimeoutError: No connection became free.
        """
        rows = await self._replica.rows(queries.VERSION)
        version = rows[0]["version"] if rows else None
        if version == self._version:
            return False
        self.reader = Reader(await self._load())
        self._version = version
        metrics.VOCABULARY.set(self.reader.lexicon.size)
        return True

    async def _load(self) -> Lexicon:
        builder, after = Builder(), ""
        rarest = await self._replica.rows(queries.RAREST, kept=MAX_WORDS)
        least, share = 0, 0
        for row in rarest:
            least, share = row["programs"], queries.SHARES * (MAX_WORDS - row["above"]) // row["alike"]
        while True:
            row = (
                await self._replica.rows(queries.WORDS, after=after, rarest=least, share=share, limit=_CHUNK)
            )[0]
            if row["words"] is None:
                return await asyncio.to_thread(builder.finish)
            after = row["last"]
            await asyncio.to_thread(
                builder.add, row["words"], row["programs"], row["sounds"], row["sounds_of_each"]
            )
