"""Units spent of a service's daily quota, counted in the database for all workers together.

The service is the YouTube Data API; `indexer/importing/running/context.py` counts its requests here.
"""

from datetime import date, timedelta

from sqlalchemy import Cast, Date, cast, delete, extract, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from catalog.core.db import change_rows
from catalog.imports.models import ImportQuota

# Counts of past days limit nothing; they say what was spent.
KEPT = timedelta(days=90)

# A day of Google's quotas begins at midnight in this zone:
# https://developers.google.com/youtube/v3/getting-started#quota
ZONE = "America/Los_Angeles"


def spend(session: Session, service: str, units: int, limit: int) -> bool:
    """Take units of today's quota if enough are left.

    Args:
        session: The transaction.
        service: The service's name.
        units: How many units.
        limit: The quota of a day, in units.

    Returns:
        Whether the units were taken.
    """
    if units > limit:
        return False
    row = insert(ImportQuota).values(service=service, day=_today(), spent=units)
    row = row.on_conflict_do_update(
        index_elements=["service", "day"],
        set_={"spent": ImportQuota.spent + units},
        where=ImportQuota.spent + units <= limit,
    )
    return session.scalar(row.returning(ImportQuota.spent)) is not None


def use_up(session: Session, service: str, limit: int) -> None:
    """Count today's whole quota as spent: the service has said so, whatever was counted here.

    Args:
        session: The transaction.
        service: The service's name.
        limit: The quota of a day, in units.
    """
    row = insert(ImportQuota).values(service=service, day=_today(), spent=limit)
    session.execute(
        row.on_conflict_do_update(
            index_elements=["service", "day"], set_={"spent": func.greatest(ImportQuota.spent, limit)}
        )
    )


def seconds_left(session: Session) -> float:
    """Return the seconds until the next day of the quota begins."""
    local = func.timezone(ZONE, func.clock_timestamp())
    midnight = func.timezone(ZONE, func.date_trunc("day", local) + func.make_interval(0, 0, 0, 1))
    left = select(extract("epoch", midnight - func.clock_timestamp()))
    return float(session.scalars(left).one())


def _today() -> Cast[date]:
    return cast(func.timezone(ZONE, func.clock_timestamp()), Date)


def prune(session: Session) -> int:
    """Delete the counts of days longer than `KEPT` ago; return how many."""
    return change_rows(session, delete(ImportQuota).where(ImportQuota.day < func.now() - KEPT))
