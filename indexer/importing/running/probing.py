"""Asks servers for the first bytes of files of which nothing says whether they are audio or video (`detectMedia`).

A server that fails is no verdict: the item keeps the type that it would have without being asked. The requests go
through the guard of imports. Their number is limited, and so is each one's time.
"""

from collections import Counter
from collections.abc import Sequence

from catalog.imports.writing.rows import Row
from indexer.importing.errors import ImportFailed
from indexer.importing.reading import media_types
from indexer.importing.running.context import RunContext

# Enough for the headers of every container.
BYTES = 4096
# After so many failures in a row, the servers are not asked again in this run.
MAX_FAILURES = 5


class MediaProbe:
    """The probes of one run.

    Args:
        context: The run.
    """

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._left = context.settings.max_probes if context.options.detect_media else 0
        self._failures = 0
        self._counts: Counter[str] = Counter()

    def look(self, rows: Sequence[Row]) -> None:
        """Fill in the media type of the rows that only guess it; skip what is nothing to play.

        Args:
            rows: Whole rows.
        """
        for row in rows:
            url = row.values.get("media_url")
            if not row.guessed or row.skip is not None or not isinstance(url, str):
                continue
            if self._left <= 0 or self._failures >= MAX_FAILURES:
                # What an earlier run has found stays.
                row.unspoken |= {"media_type"} if self._context.options.detect_media else set()
                continue
            self._left -= 1
            self._ask(row, url)

    def take_counts(self) -> dict[str, int]:
        """Return how many probes have found, not told, and failed since the last call."""
        taken, self._counts = dict(self._counts), Counter()
        return taken

    def _ask(self, row: Row, url: str) -> None:
        settings = self._context.settings
        try:
            beginning = self._context.fetcher.beginning(url, BYTES, settings.probe_timeout).body
        except ImportFailed:
            self._failures += 1
            self._counts["failed"] += 1
            row.unspoken |= {"media_type"}
            return
        self._failures = 0
        found = media_types.detect(beginning)
        self._counts["unknown" if found is None else "found"] += 1
        if found is None:
            row.unspoken |= {"media_type"}
        elif found.kind is not None:
            row.values["media_type"] = found.kind
            row.extra["detected"] = found.mime
        elif not media_types.is_playable(found.mime, url):
            row.skip = ("no_media", f"Its file is {found.mime}.")
