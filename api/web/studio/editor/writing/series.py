"""Which series the form of a program names: the one that was chosen, one with the title that was typed, or a new one."""

import re

from sqlalchemy.orm import Session

from api.editorial import taxonomy
from api.editorial.taxonomy_schemas import SeriesAnswer, SeriesIn, SeriesList, SeriesOut
from api.http import transaction
from api.http.query import MAX_LIMIT, MAX_VALUE
from api.web.signin.asking import ask
from api.web.signin.staff import StaffRequest
from api.web.studio.editor.writing.form import Read, Typed, Values
from catalog.core.errors import CatalogError
from catalog.taxonomy import series

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


async def choose(request: StaffRequest, typed: Typed, found: Read) -> str:
    """Add the series of a form to what the form says, or what is wrong with it.

    Args:
        request: Of whoever sent the form.
        typed: The fields of the form: `series` is the title, `seriesId` and `seriesWas` a series and its title that were
            chosen before, `series.new` says that a new series shall have the title.
        found: What else the form says.

    Returns:
        The title of the series that is to be created with `create`; nothing when there is none.
    """
    title = typed.get("series", "").strip()
    if not title:
        if found.values.get("seriesId") is not None:
            found.values["seriesId"] = None
        return ""
    if title == typed.get("seriesWas", "").strip():
        known = typed.get("seriesId", "")
        if known.isdecimal():
            found.values["seriesId"] = int(known[:18])
        return ""
    numbered = _ID.fullmatch(title)
    if numbered is not None:
        found.values["seriesId"] = int(numbered[1])
        return ""

    def matching(session: Session) -> list[int]:
        return [row.id for row in series.titled(session, title)]

    ids = await transaction.read(request, matching)
    if len(ids) == 1:
        found.values["seriesId"] = ids[0]
    elif ids:
        found.faults["seriesId"] = "several"
    elif typed.get("series.new") != "on":
        found.faults["seriesId"] = "unknown"
    else:
        return title
    return ""


async def create(request: StaffRequest, title: str, values: Values) -> int:
    """Create a series, and return its id.

    Args:
        request: Of an editor.
        title: Its title.
        values: Those of its first program, whose language it gets.
    """
    data = SeriesIn(title=title, language=str(values.get("language", "")))
    return (await ask(request, taxonomy.create_series, SeriesAnswer, data=data)).data.id
