"""Times of publishing in bodies."""

from datetime import datetime

from api.http.errors import Problem
from catalog.core.errors import FieldError


def require_offset(at: datetime) -> None:
    """Check that a publishing time says its offset.

    Raises:
        Problem: The time has no offset.
    """
    if at.tzinfo is None:
        wrong = FieldError("scheduledPublishAt", "invalid", "Must have an offset, such as Z.")
        raise Problem("validation_failed", errors=[wrong])
