"""Recognises an item of a feed that has got another id.

Publishers change guids, move to another host, or number their episodes anew. An unknown item that is the same as one
that has vanished from the document is that item; an item that is only likely the same becomes a draft and a merge
proposal.
"""

import re
from datetime import datetime
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

from sqlalchemy.orm import Session

from catalog.core.text import fold
from catalog.imports import queries
from catalog.imports.queries import Vanished
from catalog.programs.rules import NewProgramValues

# A shorter title does not identify an item: "1", "Trailer" of several seasons.
MIN_TITLE = 4
# How far two likely equal items may be apart, in seconds.
MAX_APART, MAX_LONGER = 3 * 86_400, 60
# Services that count downloads stand before the address of the file: https://dts.podtrac.com/redirect.mp3/host/1.mp3
_TRACKERS = re.compile(
    r"\A(?:(?:www\.|dts\.|play\.)?(?:podtrac\.com/(?:pts/)?redirect\.\w+|chtbl\.com/track/\w+|chrt\.fm/track/\w+"
    r"|pdst\.fm/e|op3\.dev/e(?:,[^/]*)?|podsights\.com/\w+|mgln\.ai/e/\w+|prfx\.byspotify\.com/e"
    r"|pscrb\.fm/rss/p|claritaspod\.com/measure|verifi\.podscribe\.com/rss/p|arttrk\.com/p/\w+)/)+"
    r"(?:https?:?/+)?"
)
_PAGES_OF_PLAYERS = ("youtube.com", "www.youtube.com", "youtu.be")


class Match(NamedTuple):
    """The program that an unknown item is, for certain or likely."""

    program: Vanished
    certainty: Literal["same", "likely"]


class Renamed:
    """The programs of one source whose ids its document does not have any more.

    Args:
        source_type: What `programs.source_type` says of them.
        namespace: Stands before their external ids.
        present: The external ids that the document has.
    """

    def __init__(self, source_type: str, namespace: str, present: frozenset[str]) -> None:
        self._source_type, self._namespace, self._present = source_type, namespace, present
        self._left: dict[int, Vanished] | None = None
        self._by_file: dict[str, list[int]] = {}
        self._by_title: dict[str, list[int]] = {}

    def forget(self) -> None:
        """Read the programs again; call it after a rollback."""
        self._left = None

    def find(self, session: Session, values: NewProgramValues) -> Match | None:
        """Return the vanished program that an unknown item is; each program is found once as the same.

        Args:
            session: The transaction.
            values: The item as a program.
        """
        left = self._load(session)
        if not left:
            return None
        title = fold(values["title"])
        candidates = [left[i] for i in self._by_file.get(file_key(values.get("media_url")), ()) if i in left]
        named = [left[i] for i in self._by_title.get(title, ()) if i in left]
        if len(candidates) > 1:
            # A file of several episodes, an advertisement: the title decides.
            candidates = [program for program in candidates if program in named]
        found = candidates or [program for program in named if _is_equal(program, values)]
        if len(found) == 1:
            del left[found[0].id]
            return Match(found[0], "same")
        likely = (
            []
            if len(title) < MIN_TITLE
            else [p for p in named if p.deleted_at is None and _is_close(p, values)]
        )
        return Match(likely[0], "likely") if len(likely) == 1 else None

    def _load(self, session: Session) -> dict[int, Vanished]:
        if self._left is None:
            rows = session.execute(queries.programs_of_namespace(self._source_type, self._namespace))
            programs = [Vanished(*row) for row in rows]
            self._left = {p.id: p for p in programs if p.external_id not in self._present}
            self._by_file, self._by_title = {}, {}
            for program in self._left.values():
                key = file_key(program.media_url)
                if key:
                    self._by_file.setdefault(key, []).append(program.id)
                self._by_title.setdefault(fold(program.title), []).append(program.id)
        return self._left


def file_key(url: str | None) -> str:
    """Return what stays of a file's address when its scheme, tracking prefix and query change; "" without one."""
    if not url:
        return ""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    if parts.netloc.lower() in _PAGES_OF_PLAYERS:
        return ""
    bare = _TRACKERS.sub("", f"{parts.netloc.lower()}{parts.path}")
    return bare.removeprefix("www.") if "/" in bare.strip("/") else ""


def _is_equal(program: Vanished, values: NewProgramValues) -> bool:
    """Whether the duration and the date are the same, and known."""
    released = values.get("release_date")
    return (
        program.duration_sec is not None
        and program.duration_sec == values.get("duration_sec")
        and isinstance(released, datetime)
        and program.release_date == released
    )


def _is_close(program: Vanished, values: NewProgramValues) -> bool:
    """Whether nothing that both say contradicts, and something besides the title speaks for it."""
    released, duration = values.get("release_date"), values.get("duration_sec")
    evidence = _last_part(program.media_url) == _last_part(values.get("media_url")) != ""
    if program.release_date is not None and released is not None:
        if abs((program.release_date - released).total_seconds()) > MAX_APART:
            return False
        evidence = True
    if program.duration_sec is not None and duration is not None:
        if abs(program.duration_sec - duration) > MAX_LONGER:
            return False
        evidence = True
    return evidence


def _last_part(url: str | None) -> str:
    try:
        return urlsplit(url or "").path.rpartition("/")[2].lower()
    except ValueError:
        return ""
