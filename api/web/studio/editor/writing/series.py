"""Which series the form of a program names: the one that was chosen, one with the title that was typed, or a new one."""

import re

from api.editorial import taxonomy
from api.editorial.taxonomy_schemas import SeriesAnswer, SeriesIn, SeriesList, SeriesOut
from api.http.query import MAX_LIMIT, MAX_VALUE
from api.web.signin.asking import ask
from api.web.signin.staff import StaffRequest
from api.web.studio.editor.writing.form import Read, Typed, Values
from catalog.core.errors import CatalogError
from catalog.core.text import fold

_ID = re.compile(r"#([0-9]{1,15})")


async def find(request: StaffRequest, title: str) -> list[SeriesOut]:
    """Return the series whose addresses begin like a title."""
    found = await ask(request, taxonomy.list_series, SeriesList, q=title[:MAX_VALUE], limit=MAX_LIMIT)
    return found.data


async def title_of(request: StaffRequest, values: Values) -> str:
    """Return the title of the series in some values; nothing without one."""
    series_id = values.get("seriesId")
    if not isinstance(series_id, int):
        return ""
    try:
        return (await ask(request, taxonomy.get_series, SeriesAnswer, series_id=series_id)).data.title
    except CatalogError:
        return ""


async def choose(request: StaffRequest, typed: Typed, found: Read) -> None:
    """Add the series of a form to what the form says, or what is wrong with it.

    Args:
        request: Of whoever sent the form.
        typed: The fields of the form: `series` is the title, `seriesId` and `seriesWas` a series and its title that were
            chosen before, `series.new` says that a new series shall have the title.
        found: What else the form says.
    """
    title = typed.get("series", "").strip()
    if not title:
        if found.values.get("seriesId") is not None:
            found.values["seriesId"] = None
        return
    if title == typed.get("seriesWas", "").strip():
        known = typed.get("seriesId", "")
        if known.isdecimal():
            found.values["seriesId"] = int(known[:18])
        return
    numbered = _ID.fullmatch(title)
    if numbered is not None:
        found.values["seriesId"] = int(numbered[1])
        return
    matching = [one for one in await find(request, title) if fold(one.title) == fold(title)]
    if len(matching) == 1:
        found.values["seriesId"] = matching[0].id
    elif matching:
        found.faults["seriesId"] = "several"
    elif typed.get("series.new") != "on":
        found.faults["seriesId"] = "unknown"
    else:
        data = SeriesIn(title=title, language=str(found.values.get("language", "")))
        made = await ask(request, taxonomy.create_series, SeriesAnswer, data=data)
        found.values["seriesId"] = made.data.id
