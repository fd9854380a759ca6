"""The time as the API writes it. Tasks, indexes and keys carry such times."""

from datetime import UTC, datetime


def now() -> str:
    """Return this moment in UTC, as Meilisearch writes it: `2026-01-31T12:00:00.000000Z`."""
    return written(datetime.now(UTC))


def written(moment: datetime) -> str:
    """Return a moment that has a time zone in UTC, with microseconds and `Z`."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
