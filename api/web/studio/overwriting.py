"""Forms of what somebody else has changed meanwhile: both are shown, and only who has seen that may save over it."""

from collections.abc import Mapping
from dataclasses import dataclass

from api.web.studio.given import Refusal, number

_STALE = 412
# The button that saves over it sends the revision that was shown beside it.
OVER = "over"


@dataclass(frozen=True, slots=True)
class Newer:
    """What has changed since a form was opened.

    Attributes:
        rev: The revision that the page shows, which the button to save over it names.
        fields: JSON field -> [what it says now, what was typed].
    """

    rev: str
    fields: dict[str, list[object]]


def rev_of(form: Mapping[str, str]) -> str:
    """Return the revision that a form was filled from, or that its sender has seen and saves over.

    Raises:
        WrongField: It is no whole number.
    """
    return str(number(form.get(OVER) or form.get("rev", ""), "rev") or 0)


def newer(
    refused: Refusal | None, rev: object, now: Mapping[str, object], typed: Mapping[str, object]
) -> Newer | None:
    """Return what differs from a form that was refused because it was old; None if it was not.

    Args:
        refused: Why the form was not taken.
        rev: The revision now.
        now: The fields now, as the form shows them.
        typed: The fields of the form.
    """
    if refused is None or refused.status != _STALE:
        return None
    differs = {
        name: [value, typed[name]] for name, value in now.items() if name in typed and typed[name] != value
    }
    return Newer(str(rev), differs)
