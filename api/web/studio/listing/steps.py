"""The steps that the studio takes with many programs: what each needs, and the body of `POST /catalog/programs/bulk`."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from api.editorial.schemas import BulkIn
from api.http.errors import InvalidParameter, Problem
from api.http.query import MAX_ID
from api.web.studio import given
from api.web.studio.listing.address import LONGEST_NAMES, names
from catalog.core import fields
from catalog.core.errors import FieldError

MOST = 500
TAGS, CATEGORY, AT = "tags", "category", "at"
# What a form sends for no category: a form in which nothing was chosen sends "".
NO_CATEGORY = "none"
_CHOSEN = re.compile(r"(\d{1,16}):(\d{1,16})", re.ASCII)
Fields = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Step:
    """A step.

    Attributes:
        of_reviewers: Whether editors may not take it.
        field: What has to be filled in: an element of `TAGS`, `CATEGORY`, `AT`; empty for nothing.
        of_trash: Whether it is a step of the trash.
    """

    of_reviewers: bool = True
    field: str = ""
    of_trash: bool = False


STEPS: Mapping[str, Step] = {
    "submit": Step(of_reviewers=False),
    "publish": Step(),
    "schedule": Step(field=AT),
    "unschedule": Step(),
    "unpublish": Step(),
    "archive": Step(),
    "restore": Step(),
    "tag": Step(of_reviewers=False, field=TAGS),
    "untag": Step(of_reviewers=False, field=TAGS),
    "categorise": Step(of_reviewers=False, field=CATEGORY),
    "delete": Step(),
    "undelete": Step(of_trash=True),
}


def offered(*, may_publish: bool, of_trash: bool = False) -> list[str]:
    """Return the names of the steps that a list offers.

    Args:
        may_publish: Whether the person is a reviewer.
        of_trash: The list is the trash.
    """
    return [
        name
        for name, step in STEPS.items()
        if step.of_trash == of_trash and (may_publish or not step.of_reviewers)
    ]


def chosen(sent: Sequence[str]) -> dict[int, int]:
    """Return the programs that a form names, each with the revision that was read.

    Args:
        sent: The fields `id`: a program and its revision, such as 12:5.

    Raises:
        InvalidParameter: A field has another form, or there are too many.
    """
    found = {}
    for value in sent:
        read = _CHOSEN.fullmatch(value)
        if read is None or not all(1 <= int(part) <= MAX_ID for part in read.groups()):
            raise InvalidParameter("id", "Must be a program and its revision, such as 12:5.")
        found[int(read[1])] = int(read[2])
    if len(found) > MOST:
        raise InvalidParameter("id", f"At most {MOST} programs.")
    return found


def moment(text: str, zone: ZoneInfo) -> datetime | None:
    """Return a time that somebody filled in; None when it is none, or one that the catalogue or the zone's clocks do not have.

    Args:
        text: ISO 8601.
        zone: The zone of a time without an offset.
    """
    try:
        at: datetime | None = datetime.fromisoformat(text)
        if at is not None and at.tzinfo is None:
            at = given.moment(text, AT, zone)
    except (ValueError, given.WrongField):
        return None
    return None if at is None or fields.moment(AT, at) else at


def body(name: str, programs: Mapping[int, int], filled: Fields, zone: ZoneInfo) -> BulkIn:
    """Return the body of the request for a step.

    Args:
        name: A key of `STEPS`.
        programs: The programs, each with the revision that was read.
        filled: What was filled in, by the name of the field.
        zone: The time zone of the person.

    Raises:
        Problem: What was filled in is none of what the field may have.
    """
    data = BulkIn(action=name, ids=[*programs], revs=[*programs.values()])
    if STEPS[name].field == TAGS:
        data.tags = _tags(filled.get(TAGS, ""))
    elif STEPS[name].field == CATEGORY:
        data.category_id = category(filled.get(CATEGORY, ""))
    elif STEPS[name].field == AT:
        at = moment(filled.get(AT, ""), zone)
        if at is None:
            wrong = FieldError("scheduledPublishAt", "invalid", "Must be a date and a time.")
            raise Problem("validation_failed", errors=[wrong])
        data.scheduled_publish_at = at
    return data


def _tags(text: str) -> list[str]:
    """Return the tags that were typed.

    Raises:
        Problem: The text is longer than any tags are.
    """
    if len(text) > LONGEST_NAMES:
        wrong = FieldError("tags", "too_long", f"At most {LONGEST_NAMES} characters.")
        raise Problem("validation_failed", errors=[wrong])
    return names(text)


def category(text: str) -> int | None:
    """Return the id of a category; None for `NO_CATEGORY`.

    Raises:
        Problem: Nothing was chosen, or it is no id.
    """
    if text == NO_CATEGORY:
        return None
    if not text:
        wrong = FieldError("categoryId", "required", "Must be chosen.")
        raise Problem("validation_failed", errors=[wrong])
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:17]) <= MAX_ID):
        wrong = FieldError("categoryId", "invalid", "Must be a category.")
        raise Problem("validation_failed", errors=[wrong])
    return int(text)
