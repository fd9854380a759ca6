"""The adapters of CSV, JSON and JSON Lines files, uploaded or fetched. Files are read as streams."""

import csv
import io
import json
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import TextIO

import ijson

from catalog.core.errors import FieldError
from catalog.imports.writing.rows import Row
from indexer.importing.errors import ImportFailed
from indexer.importing.reading import encodings, records
from indexer.importing.sources.base import ImportContext

# Characters of one line of CSV or JSON Lines.
MAX_LINE = 1_000_000
MAX_DEPTH = 64
# Values by column or key.
Record = dict[str, object]
# Keys under which a JSON file may have its list of objects.
_LISTS = ("data", "items", "episodes", "programs", "results", "videos", "entries")


class _File(ABC):
    source_type = "file"

    def fetch(self, context: ImportContext) -> None:
        """Fetch and store the file; an uploaded file is stored already.

        Raises:
            ImportFailed: `empty_document`, or why it cannot be fetched.
        """
        if context.run.url is None or context.stored():
            return
        fetched = context.fetcher.fetch(context.run.url, max_bytes=context.settings.max_file_bytes)
        if not fetched.body.strip():
            raise ImportFailed("empty_document", "The file is empty.")
        context.store(0, fetched.body, {"url": fetched.url, "contentType": fetched.content_type})

    def count(self, context: ImportContext) -> int | None:
        """Return the number of records. The file is read for it, which costs a fraction of writing them."""
        return sum(1 for _ in self.records(context))

    def rows(self, context: ImportContext) -> Iterator[Row]:
        """Yield one row for each record.

        Raises:
            ImportFailed: As `records`.
        """
        fields: dict[str, str] = {}
        seen: dict[str, None] = {}
        for position, record in enumerate(self.records(context), 1):
            if isinstance(record, Row):
                record.position = position
                yield record
                continue
            if not record.keys() <= seen.keys():
                # In the order of the file, so that a process that takes the run over decides the same.
                seen |= dict.fromkeys(record)
                fields = records.columns(seen, context.options)
            yield records.row(position, record, fields, context.run.namespace, context.options)

    @abstractmethod
    def records(self, context: ImportContext) -> Iterator[Record | Row]:
        """Yield the records in the order of the file; for one that cannot be read, a row with an error.

        Raises:
            ImportFailed: The file is not of this format.
        """


class CsvSource(_File):
    """Tables with a comma, semicolon, tab or bar between the columns; the first line names them."""

    def records(self, context: ImportContext) -> Iterator[Record | Row]:
        """Yield the lines of the table.

        Raises:
            ImportFailed: `not_a_table` or `unknown_columns`.
        """
        with _text(context) as text:
            sample = text.read(8192)
            if sample.startswith("PK\x03\x04"):
                detail = "This is a spreadsheet or an archive: save the table as CSV."
                raise ImportFailed("not_a_table", detail)
            lines = _Lines(sample, text)
            declared = lines.skip_to_header()
            delimiter = context.options.delimiter or declared or _delimiter(lines.header())
            reader = csv.reader(lines, delimiter=delimiter)
            try:
                header = _unique(next(reader, []))
            except csv.Error:
                header = []
            if not any(header):
                raise ImportFailed("not_a_table", "The first line does not name the columns.")
            if not set(records.columns(header, context.options).values()) & {"title", "externalId"}:
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
                    # The file ended inside quotes.
                    yield _unreadable("A quote that is opened in this row is never closed.")
                    return
                if not any(cell.strip() for cell in cells):
                    continue
                if len(cells) > len(header) and any(cell.strip() for cell in cells[len(header) :]):
                    yield _unreadable(f"{len(cells)} cells under {len(header)} columns.")
                    continue
                yield dict(zip(header, cells, strict=False))


class JsonLinesSource(_File):
    """Files with a JSON object on each line."""

    def records(self, context: ImportContext) -> Iterator[Record | Row]:
        """Yield the objects.

        Raises:
            ImportFailed: `too_large`: a line is longer than `MAX_LINE`.
        """
        with _text(context) as text:
            while line := text.readline(MAX_LINE):
                if not line.strip():
                    continue
                if len(line) == MAX_LINE and not line.endswith("\n"):
                    raise ImportFailed("too_large", "A line has more than a million characters.")
                yield _object(line)


