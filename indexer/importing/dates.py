"""Dates as strangers write them: mail headers, ISO 8601, Arabic months of every region, two-digit years."""

import contextlib
import re
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import Any

from dateutil import parser

_DIGITS = str.maketrans({chr(base + n): str(n) for base in (0x0660, 0x06F0) for n in range(10)})
# Egypt and the Gulf; the Levant and Iraq; the Maghreb. Longer names first: تشرين الثاني holds no other.
_MONTHS = {
    "كانون الثاني": "January", "كانون الأول": "December", "كانون الاول": "December", "تشرين الأول": "October",
    "تشرين الاول": "October", "تشرين الثاني": "November", "يناير": "January", "فبراير": "February",
    "مارس": "March", "أبريل": "April", "ابريل": "April", "إبريل": "April", "مايو": "May", "يونيو": "June",
    "يونيه": "June", "يوليو": "July", "يوليه": "July", "أغسطس": "August", "اغسطس": "August",
    "سبتمبر": "September", "أكتوبر": "October", "اكتوبر": "October", "نوفمبر": "November", "ديسمبر": "December",
    "شباط": "February", "آذار": "March", "اذار": "March", "نيسان": "April", "أيار": "May", "ايار": "May",
    "حزيران": "June", "تموز": "July", "آب": "August", "أيلول": "September", "ايلول": "September",
    "جانفي": "January", "فيفري": "February", "أفريل": "April", "افريل": "April", "ماي": "May", "جوان": "June",
    "جويلية": "July", "أوت": "August", "اوت": "August",
}  # fmt: skip
_MONTH = re.compile(rf"(?<![^\W\d])(?:{'|'.join(_MONTHS)})(?![^\W\d])")
_DAY_NAME = re.compile(r"(?<!\w)(?:ال)?(?:[أا]حد|[إا]ثنين|ثلاثاء|[أا]ربعاء|خميس|جمعة|سبت)(?!\w)")
_HALF_DAY = (
    (re.compile(r"(?<=\d)\s*(?:صباحا|صباحًا|ص)(?!\w)"), " AM"),
    (re.compile(r"(?<=\d)\s*(?:مساء|مساءً|م)(?!\w)"), " PM"),
)
_TWELVE_HOURS = re.compile(r"\d\s*[ap]\.?m\b", re.IGNORECASE)
# Day, month and a year at the end: which of the first two is which, the sign or the numbers say.
_NUMBERS = re.compile(r"(\d{1,2})\s*([./-])\s*(\d{1,2})\s*\2\s*(\d{4}|\d{2})(?!\d)")
_ZONES = {
    "UT": 0, "GMT": 0, "UTC": 0, "Z": 0, "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6,
    "PST": -8, "PDT": -7, "BST": 1, "CET": 1, "CEST": 2, "EET": 2, "EEST": 3, "MSK": 3, "AST": 3, "GST": 4,
    "JST": 9, "AEST": 10, "AEDT": 11,
}  # fmt: skip
_ZONE_INFO = {name: timezone(timedelta(hours=hours)) for name, hours in _ZONES.items()}


def digits(text: str) -> str:
    """Arabic-Indic digits as Western ones."""
    return text.translate(_DIGITS)


def moment(value: Any, *, day_first: bool | None = None) -> datetime | None:
    """A date and time with its offset; one without is UTC. None when it cannot be read.

    05/03/2024 is two dates: unless `day_first` says which, or the digits are Arabic (whose writers begin
    with the day), it is none.
    """
    if isinstance(value, datetime):
        return value if value.tzinfo is not None else value.replace(tzinfo=UTC)
    given = str(value).strip()
    text = digits(given)
    if not 4 <= len(text) <= 100:
        return None
    if day_first is None and text != given:
        day_first = True
    try:
        text = _western(text)
        numbers = _NUMBERS.match(text)
        found = _in_numbers(text, numbers, day_first) if numbers else _in_words(text)
        return _checked(found) if found is not None else None
    except (ValueError, OverflowError, TypeError, IndexError):
        return None


def _western(text: str) -> str:
    text = _MONTH.sub(lambda match: _MONTHS[match[0]], text)
    text = _DAY_NAME.sub("", text).replace("،", ",")
    for name, half in _HALF_DAY:
        text = name.sub(half, text)
    return text.strip(" ,")


def _in_numbers(text: str, numbers: "re.Match[str]", day_first: bool | None) -> datetime | None:
    first, sign, second, year = numbers.groups()
    if len(year) == 2 and (sign == "-" or int(first) > 31):
        return _in_words(text)
    if sign == "." or int(first) > 12:
        day_first = True
    elif int(second) > 12:
        day_first = False
    elif day_first is None and first.lstrip("0") != second.lstrip("0"):
        return None
    return _lenient(text, day_first=bool(day_first))


def _in_words(text: str) -> datetime | None:
    if re.fullmatch(r"\d{10}|\d{13}", text):
        return datetime.fromtimestamp(int(text[:10]), UTC)
    for read in (datetime.fromisoformat, _mail_date, _lenient):
        with contextlib.suppress(ValueError, OverflowError, TypeError, IndexError):
            return read(text)
    return None


def _checked(found: datetime) -> datetime | None:
    found = (found if found.tzinfo is not None else found.replace(tzinfo=UTC)).astimezone(UTC)
    return found if 1900 <= found.year <= 2200 else None


def _mail_date(text: str) -> datetime:
    # It would read 9:00 PM as nine in the morning.
    if _TWELVE_HOURS.search(text):
        raise ValueError("a clock of twelve hours")
    return parsedate_to_datetime(text)


def _lenient(text: str, *, day_first: bool = False) -> datetime:
    # Read against two different days: what differs was not said, and a guess is no date.
    first, second = (
        parser.parse(text, default=day, tzinfos=_ZONE_INFO, dayfirst=day_first)
        for day in (datetime(2000, 1, 1, tzinfo=UTC), datetime(2004, 2, 2, tzinfo=UTC))
    )
    if first.year != second.year:
        raise ValueError("no year")
    return first
