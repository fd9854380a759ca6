"""Reads a file of chapters (JSON of Podcasting 2.0, `application/json+chapters`).

https://github.com/Podcastindex-org/podcast-namespace/blob/main/chapters/jsonChapters.md
"""

import msgspec

from catalog.imports.beside.chapters import Chapter
from indexer.importing.errors import ImportFailed
from indexer.importing.reading import nested, values

MAX_BYTES = 256 * 1024
MAX_CHAPTERS = 500
_MAX_TITLE = 200
# No recording is longer; a link to a moment has as many digits.
_MAX_SECONDS = 1_000_000


def read(body: bytes) -> list[Chapter]:
    """Return the chapters of a file by their time. A chapter without a usable time or title is left out.

    Raises:
        ImportFailed: `bad_chapters`: the file is no JSON, or has no list of chapters.
    """
    try:
        document = nested.mapping(msgspec.json.decode(body.removeprefix(b"\xef\xbb\xbf")))
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise ImportFailed("bad_chapters", "The file of chapters is no JSON.") from None
    listed = document.get("chapters")
    if not isinstance(listed, list):
        raise ImportFailed("bad_chapters", "The file has no list of chapters.")
    found = [chapter for entry in nested.mappings(listed) if (chapter := _chapter(entry)) is not None]
    return sorted(found, key=lambda chapter: chapter.start_sec)[:MAX_CHAPTERS]


def _chapter(entry: nested.Json) -> Chapter | None:
    """Return a chapter, or None when it cannot be shown or asks not to be (`toc`)."""
    start, title = entry.get("startTime"), values.one_line(nested.text(entry.get("title")), _MAX_TITLE)
    if entry.get("toc") is False or not any(c.isalnum() for c in title):
        return None
    # Not a number and infinity lie between no bounds.
    if isinstance(start, bool) or not isinstance(start, int | float) or not 0 <= start < _MAX_SECONDS:
        return None
    return Chapter(int(start), title)
