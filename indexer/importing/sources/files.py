"""CSV, JSON and JSON Lines files, uploaded or fetched, read as streams."""

import csv
import io
import json
import re
from collections.abc import Iterator
from typing import Any, TextIO

import ijson

from catalog.errors import FieldError
from catalog.imports.rows import Row
from indexer.importing import encodings, rows
from indexer.importing.errors import ImportFailed
from indexer.importing.sources.base import Work

MAX_LINE = 1_000_000
MAX_DEPTH = 64
# What a JSON file may keep its list under.
_LISTS = ("data", "items", "episodes", "programs", "results", "videos", "entries")


class _File:
    source_type = "file"

    def fetch(self, work: Work) -> None:
        """Uploaded files are kept already; others are fetched whole."""
        if work.run.url is None or work.documents():
            return
        fetched = work.fetcher.fetch(work.run.url, max_bytes=work.settings.max_file_bytes)
        if not fetched.body.strip():
            raise ImportFailed("empty_document", "The file is empty.")
        work.keep(0, fetched.body, {"url": fetched.url, "contentType": fetched.content_type})

    def count(self, work: Work) -> int | None:
        """Counted by reading: parsing is a fraction of what writing costs."""
        return sum(1 for _ in self.records(work))

    def rows(self, work: Work) -> Iterator[Row]:
        """Every record."""
        fields: dict[str, str] = {}
        seen: dict[str, None] = {}
        for position, record in enumerate(self.records(work), 1):
            if isinstance(record, Row):
                record.position = position
                yield record
                continue
            if not record.keys() <= seen.keys():
                # In the order met, so that a run that is taken over sees the same.
                seen |= dict.fromkeys(record)
                fields = rows.columns(seen, work.options)
            yield rows.row(position, record, fields, work.run.namespace, work.options)

    def records(self, work: Work) -> Iterator[dict[str, Any] | Row]:
        """Column (or key) to value; a Row with an error for one that cannot be read."""
        raise NotImplementedError


class CsvSource(_File):
    """Comma, semicolon, tab or bar between the columns; the first line names them."""

    def records(self, work: Work) -> Iterator[dict[str, Any] | Row]:
        """Raises ImportFailed (`not_a_table`)."""
        with _text(work) as text:
            sample = text.read(8192)
            if sample.startswith("PK\x03\x04"):
                detail = "This is a spreadsheet or an archive: save the table as CSV."
                raise ImportFailed("not_a_table", detail)
            lines = _Joined(sample, text)
            said = lines.skip_to_header()
            reader = csv.reader(
                lines, delimiter=work.options.delimiter or said or _delimiter(lines.head())
            )
            try:
                header = _apart(next(reader, []))
            except csv.Error:
                header = []
            if not any(header):
                raise ImportFailed("not_a_table", "The first line does not name the columns.")
            if not set(rows.columns(header, work.options).values()) & {"title", "externalId"}:
                listed = ", ".join(header)[:300]
                raise ImportFailed("unknown_columns", f"No column names a title among: {listed}.")
            while True:
                try:
                    cells = next(reader)
                except StopIteration:
                    return
                except csv.Error as error:
                    yield _unreadable(str(error))
                    continue
                if lines.ended:
                    # The reader was still inside quotes when nothing more came.
                    yield _unreadable("A quote that is opened in this row is never closed.")
                    return
                if not any(cell.strip() for cell in cells):
                    continue
                if len(cells) > len(header) and any(cell.strip() for cell in cells[len(header) :]):
                    yield _unreadable(f"{len(cells)} cells under {len(header)} columns.")
                    continue
                yield dict(zip(header, cells, strict=False))


class JsonLinesSource(_File):
    """One JSON object a line."""

    def records(self, work: Work) -> Iterator[dict[str, Any] | Row]:
        """A line that is no object is an item that failed."""
        with _text(work) as text:
            while line := text.readline(MAX_LINE):
                if not line.strip():
                    continue
                if len(line) == MAX_LINE and not line.endswith("\n"):
                    raise ImportFailed("too_large", "A line has more than a million characters.")
                yield _object(line)