class JsonSource(_File):
    """A list of objects, alone or under one of the usual keys of an object."""

    def records(self, context: ImportContext) -> Iterator[Record | Row]:
        """Yield the objects; one of them is in memory at a time.

        Raises:
            ImportFailed: `not_json`, `too_deep` or `not_a_list`.
        """
        with _text(context) as text:
            try:
                # Not ijson's events with paths: the path of a hundred thousand levels would fill the memory.
                for item in _items_of_list(ijson.basic_parse(_Utf8(text), use_float=True)):
                    yield item if isinstance(item, dict) else _unreadable("Not an object.")
            except (ijson.JSONError, UnicodeError, OverflowError) as error:
                reason = error.args[0] if error.args else ""
                reason = reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
                first_line = reason.partition("\n")[0]
                raise ImportFailed("not_json", f"The file is not valid JSON: {first_line}"[:300]) from error


def _items_of_list(events: Iterator[tuple[str, object]]) -> Iterator[object]:
    # The items of the first list: the document itself, or a value of its object under a key of _LISTS.
    depth, inside, key, builder = 0, 0, "", ijson.ObjectBuilder()
    list_found = False
    for event, value in events:
        opening, closing = event in ("start_array", "start_map"), event in ("end_array", "end_map")
        if closing:
            depth -= 1
        if inside and depth >= inside:
            builder.event(event, value)
        elif inside and closing:
            inside = 0
        elif event == "map_key" and depth == 1:
            key = str(value)
        elif event == "start_array" and not list_found and (depth == 0 or (depth == 1 and key in _LISTS)):
            list_found, inside = True, depth + 1
        if opening:
            depth += 1
            if depth > MAX_DEPTH:
                raise ImportFailed("too_deep", f"More than {MAX_DEPTH} levels of nesting.")
        elif inside and depth == inside and event != "map_key":
            yield builder.value
            builder = ijson.ObjectBuilder()
    if not list_found:
        listed = ", ".join(_LISTS)
        raise ImportFailed("not_a_list", f"The file has no list of objects (at its top, or under {listed}).")


class _Utf8:
    """Text as the UTF-8 bytes that the JSON parser reads."""

    def __init__(self, text: TextIO) -> None:
        self._text = text

    def read(self, size: int) -> bytes:
        return self._text.read(size).encode(errors="replace")


class _Lines:
    """The lines of a table whose beginning, the sample, was read already.

    `ended` is set when the reader asks for a line behind the last one.
    """

    def __init__(self, sample: str, rest: TextIO) -> None:
        self._sample, self._rest = io.StringIO(sample, newline=""), rest
        self.ended = False

    def skip_to_header(self) -> str | None:
        """Skip empty lines and Excel's line `sep=;`; return the delimiter that it names, else None."""
        delimiter, here = None, self._sample.tell()
        while (line := self._sample.readline()).strip(" \t\r\n\ufeff") == "" and line:
            here = self._sample.tell()
        if found := re.fullmatch(r"sep=(.)\s*", line, re.IGNORECASE | re.DOTALL):
            delimiter, here = found[1], self._sample.tell()
        self._sample.seek(here)
        return delimiter

    def header(self) -> str:
        """Return the next line without taking it, as far as it is in the sample."""
        here = self._sample.tell()
        line = self._sample.readline()
        self._sample.seek(here)
        return line

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._sample.readline()
        if not line.endswith("\n"):
            line += self._rest.readline(MAX_LINE)
        if not line:
            self.ended = True
            raise StopIteration
        # PostgreSQL's text has no NUL, and the csv module stops at one.
        return line.replace("\0", "")


def _unreadable(message: str) -> Row:
    return Row(0, errors=[FieldError("", "unreadable", message[:200])])


def _object(line: str) -> Record | Row:
    try:
        found: object = json.loads(line)
    except (ValueError, RecursionError) as error:
        return _unreadable(f"Not valid JSON: {error}")
    return found if isinstance(found, dict) else _unreadable("Not an object.")


def _unique(header: list[str]) -> list[str]:
    """The names of the columns, each once: a second `title` becomes `title (2)`, which fills no field."""
    count: dict[str, int] = {}
    found = []
    for name in (name.strip() for name in header):
        count[name] = count.get(name, 0) + 1
        found.append(name if count[name] == 1 else f"{name} ({count[name]})")
    return found


def _delimiter(header: str) -> str:
    return max(",;\t|", key=lambda c: (header.count(c), c == ","))


def _text(context: ImportContext) -> TextIO:
    with context.open(0) as stream:
        encoding = context.options.encoding or encodings.guess(stream.read(encodings.SAMPLE))
    stream = context.open(0)
    return io.TextIOWrapper(stream, encoding=encoding, errors="replace", newline="")
