"""Time zones: those that the pages offer, and the one that a browser remembers, which its script or a form tells."""

from collections.abc import Mapping
from urllib.parse import quote, unquote
from zoneinfo import ZoneInfo

from litestar.datastructures import Cookie, MultiDict

from api.http.errors import Problem
from api.http.query import DEFAULT_ZONE, QueryString
from api.web.signin.staff import StaffRequest

_COOKIE, _YEAR = "zone", 31_536_000

# Where the product's editors are, from west to east.
_OFFERED = (
    "America/New_York",
    "UTC",
    "Africa/Casablanca",
    "Europe/London",
    "Europe/Berlin",
    "Africa/Cairo",
    "Asia/Amman",
    "Europe/Istanbul",
    "Asia/Baghdad",
    "Asia/Kuwait",
    "Asia/Riyadh",
    "Asia/Dubai",
    "Asia/Karachi",
)


def offered(now: ZoneInfo) -> tuple[str, ...]:
    """Return the names of the zones to choose from; the present one is among them."""
    return _OFFERED if now.key in _OFFERED else (now.key, *_OFFERED)


def decided(request: StaffRequest, *names: str) -> ZoneInfo:
    """Return the first zone that is named, or the one that was chosen with this browser.

    Args:
        request: Of the browser.
        *names: What a form or an address names, the nearest to the person first; an empty one names nothing.

    Raises:
        InvalidParameter: No zone has the name.
    """
    named = next(filter(None, names), "")
    if not named:
        return remembered(request)
    return QueryString(MultiDict([("tz", named)]), ("tz",)).zone("tz", DEFAULT_ZONE)


def remembered(request: StaffRequest) -> ZoneInfo:
    """Return the zone that was chosen with this browser, or the usual one."""
    return _known(unquote(request.cookies.get(_COOKIE, ""))) or ZoneInfo(DEFAULT_ZONE)


def of_form(request: StaffRequest, form: Mapping[str, str]) -> ZoneInfo:
    """Return the zone in which a form shows its moments, and in which they were typed.

    Args:
        request: Remembers the zone of a new form.
        form: Names the zone that it was shown with.
    """
    return _known(form.get("tz", "")) or remembered(request)


def cookie(zone: ZoneInfo) -> Cookie:
    """Return the cookie by which a browser remembers a zone."""
    return Cookie(_COOKIE, value=quote(zone.key, safe=""), max_age=_YEAR, path="/studio", samesite="lax")


def told(name: str) -> list[Cookie]:
    """Return the cookie for the zone that a form names; none when there is no zone of this name."""
    zone = _known(name.strip())
    return [cookie(zone)] if zone is not None else []


def _known(name: str) -> ZoneInfo | None:
    try:
        return QueryString(MultiDict([("tz", name)]), ("tz",)).zone("tz", DEFAULT_ZONE) if name else None
    except Problem:
        return None
