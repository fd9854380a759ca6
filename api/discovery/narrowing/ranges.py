"""The facets whose values are ranges: durations and years of release. Pure functions.

A value is written as its filter takes it: `600-1199` are the seconds of `durationMin` and `durationMax`, `2024` is the year from
`releasedAfter=2024-01-01` to `releasedBefore=2024-12-31` in the request's time zone.
"""

from datetime import MAXYEAR, MINYEAR, UTC, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from api.discovery.narrowing.filters import DURATION, RANGES, YEAR

# The shortest durations of the ranges, in seconds.
BEGINNINGS = (0, 600, 1200, 2400, 3600, 7200)
# Years that are counted, up to next year: each is a query of its own.
MAX_YEARS = 100


class Range(NamedTuple):
    """A range of a facet: both bounds are included; None is no bound."""

    facet: str
    value: str
    low: int
    high: int | None

    @property
    def condition(self) -> str:
        """The range as a condition of the engine's filter."""
        field = RANGES[self.facet]
        return f"{field} >= {self.low}" if self.high is None else f"{field} {self.low} TO {self.high}"


def _durations() -> tuple[Range, ...]:
    ends = [*(low - 1 for low in BEGINNINGS[1:]), None]
    return tuple(
        Range(DURATION, f"{low}-{'' if high is None else high}", low, high)
        for low, high in zip(BEGINNINGS, ends, strict=True)
    )


DURATIONS = _durations()


def years(first: int, last: int, zone: str, now: datetime | None = None) -> list[Range]:
    """Return the years between two moments: at most `MAX_YEARS`, and none after next year.

    Args:
        first: Unix seconds.
        last: Unix seconds.
        zone: The time zone of the years.
        now: The present; only tests give it.
    """
    place = ZoneInfo(zone)
    listed = shown_years(_year(last, place), now)
    return [
        Range(YEAR, str(year), _begin(year, place), _begin(year + 1, place) - 1)
        for year in listed
        if year >= _year(first, place)
    ]


def shown_years(latest: int, now: datetime | None = None) -> range:
    """Return the years that are counted when the programs end in the year `latest`.

    Args:
        latest: The last year with a program.
        now: The present; only tests give it.
    """
    last = min(latest, (now or datetime.now(UTC)).year + 1)
    return range(max(last - MAX_YEARS, 0) + 1, last + 1)


def _year(seconds: int, zone: ZoneInfo) -> int:
    try:
        return datetime.fromtimestamp(seconds, zone).year
    except (ValueError, OverflowError):
        # In this zone the moment lies outside of the calendar.
        return MAXYEAR if seconds > 0 else MINYEAR


def _begin(year: int, zone: ZoneInfo) -> int:
    return int(datetime(year, 1, 1, tzinfo=zone).timestamp())


def place(facet: str, value: str) -> int:
    """Return where a value of a facet of ranges stands: short durations first, late years first.

    Args:
        facet: A key of `RANGES`.
        value: A value of it.
    """
    begin = int(value.partition("-")[0])
    return begin if facet == DURATION else -begin
