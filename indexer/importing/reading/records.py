"""Turns a record of a file (values by column or key) into a row: finds the fields, reads the values.

A value that cannot be read becomes an error of its field. `sources.files` calls it.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache

from catalog.core.errors import FieldError
from catalog.core.text import fold
from catalog.imports.options import Options
from catalog.imports.writing.rows import Row, SeriesRef, external_id
from catalog.programs.models import KINDS
from indexer.importing.reading import dates, media_types, values

# Names of columns for each field: folded (catalog.core.text), without spaces and signs.
_ALIASES = {
    "externalId": "externalid id guid uuid key episodeid videoid المعرف",
    "title": "title name episodetitle headline العنوان الاسم",
    "description": "description summary body shownotes synopsis overview الوصف",
    "language": "language lang locale اللغه",
    "mediaType": "mediatype medium نوعالوسائط",
    "kind": "kind programtype contenttype النوع",
    "durationSec": "durationsec duration length runtime seconds durationseconds المده",
    "releaseDate": "releasedate date pubdate published publishedat publisheddate publishdate airdate release created التاريخ تاريخالنشر",
    "mediaUrl": "mediaurl url link audiourl videourl enclosure enclosureurl media file الرابط",
    "thumbnailUrl": "thumbnailurl thumbnail image imageurl cover artwork poster artworkurl الصوره",
    "category": "category genre section التصنيف القسم",
    "series": "series show podcast collection program المسلسل السلسله البرنامج",
    "season": "season seasonnumber الموسم",
    "episode": "episode episodenumber number الحلقه",
    "isFeatured": "isfeatured featured مميز",
    "isExplicit": "isexplicit explicit",
    "expireAt": "expireat expires expiry expirydate",
    "tags": "tags keywords topics labels الوسوم",
    "hosts": "hosts host presenter presenters speaker speakers mainspeaker author المقدم",
    "guests": "guests guest الضيف الضيوف",
    "directors": "directors director المخرج",
    "producers": "producers producer المنتج",
    "narrators": "narrators narrator الراوي",
    "cast": "cast actors stars الممثلون",
    "slug": "slug",
}
_FIELD_BY_ALIAS = {alias: target for target, names in _ALIASES.items() for alias in names.split()}
_ROLES = {
    "hosts": "host",
    "guests": "guest",
    "directors": "director",
    "producers": "producer",
    "narrators": "narrator",
    "cast": "cast",
}
# By field: the program's column, the function that reads the value, the message when it returns None.
_READERS: dict[str, tuple[str, Callable[[object], object], str]] = {
    "language": ("language", values.language, "Must be a language tag such as ar or en-GB."),
    "durationSec": ("duration_sec", values.duration, "Must be a duration such as 3600 or 1:00:00."),
    "mediaUrl": ("media_url", values.address, "Must be an http(s) address."),
    "thumbnailUrl": ("thumbnail_url", values.address, "Must be an http(s) address."),
    "season": ("season", values.whole, "Must be a whole number."),
    "episode": ("episode", values.whole, "Must be a whole number."),
    "isFeatured": ("is_featured", values.flag, "Must be yes or no."),
    "isExplicit": ("is_explicit", values.flag, "Must be yes or no."),
}


# What spreadsheets, databases and people write into a cell without a value.
_PLACEHOLDERS = frozenset(
    (
        *[
            "n/a",
            "na",
            "#n/a",
            "<na>",
            "null",
            "nil",
            "nan",
            "none",
            "-",
            "--",
            "---",
            "–",
            "—",
            "_",
            ".",
            "?",
            "(null)",
            "\\n",
            "undefined",
        ],
        "لا يوجد",
        "لايوجد",
        "لا توجد",
        "غير متوفر",
        "غير متاح",
        "غير معروف",
        "غير محدد",
        "بدون",
        "فارغ",
    )
)
_DATES = {"releaseDate": "release_date", "expireAt": "expire_at"}
# The program's column that each field fills.
_COLUMN = (
    {"title": "title", "description": "description", "mediaType": "media_type", "kind": "kind"}
    | {"category": "category_id", "series": "series_id", "tags": "tags", "slug": "slug"}
    | {target: column for target, (column, _, _) in _READERS.items()}
    | _DATES
    | dict.fromkeys(_ROLES, "people")
)
_ALL_COLUMNS = frozenset(_COLUMN.values())
_NO_DATE = "Must be a date; one such as 05/03/2024 needs options.dayFirst (--day-first)."


def columns(names: Iterable[str], options: Options) -> dict[str, str]:
    """Return the field that each column fills, by the column's name.

    The editor's mapping (`options.mapping`) decides first, then the columns' names. Of two columns that name
    one field the first one fills it; the other one is not used.
    """
    listed = list(names)
    found: dict[str, str] = {}
    mapped = {name: options.mapping[name] for name in listed if name in options.mapping}
    for name, target in mapped.items():
        if target:
            found[name] = target
    for name in listed:
        key = "".join(c for c in fold(name) if c.isalnum())
        target = _FIELD_BY_ALIAS.get(key, "")
        if name not in mapped and target and target not in found.values():
            found[name] = target
    return found


def row(
    position: int, record: Mapping[str, object], fields: Mapping[str, str], namespace: str, options: Options
) -> Row:
    """Return the record as a row.

    Args:
        position: The record's number in the file, from 1.
        record: Values by column or key.
        fields: What `columns` returned.
        namespace: Stands before the external id.
        options: The run's options.
    """
    cells = {
        target: record[name]
        for name, target in fields.items()
        if record.get(name) not in (None, "", []) and (target == "title" or not _is_placeholder(record[name]))
    }
    reading = _Reading(position, options)
    for target, cell in cells.items():
        reading.take(target, cell)
    url = reading.values.get("media_url")
    if "media_type" not in reading.values and options.media_type is None:
        guessed = media_types.media_type(None, url if isinstance(url, str) else None)
        if guessed:
            reading.values["media_type"] = guessed
        else:
            reading.row.guessed = url is not None
    if "kind" not in reading.values and options.kind is None:
        reading.values["kind"] = "episode"
    found = reading.row
    key = cells.get("externalId", url)
    if isinstance(key, float) and key.is_integer():
        # JSON knows one kind of number: 1.0 is 1.
        key = int(key)
    written = str(key).lower() if isinstance(key, bool) else str(key)
    if isinstance(key, str | int | float) and written.strip():
        found.external_id = external_id(namespace, written)
    found.values = reading.values
    found.unspoken = _unspoken(tuple(fields.values()))
    found.title = str(reading.values.get("title", ""))
    return found


@lru_cache(64)
def _unspoken(targets: tuple[str, ...]) -> frozenset[str]:
    """The columns that no field of the file fills."""
    return _ALL_COLUMNS - {_COLUMN[target] for target in targets if target in _COLUMN}


def _is_placeholder(cell: object) -> bool:
    """Whether a cell says in words that it is empty."""
    if isinstance(cell, float):
        return math.isnan(cell)
    return isinstance(cell, str) and cell.strip().casefold() in _PLACEHOLDERS


class _Reading:
    """One record while its cells are read, each by `take`."""

    def __init__(self, position: int, options: Options) -> None:
        self.row, self.options = Row(position), options
        self.values: dict[str, object] = {}
        self._people: list[tuple[str, str]] = []

    def take(self, target: str, cell: object) -> None:
        """Read the cell of a field into the row, or note that it cannot be read."""
        scalar = isinstance(cell, str | int | float)
        if target in _DATES:
            moment = None
            if scalar:
                day_first, language = self.options.day_first, self.options.language
                moment = dates.moment(cell, day_first=day_first, language=language)
            self._set(target, _DATES[target], cell, moment, _NO_DATE)
        elif target in _READERS:
            column, read, message = _READERS[target]
            value = read(cell) if scalar else None
            if target == "durationSec" and value == 0:
                # Nothing lasts no time: the length is not known.
                return
            self._set(target, column, cell, value, message)
        elif target in _ROLES:
            names = values.names(cell, 100) if isinstance(cell, str | list) else []
            self._people.extend((_ROLES[target], name) for name in names)
            self.values["people"] = self._people
        elif target == "tags":
            self.values["tags"] = values.names(cell) if isinstance(cell, str | list) else []
        elif not scalar or isinstance(cell, bool):
            if target != "externalId":
                self._wrong(target, "Must be text.")
        else:
            self._take_text(target, str(cell))

    def _set(self, target: str, column: str, cell: object, value: object, message: str) -> None:
        if isinstance(cell, str) and not cell.strip():
            return
        if value is None:
            self._wrong(target, message)
        else:
            self.values[column] = value

    def _wrong(self, target: str, message: str) -> None:
        self.row.errors.append(FieldError(target, "invalid", message))

    def _take_text(self, target: str, cell: str) -> None:
        match target:
            case "title":
                self.values["title"] = values.one_line(cell)
            case "description":
                self.values["description"] = values.safe_text(cell)
            case "category":
                self.row.category = cell.strip() or None
            case "series":
                title = values.one_line(cell)
                self.row.series = SeriesRef(title) if title else None
            case "mediaType":
                self.values["media_type"] = media_types.media_type(cell, None) or cell.strip()
            case "kind":
                kind = cell.strip().casefold()
                self.values["kind"] = kind if kind in KINDS else cell.strip()
            case "slug":
                self.values["slug"] = cell.strip()
