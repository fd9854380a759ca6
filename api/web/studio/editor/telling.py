"""Tells the values of a program's fields to a reader, and what differs between two of them."""

import asyncio
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from difflib import SequenceMatcher
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec
from markupsafe import Markup, escape

from api.editorial import taxonomy
from api.editorial.taxonomy_schemas import CategoryList, CategoryOut
from api.http.query import MAX_LIMIT
from api.web.rendering.locales import Locale
from api.web.signin.asking import ask
from api.web.signin.staff import StaffRequest
from api.web.studio.editor.writing import series, spelling
from api.web.studio.editor.writing.form import NAMES

_WORD = re.compile(r"\s+|[^\s]+")
# Texts with more words are told whole.
_MOST_WORDS = 600
_MOST_PAGES = 20
_COMPARED = ("title", "description")
_MOMENTS = ("releaseDate", "expireAt", "scheduledPublishAt")
_CHOICES = {"kind": "kind", "mediaType": "mediaType", "status": "state"}


class Told(NamedTuple):
    """A field with two values, as HTML."""

    field: str
    before: Markup
    after: Markup


class Teller:
    """Tells values in a language, with the clocks of a time zone, and the names of categories and series."""

    def __init__(
        self, locale: Locale, zone: ZoneInfo, categories: Iterable[CategoryOut], titles: Mapping[int, str]
    ) -> None:
        """Take what is needed to tell.

        Args:
            locale: The language of the page.
            zone: Where the clocks are.
            categories: All of them.
            titles: The titles of the series that are told, by id.
        """
        self._locale, self._zone, self._titles = locale, zone, titles
        arabic = locale.code == "ar"
        self._categories = {one.id: one.name_ar if arabic else one.name_en for one in categories}

    def moment(self, at: datetime) -> str:
        """Return a date and a time in words."""
        return self._locale.local(at, self._zone)

    def value(self, name: str, value: object) -> Markup:
        """Return a value as HTML.

        Args:
            name: The field.
            value: As JSON has it.
        """
        text = self._locale.text
        if value is None or value in ("", []):
            return text("editor.nothing")
        if isinstance(value, bool):
            return text("editor.yes" if value else "editor.no")
        if name in _MOMENTS:
            return escape(self.moment(datetime.fromisoformat(str(value))))
        if name in _CHOICES and f"{_CHOICES[name]}.{value}" in self._locale.texts:
            return text(f"{_CHOICES[name]}.{value}")
        if isinstance(value, list):
            separator = escape("، " if self._locale.code == "ar" else ", ")
            return separator.join(_item(self._locale, name, item) for item in value)
        if isinstance(value, int):
            return self._number(name, value)
        return escape(value)

    def _number(self, name: str, value: int) -> Markup:
        known = {"categoryId": self._categories, "seriesId": self._titles}.get(name)
        if known is not None:
            return escape(known.get(value, f"#{value}"))
        return escape(self._locale.digits(spelling.clock(value) if name == "durationSec" else str(value)))

    def both(self, name: str, before: object, after: object) -> Told:
        """Return two values of a field; in texts, words that only one of them has are marked.

        Comparing words takes time, so `marked` does it beside the event loop.

        Args:
            name: The field.
            before: As JSON has it.
            after: As JSON has it.
        """
        if name in _COMPARED and isinstance(before, str) and isinstance(after, str) and before and after:
            return Told(name, *_compared(before, after))
        return self.plain(name, before, after)

    def plain(self, name: str, before: object, after: object) -> Told:
        """Return two values of a field as they are.

        Args:
            name: The field.
            before: As JSON has it.
            after: As JSON has it.
        """
        return Told(name, self.value(name, before), self.value(name, after))

    async def marked(self, pairs: Iterable[tuple[str, object, object]]) -> list[Told]:
        """Return two values of each of some fields, as `both` does: name, before, after."""
        told = list(pairs)
        return await asyncio.to_thread(lambda: [self.both(*pair) for pair in told])


def _item(locale: Locale, name: str, item: object) -> Markup:
    """Return one of several values: a name, a person with a role, the name of a field."""
    if isinstance(item, dict):
        found = msgspec.convert(item, dict[str, str])
        return Markup("<bdi>{}</bdi> ({})").format(found["name"], locale.text(f"role.{found['role']}"))
    if name == "lockedFields" and item in NAMES:
        return locale.text(f"editor_field.{item}")
    return Markup("<bdi>{}</bdi>").format(str(item))


def _compared(before: str, after: str) -> tuple[Markup, Markup]:
    old, new = _WORD.findall(before), _WORD.findall(after)
    if len(old) + len(new) > _MOST_WORDS:
        return escape(before), escape(after)
    first, second = Markup(), Markup()
    for what, i1, i2, j1, j2 in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        gone, come = "".join(old[i1:i2]), "".join(new[j1:j2])
        first += escape(gone) if what == "equal" or not gone else Markup("<del>{}</del>").format(gone)
        second += escape(come) if what == "equal" or not come else Markup("<ins>{}</ins>").format(come)
    return first, second


async def categories(request: StaffRequest) -> list[CategoryOut]:
    """Return all categories."""
    found: list[CategoryOut] = []
    after = 0
    for _ in range(_MOST_PAGES):
        page = await ask(request, taxonomy.list_categories, CategoryList, after=after, limit=MAX_LIMIT)
        found += page.data
        if page.meta.next_cursor is None:
            break
        after = int(page.meta.next_cursor)
    return found


async def teller(
    request: StaffRequest, zone: ZoneInfo, known: Iterable[CategoryOut], *told: Mapping[str, object]
) -> Teller:
    """Return a teller that knows the series of some values.

    Args:
        request: Of somebody who may read them.
        zone: Where the clocks are.
        known: All categories.
        *told: Values by field.
    """
    ids = {found for values in told if isinstance(found := values.get("seriesId"), int)}
    titles = {series_id: await series.title_of(request, {"seriesId": series_id}) for series_id in ids}
    return Teller(request.locale, zone, known, {number: title for number, title in titles.items() if title})