class JsonSource(_File):
    """A list of objects, or an object that keeps it under a usual name."""

    def records(self, work: Work) -> Iterator[dict[str, Any] | Row]:
        """Streamed: the list is never in memory whole. Raises ImportFailed (`not_json`, `too_deep`,
        `not_a_list`)."""
        with _text(work) as text:
            try:
                # Basic events carry no path: a path of a hundred thousand levels fills the memory.
                for item in _listed(ijson.basic_parse(_Utf8(text), use_float=True)):
                    yield item if isinstance(item, dict) else _unreadable("Not an object.")
            except (ijson.JSONError, UnicodeError, OverflowError) as error:
                said = error.args[0] if error.args else ""
                said = said.decode(errors="replace") if isinstance(said, bytes) else str(said)
                first = said.partition("\n")[0]
                raise ImportFailed(
                    "not_json", f"The file is not valid JSON: {first}"[:300]
                ) from error


def _listed(events: Iterator[tuple[str, Any]]) -> Iterator[Any]:
    """Items of the first list at the top or under a usual name of the top object."""
    depth, inside, key, builder = 0, 0, "", ijson.ObjectBuilder()
    found = False
    for event, value in events:
        opening, closing = event in ("start_array", "start_map"), event in ("end_array", "end_map")
        if closing:
            depth -= 1
        if inside and depth >= inside:
            builder.event(event, value)
        elif inside and closing:
            inside = 0
        elif event == "map_key" and depth == 1:
            key = value
        elif (
            event == "start_array" and not found and (depth == 0 or (depth == 1 and key in _LISTS))
        ):
            found, inside = True, depth + 1
        if opening:
            depth += 1
            if depth > MAX_DEPTH:
                raise ImportFailed("too_deep", f"More than {MAX_DEPTH} levels of nesting.")
        elif inside and depth == inside and event != "map_key":
            yield builder.value
            builder = ijson.ObjectBuilder()
    if not found:
        listed = ", ".join(_LISTS)
        raise ImportFailed(
            "not_a_list", f"The file holds no list of objects (looked at: {listed})."
        )


class _Utf8:
    """Text of any encoding as the bytes the JSON parser reads."""

    def __init__(self, text: TextIO) -> None:
        self._text = text

    def read(self, size: int) -> bytes:
        return self._text.read(size).encode(errors="replace")


class _Joined:
    """Lines of what was read already and of what is still to come."""

    def __init__(self, sample: str, rest: TextIO) -> None:
        self._head, self._rest = io.StringIO(sample, newline=""), rest
        self.ended = False

    def skip_to_header(self) -> str | None:
        """Leave out empty lines, and Excel's line that names the delimiter; returns that."""
        said, here = None, self._head.tell()
        while (line := self._head.readline()).strip(" \t\r\n\ufeff") == "" and line:
            here = self._head.tell()
        if found := re.fullmatch(r"sep=(.)\s*", line, re.IGNORECASE | re.DOTALL):
            said, here = found[1], self._head.tell()
        self._head.seek(here)
        return said

    def head(self) -> str:
        """The first line that is still to come, as far as it was read already."""
        here = self._head.tell()
        line = self._head.readline()
        self._head.seek(here)
        return line

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._head.readline()
        if not line.endswith("\n"):
            line += self._rest.readline(MAX_LINE)
        if not line:
            self.ended = True
            raise StopIteration
        # PostgreSQL keeps no NUL, and the csv module stops at one.
        return line.replace("\0", "")


def _unreadable(message: str) -> Row:
    return Row(0, errors=[FieldError("", "unreadable", message[:200])])


def _object(line: str) -> dict[str, Any] | Row:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        return _unreadable(f"Not valid JSON: {error}")
    return found if isinstance(found, dict) else _unreadable("Not an object.")


def _apart(header: list[str]) -> list[str]:
    """Names that differ: a second `title` is called `title (2)`, so that the first one counts."""
    met: dict[str, int] = {}
    found = []
    for name in (name.strip() for name in header):
        met[name] = met.get(name, 0) + 1
        found.append(name if met[name] == 1 else f"{name} ({met[name]})")
    return found


def _delimiter(first: str) -> str:
    return max(",;\t|", key=lambda c: (first.count(c), c == ","))


def _text(work: Work) -> TextIO:
    with work.open(0) as stream:
        encoding = work.options.encoding or encodings.guess(stream.read(encodings.SAMPLE))
    stream = work.open(0)
    return io.TextIOWrapper(stream, encoding=encoding, errors="replace", newline="")
