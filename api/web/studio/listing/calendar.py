"""The calendar of editors: which programs are published and archived by themselves, day by day, in their time zone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from operator import attrgetter
from zoneinfo import ZoneInfo

from litestar import Response, get
from litestar.datastructures import MultiDict

from api.editorial.listing import routes as listing
from api.editorial.listing.schemas import ListedProgram
from api.http.errors import InvalidParameter
from api.http.query import DEFAULT_ZONE, MAX_LIMIT, QueryString
from api.web.listener.reading import right
from api.web.rendering.links import query
from api.web.rendering.locales import Locale
from api.web.signin.staff import StaffRequest, page, redirect
from api.web.studio import zones
from api.web.studio.listing.address import PROGRAMS

_NAMES = ("view", "day", "tz")
_VIEWS = MONTH, WEEK = ("month", "week")
# Pages of programs that are read for a calendar, of each kind of event.
_PAGES = 5
# Babel cannot write days far outside of the centuries of a catalogue.
_FIRST, _LAST = date(1900, 1, 1), date(2999, 12, 31)


@dataclass(frozen=True, slots=True)
class Event:
    """What happens to a program at a time by itself: it is published (`publish`) or archived (`expire`)."""

    at: datetime
    kind: str
    program: ListedProgram


@dataclass(frozen=True, slots=True)
class Day:
    """A day of the calendar. `column`: where it stands in a week, from 1."""

    date: date
    column: int
    is_today: bool
    events: Sequence[Event]


@dataclass(frozen=True, slots=True)
class _Asked:
    """What an address asks for: a view, a day in it, and the time zone, if it names one."""

    view: str
    day: date | None
    zone: ZoneInfo | None


def _parsed(sent: MultiDict[str]) -> _Asked:
    """Read the parameters.

    Raises:
        InvalidParameter: A value is wrong.
    """
    found = QueryString(sent, _NAMES)
    day = None
    if (text := found.text("day")) is not None:
        try:
            day = date.fromisoformat(text)
        except ValueError:
            raise InvalidParameter("day", "Must be a day such as 2026-12-01.") from None
        if not _FIRST <= day <= _LAST:
            raise InvalidParameter("day", f"Must be from {_FIRST} to {_LAST}.")
    zone = found.zone("tz", DEFAULT_ZONE) if "tz" in found.values else None
    return _Asked(found.one_of("view", _VIEWS) or MONTH, day, zone)


@get("/calendar")
async def calendar(request: StaffRequest) -> Response[bytes]:
    """Return a month or a week of the calendar."""
    sent = request.query_params
    kept = [(name, value) for name, value in right(sent, _parsed) if value.strip()]
    if len(kept) != len([*sent.multi_items()]):
        return redirect(request, request.url.path + query(dict(sorted(kept))))
    asked = _parsed(MultiDict(kept))
    zone = zones.decided(request, asked.zone.key if asked.zone is not None else "")
    today = datetime.now(zone).date()
    first, last, before, after = _period(asked.view, asked.day or today, request.locale)
    planned, all_planned = await _programs(
        request,
        zone,
        status="scheduled,in_review",
        sort="scheduledPublishAt",
        **_between("scheduled", first, last),
    )
    ending, all_ending = await _programs(
        request, zone, status="scheduled,published", sort="expireAt", **_between("expires", first, last)
    )
    events = [Event(one.scheduled_publish_at, "publish", one) for one in planned if one.scheduled_publish_at]
    events += [Event(one.expire_at, "expire", one) for one in ending if one.expire_at]
    chosen = {"tz": asked.zone.key} if asked.zone is not None else {}

    def address(day: date | None, view: str = asked.view) -> str:
        given = {"view": None if view == MONTH else view, "day": day and day.isoformat(), **chosen}
        return request.url.path + query(given)

    context = {
        "view": asked.view,
        "days": _days(first, last, today, sorted(events, key=attrgetter("at")), zone, request.locale),
        "number": len(events),
        "complete": all_planned and all_ending,
        "first": first,
        "last": last,
        "day": asked.day or today,
        "zone": zone,
        "zones": zones.offered(zone),
        "before": address(max(before, _FIRST)) if first > _FIRST else "",
        "now": address(None),
        "after": address(after) if after <= _LAST else "",
        "month_view": address(asked.day, MONTH),
        "week_view": address(asked.day, WEEK),
        "every_ending": f"{PROGRAMS}{query({'tz': zone.key} | _between('expires', first, last))}",
        "every": f"{PROGRAMS}{query({'tz': zone.key} | _between('scheduled', first, last))}",
    }
    cookies = [] if asked.zone is None else [zones.cookie(asked.zone)]
    return page(request, "studio/listing/calendar.html", context, given=cookies)


def _period(view: str, day: date, locale: Locale) -> tuple[date, date, date, date]:
    """Return the first and the last day of a view, and a day of the view before it and of the one after it.

    Args:
        view: `MONTH` or `WEEK`.
        day: A day in it.
        locale: Knows on which day a week begins.
    """
    if view == MONTH:
        first = day.replace(day=1)
        last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
        return first, last, first - timedelta(days=1), last + timedelta(days=1)
    first = day - timedelta(days=(day.weekday() - locale.weekdays[0][0]) % 7)
    return first, first + timedelta(days=6), first - timedelta(days=7), first + timedelta(days=7)


def _between(name: str, first: date, last: date) -> dict[str, str]:
    return {f"{name}After": first.isoformat(), f"{name}Before": last.isoformat()}


async def _programs(
    request: StaffRequest, zone: ZoneInfo, **filters: str
) -> tuple[list[ListedProgram], bool]:
    """Return the programs of a list, and whether that are all of them."""
    found: list[ListedProgram] = []
    given = {**filters, "tz": zone.key, "limit": str(MAX_LIMIT)}
    for _ in range(_PAGES):
        part = await listing.programs(request, MultiDict(given))
        found += part.data
        if part.meta.next_cursor is None:
            return found, True
        given["cursor"] = part.meta.next_cursor
    return found, False


def _days(
    first: date, last: date, today: date, events: Sequence[Event], zone: ZoneInfo, locale: Locale
) -> list[Day]:
    """Return the days of a period, each with its events.

    Args:
        first: The first day.
        last: The last day.
        today: The present day.
        events: In the order of their times.
        zone: The zone that decides on which day an event is.
        locale: Knows on which day a week begins.
    """
    found: dict[date, list[Event]] = {}
    for event in events:
        found.setdefault(event.at.astimezone(zone).date(), []).append(event)
    columns = {number: place for place, (number, _) in enumerate(locale.weekdays, 1)}
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    return [Day(day, columns[day.weekday()], day == today, found.get(day, ())) for day in days]


HANDLERS = [calendar]
