"""Units of a daily quota, counted where every worker sees them. The day is the database's clock in
the service's time zone."""

from datetime import date

from sqlalchemy import Cast, Date, cast, extract, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from catalog.imports.models import ImportQuota

# Where the day of Google's quotas begins: https://developers.google.com/youtube/v3/getting-started#quota
ZONE = "America/Los_Angeles"


def spend(session: Session, service: str, units: int, limit: int) -> bool:
    """Take so many of today's units; False, and nothing taken, when fewer are left."""
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
    """The service says that nothing is left today, whatever was counted here."""
    row = insert(ImportQuota).values(service=service, day=_today(), spent=limit)
    session.execute(
        row.on_conflict_do_update(
            index_elements=["service", "day"],
            set_={"spent": func.greatest(ImportQuota.spent, limit)},
        )
    )


def seconds_left(session: Session) -> float:
    """Until the next day begins."""
    local = func.timezone(ZONE, func.clock_timestamp())
    midnight = func.timezone(ZONE, func.date_trunc("day", local) + func.make_interval(0, 0, 0, 1))
    left = select(extract("epoch", midnight - func.clock_timestamp()))
    return float(session.scalars(left).one())


def _today() -> Cast[date]:
    return cast(func.timezone(ZONE, func.clock_timestamp()), Date)
