"""One adapter for every kind of source. A new kind is a new entry here; the runner stays as it is."""

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
