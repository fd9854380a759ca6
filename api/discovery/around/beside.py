"""Chapters and transcripts of a program, as its source names them. A source may name anything: what is odd is left out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from sqlalchemy import RowMapping

from api.discovery.lookups.programs import Programs
from catalog.imports.beside.shown import BESIDE

# Kinds of files -> what the format is called. A text without any format needs no name.
_FORMATS = {
    "text/vtt": "WebVTT",
    "application/srt": "SRT",
    "application/x-subrip": "SRT",
    "text/srt": "SRT",
    "text/html": "HTML",
    "application/json": "JSON",
    "application/pdf": "PDF",
}


@dataclass(frozen=True, slots=True)
class Chapter:
    """Where a chapter begins, in seconds, and what it is called."""

    start_sec: int
    title: str


@dataclass(frozen=True, slots=True)
class File:
    """A file at its source.

    Attributes:
        url: An http or https address.
        media_type: As the source declares it; may be empty.
        language: Of a transcript; may be empty.
    """

    url: str
    media_type: str
    language: str = ""

    @property
    def format(self) -> str:
        """The name of the file's format; empty when it has none that is worth telling."""
        return _FORMATS.get(self.media_type.partition(";")[0].strip().lower(), "")


@dataclass(frozen=True, slots=True)
class Beside:
    """What belongs to a program beside its fields.

    Attributes:
        chapters: In their order.
        transcripts: As the source lists them.
        chapters_file: The file that has the chapters; None when the source names none.
    """

    chapters: tuple[Chapter, ...] = ()
    transcripts: tuple[File, ...] = ()
    chapters_file: File | None = None


NOTHING = Beside()


async def find(programs: Programs, ids: Sequence[int]) -> dict[int, Beside]:
    """Return what the visible programs among `ids` have beside their fields, of those that have anything.

    Args:
        programs: Has the servers to read from.
        ids: The programs.
    """
    replica, known = programs.replica, programs.cache.invalidations
    # Chapters have no revision that would tell whether a replica has them already.
    doubtful = replica.may_be_behind and known.changed_within(replica.behind_seconds)
    rows = await (replica.newest if doubtful else replica.rows)(BESIDE, ids=list(ids))
    return {row["id"]: found for row in rows if (found := _read(row)) is not None}


def _read(row: RowMapping) -> Beside | None:
    """Return what a row of `BESIDE` says; None when it says nothing."""
    extra: Mapping[str, object] = row["extra"]
    listed = extra.get("transcripts")
    files = [_file(entry) for entry in listed] if isinstance(listed, list) else []
    found = Beside(
        tuple(Chapter(start, title) for start, title in row["chapters"] or ()),
        tuple(file for file in files if file is not None),
        _file(extra.get("chapters")),
    )
    return found if found != NOTHING else None


def _file(entry: object) -> File | None:
    """Return a link that a page may have, or None."""
    if not isinstance(entry, Mapping):
        return None
    url, media_type, language = (str(entry.get(name) or "") for name in ("url", "type", "language"))
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    fine = parts.scheme.lower() in ("http", "https") and bool(parts.netloc)
    return File(url, media_type, language) if fine else None
