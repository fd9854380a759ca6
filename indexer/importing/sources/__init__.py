"""One adapter for each kind of source. The runner finds it in `SOURCES` by the run's kind.

A new kind is a module here and an entry in `SOURCES`: CONTRIBUTING.md, "Add a source".
"""

from collections.abc import Mapping

from indexer.importing.sources.base import Source
from indexer.importing.sources.feed import FeedSource
from indexer.importing.sources.files import CsvSource, JsonLinesSource, JsonSource
from indexer.importing.sources.opml import OpmlSource
from indexer.importing.sources.youtube import YoutubeSource

SOURCES: Mapping[str, Source] = {
    "feed": FeedSource(),
    "youtube": YoutubeSource(),
    "csv": CsvSource(),
    "json": JsonSource(),
    "jsonl": JsonLinesSource(),
    "opml": OpmlSource(),
}
