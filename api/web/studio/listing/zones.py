"""Time zones that the pages offer. An address may name any other one."""

from zoneinfo import ZoneInfo

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
