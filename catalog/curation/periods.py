"""From when until when something is in force."""

from datetime import datetime

from sqlalchemy import ColumnElement, func, or_
from sqlalchemy.orm import InstrumentedAttribute

from catalog.core.errors import FieldError, ValidationFailed

Moment = InstrumentedAttribute[datetime | None]


def require_order(starts_at: datetime | None, ends_at: datetime | None) -> None:
    """Check that a period ends after its beginning; None is always.

    Raises:
        ValidationFailed: It does not.
    """
    if starts_at is not None and ends_at is not None and ends_at <= starts_at:
        raise ValidationFailed([FieldError("endsAt", "invalid", "Must be later than startsAt.")])


def in_force(starts_at: Moment, ends_at: Moment) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions that a row is in force by the database's clock.

    Args:
        starts_at: The column with the beginning.
        ends_at: The column with the end.
    """
    return (or_(starts_at.is_(None), starts_at <= func.now()), or_(ends_at.is_(None), ends_at > func.now()))
