"""A record of a file (column or key to value) as a row: names matched, values read, errors kept."""

from collections.abc import Callable, Iterable
from typing import Any

from catalog.errors import FieldError
from catalog.imports.options import Options
from catalog.imports.rows import Row, SeriesRef, external_id
from catalog.programs.models import KINDS
from catalog.text import fold
from indexer.importing import dates, values

# What columns are called, folded, without spaces and signs.
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
}  # fmt: skip
_KNOWN = {alias: target for target, names in _ALIASES.items() for alias in names.split()}
_ROLES = {
    "hosts": "host", "guests": "guest", "directors": "director", "producers": "producer",
    "narrators": "narrator", "cast": "cast",
}  # fmt: skip
# target -> (column, how it is read, what to say when it cannot be)
_READERS: dict[str, tuple[str, Callable[[Any], Any], str]] = {
    "language": ("language", values.language, "Must be a language tag such as ar or en-GB."),
    "durationSec": ("duration_sec", values.duration, "Must be a duration such as 3600 or 1:00:00."),
    "mediaUrl": ("media_url", values.address, "Must be an http(s) address."),
    "thumbnailUrl": ("thumbnail_url", values.address, "Must be an http(s) address."),
    "season": ("season", values.whole, "Must be a whole number."),
    "episode": ("episode", values.whole, "Must be a whole number."),
    "isFeatured": ("is_featured", values.flag, "Must be yes or no."),
    "isExplicit": ("is_explicit", values.flag, "Must be yes or no."),
}


_DATES = {"releaseDate": "release_date", "expireAt": "expire_at"}
_NO_DATE = "Must be a date; one such as 05/03/2024 needs options.dayFirst (--day-first)."


def columns(names: Iterable[str], options: Options) -> dict[str, str]:
    """Which column fills which field: the editor's mapping first, then what the names say.

    The first column that fits wins; the others are left out.
    """
    listed = list(names)
    found: dict[str, str] = {}
    mapped = {name: options.mapping[name] for name in listed if name in options.mapping}
    for name, target in mapped.items():
        if target:
            found[name] = target
    for name in listed:
        key = "".join(c for c in fold(name) if c.isalnum())
        target = _KNOWN.get(key, "")
        if name not in mapped and target and target not in found.values():
            found[name] = target
    return found


def row(
    position: int, record: dict[str, Any], fields: dict[str, str], namespace: str, options: Options
) -> Row:
    """The record as a row; what cannot be read is an error of its field."""
    given = {
        target: record[name]
        for name, target in fields.items()
        if record.get(name) not in (None, "", [])
    }
    found = Row(position)
    said: dict[str, Any] = {}
    for target, value in given.items():
        _take(target, value, said, found, options)
    if "media_type" not in said and options.media_type is None:
        guessed = values.media_type(None, said.get("media_url"))
        if guessed:
            said["media_type"] = guessed
    if "kind" not in said and options.kind is None:
        said["kind"] = "episode"
    key = given.get("externalId") or said.get("media_url")
    if isinstance(key, str | int) and not isinstance(key, bool) and str(key).strip():
        found.external_id = external_id(namespace, str(key))
    found.values = said
    found.title = str(said.get("title", ""))
    return found


def _take(target: str, value: Any, said: dict[str, Any], found: Row, options: Options) -> None:
    def wrong(message: str) -> None:
        found.errors.append(FieldError(target, "invalid", message))

    def keep(column: str, read: Any, message: str) -> None:
        if isinstance(value, str) and not value.strip():
            return
        if read is None:
            wrong(message)
        else:
            said[column] = read

    plain = isinstance(value, str | int | float)
    if target in _DATES:
        day = dates.moment(value, day_first=options.day_first) if plain else None
        keep(_DATES[target], day, _NO_DATE)
    elif target in _READERS:
        column, read, message = _READERS[target]
        keep(column, read(value) if plain else None, message)
    elif target in _ROLES:
        listed = values.names(value, 100) if isinstance(value, str | list) else []
        said.setdefault("people", []).extend((_ROLES[target], name) for name in listed)
    elif target == "tags":
        said["tags"] = values.names(value) if isinstance(value, str | list) else []
    elif not isinstance(value, str | int | float) or isinstance(value, bool):
        if target != "externalId":
            wrong("Must be text.")
    elif target == "title":
        said["title"] = values.one_line(str(value))
    elif target == "description":
        said["description"] = values.safe_text(str(value))
    elif target == "category":
        found.category = str(value).strip() or None
    elif target == "series":
        title = values.one_line(str(value))
        found.series = SeriesRef(title) if title else None
    elif target == "mediaType":
        said["media_type"] = values.media_type(str(value), None) or str(value).strip()
    elif target == "kind":
        text = str(value).strip().casefold()
        said["kind"] = text if text in KINDS else str(value).strip()
    elif target == "slug":
        said["slug"] = str(value).strip()
