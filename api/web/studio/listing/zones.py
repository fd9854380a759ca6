"""Time zones: those that the pages offer, and the one that a browser remembers. An address may name any other one."""

from zoneinfo import ZoneInfo

from litestar.datastructures import Cookie, MultiDict

from api.http.errors import Problem
from api.http.query import DEFAULT_ZONE, QueryString
from api.web.signin.staff import StaffRequest

_COOKIE, _YEAR = "studio_tz", 31_536_000

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


def remembered(request: StaffRequest) -> ZoneInfo:
    """Return the zone that was chosen with this browser, or the usual one."""
    sent = MultiDict([("tz", request.cookies.get(_COOKIE, ""))])
    try:
        return QueryString(sent, ("tz",)).zone("tz", DEFAULT_ZONE)
    except Problem:
        return ZoneInfo(DEFAULT_ZONE)


def cookie(zone: ZoneInfo) -> Cookie:
    """Return the cookie by which a browser remembers a zone."""
    return Cookie(_COOKIE, value=zone.key, max_age=_YEAR, path="/studio", samesite="lax", httponly=True)
