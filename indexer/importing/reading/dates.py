"""Reads dates in every notation that feeds and files use.

Mail headers, ISO 8601, Arabic months of every region, two-digit years, seconds since 1970; other languages through
`reading.months`. The adapters and `reading.records` call `moment`.
"""

import contextlib
import re
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime

from dateutil import parser, tz

from indexer.importing.reading import months

_DIGITS = str.maketrans({chr(base + n): str(n) for base in (0x0660, 0x06F0) for n in range(10)})
# Months as they are named in Egypt and the Gulf, in the Levant and Iraq, and in the Maghreb. Names of two
# words come first, so that the pattern below tries them first.
_MONTHS = {
    "كانون الثاني": "January",
    "كانون الأول": "December",
    "كانون الاول": "December",
    "تشرين الأول": "October",
    "تشرين الاول": "October",
    "تشرين الثاني": "November",
    "يناير": "January",
    "فبراير": "February",
    "مارس": "March",
    "أبريل": "April",
    "ابريل": "April",
    "إبريل": "April",
    "مايو": "May",
    "يونيو": "June",
    "يونيه": "June",
    "يوليو": "July",
    "يوليه": "July",
    "أغسطس": "August",
    "اغسطس": "August",
    "سبتمبر": "September",
    "أكتوبر": "October",
    "اكتوبر": "October",
    "نوفمبر": "November",
    "ديسمبر": "December",
    "شباط": "February",
    "آذار": "March",
    "اذار": "March",
    "نيسان": "April",
    "أيار": "May",
    "ايار": "May",
    "حزيران": "June",
    "تموز": "July",
    "آب": "August",
    "أيلول": "September",
    "ايلول": "September",
    "جانفي": "January",
    "فيفري": "February",
    "أفريل": "April",
    "افريل": "April",
    "ماي": "May",
    "جوان": "June",
    "جويلية": "July",
    "أوت": "August",
    "اوت": "August",
}
_MONTH = re.compile(rf"(?<![^\W\d])(?:{'|'.join(_MONTHS)})(?![^\W\d])")
_DAY_NAME = re.compile(r"(?<!\w)(?:ال)?(?:[أا]حد|[إا]ثنين|ثلاثاء|[أا]ربعاء|خميس|جمعة|سبت)(?!\w)")
# Behind a time of day. Vowel marks are gone before: مساءً is written in many ways.
_HALF_DAY = (
    (re.compile(r"(?<=\d)\s*(?:صباحا|ص|فجرا)(?!\w)"), " AM"),
    (re.compile(r"(?<=\d)\s*(?:مساءا?|م|ظهرا|عصرا|ليلا)(?!\w)"), " PM"),
)
# م behind a year is no evening: 2022م is a year of the common era.
_COMMON_ERA = re.compile(r"(?<![:\d])(\d{4})\s*م(?:يلادي[ةه]?)?(?!\w)")
_MARKS = re.compile("[\u061c\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff\u064b-\u0652\u0640]")
# The offset behind a time, as mail, JavaScript and people write it: +03:00, GMT+0300 (Arabian Standard Time), UTC+3.
_OFFSET = re.compile(
    r"(?P<clock>\d:\d{2}(?::\d{2})?(?:[.,]\d+)?(?:\s*[AaPp]\.?[Mm]\.?)?)(?P<space>\s*)(?:GMT|UTC|UT|Z)?\s*"
    r"(?P<sign>[+−–-])\s*(?P<hours>\d{1,2}?)(?::?(?P<minutes>\d{2}))?\Z",
    re.IGNORECASE,
)
_COMMENT = re.compile(r"\s*\([^()]*\)\s*\Z")
_PLACE = re.compile(r"\s([A-Z][A-Za-z]+/[A-Z][A-Za-z_]+(?:/[A-Z][A-Za-z_]+)?)\Z")
# The years 0 and 1 are what software writes that has no date.
_NO_YEAR = re.compile(r"(?:\A|[\s/.-])000[01](?=[\s/.T-]|\Z)")
_SAME_DAY = re.compile("الموافق|المصادف")
_TWO_NAMES = re.compile(r"\b(?P<name>%s)\s*[/(-]\s*(?P=name)\)?" % "|".join(sorted(set(_MONTHS.values()))))  # noqa: UP031  (braces of the pattern)
_TWELVE_HOURS = re.compile(r"\d\s*[ap]\.?m\b", re.IGNORECASE)
# Two numbers and a year: the sign between them or their size tells which of the two is the day.
_NUMBERS = re.compile(r"(\d{1,2})\s*([./-])\s*(\d{1,2})\s*\2\s*(\d{4}|\d{2})(?!\d)")
_ZONES = {
    "UT": 0,
    "GMT": 0,
    "UTC": 0,
    "Z": 0,
    "EST": -5,
    "EDT": -4,
    "CST": -6,
    "CDT": -5,
    "MST": -7,
    "MDT": -6,
    "PST": -8,
    "PDT": -7,
    "BST": 1,
    "CET": 1,
    "CEST": 2,
    "KSA": 3,
    "EET": 2,
    "EEST": 3,
    "MSK": 3,
    "AST": 3,
    "GST": 4,
    "JST": 9,
    "AEST": 10,
    "AEDT": 11,
}
# A date as mail has it (RFC 5322, 3.3), which nearly all feeds write.
_ENGLISH = {
    name: n
    for n, name in enumerate(
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"], 1
    )
}
_USUAL = re.compile(
    rf"(?:(?:Sun|Mon|Tue|Wed|Thu|Fri|Sat), )?(?P<day>\d{{1,2}}) (?P<month>{'|'.join(_ENGLISH)}) "
    r"(?P<year>19\d\d|20\d\d|21\d\d) (?P<hour>\d\d):(?P<minute>\d\d)(?::(?P<second>\d\d))? "
    r"(?:GMT|UTC|UT|Z|(?P<sign>[+-])(?P<hours>\d\d)(?P<minutes>\d\d))",
    re.ASCII,
)
_MAX_HOURS, _MAX_MINUTES = 14, 59
# Names that the mail format does not know (RFC 5322, 4.3): its parser would take them for UTC.
_LATE_NAMES = {"KSA", "CET", "CEST", "EET", "EEST", "MSK", "GST", "JST", "AEST", "AEDT"}
_ZONE_NAME = re.compile(r"(?<=\d)\s+(%s)\Z" % "|".join(_LATE_NAMES))  # noqa: UP031  (braces of the pattern)
_ZONE_INFO = {name: timezone(timedelta(hours=hours)) for name, hours in _ZONES.items()}


def digits(text: str) -> str:
    """Return the text with Arabic-Indic and Persian digits as Western ones."""
    return text.translate(_DIGITS)


def moment(value: object, *, day_first: bool | None = None, language: str | None = None) -> datetime | None:
    """Return the moment that the value names, in UTC; None when it cannot be read or is ambiguous.

    A date without a time zone is in UTC. 05/03/2024 may be 5 March or May 3: it is read only when
    `day_first` says which, or when its digits are Arabic, whose writers begin with the day.

    Args:
        value: Text, or a moment.
        day_first: Whether the day comes first in 05/03/2024; None: nobody knows.
        language: Language of the source; in Persian, 1402/05/12 is a date of the Persian calendar.
    """
    if isinstance(value, datetime):
        return value if value.tzinfo is not None else value.replace(tzinfo=UTC)
    if isinstance(value, str) and (usual := _USUAL.fullmatch(value)) is not None:
        with contextlib.suppress(ValueError):
            return _usual(usual)
    written = " ".join(_MARKS.sub("", str(value)).split())
    text = digits(written)
    if not 4 <= len(text) <= 100:
        return None
    if day_first is None and text != written:
        day_first = True
    try:
        found = _read(_COMMENT.sub("", text), day_first, (language or "").startswith("fa"))
        return _checked(found) if found is not None else None
    except (ValueError, OverflowError, TypeError, IndexError):
        return None


def _usual(found: "re.Match[str]") -> datetime:
    sign, hours, minutes = found["sign"], int(found["hours"] or 0), int(found["minutes"] or 0)
    zone = UTC
    if hours or minutes:
        if hours > _MAX_HOURS or minutes > _MAX_MINUTES:
            raise ValueError("no such offset")
        zone = timezone(timedelta(hours=hours, minutes=minutes) * (-1 if sign == "-" else 1))
    day, month, year, hour, minute, second = found.group("day", "month", "year", "hour", "minute", "second")
    at = datetime(int(year), _ENGLISH[month], int(day), int(hour), int(minute), int(second or 0), tzinfo=zone)
    return at.astimezone(UTC)


def _read(text: str, day_first: bool | None, persian: bool) -> datetime | None:
    # Two calendars: 12 رمضان 1445 الموافق 21 مارس 2024.
    text = _SAME_DAY.split(text)[-1].strip()
    place = _PLACE.search(text)
    zone = tz.gettz(place[1]) if place is not None else None
    if place is not None and zone is not None:
        found = _read(text[: place.start()], day_first, persian)
        return found.replace(tzinfo=zone) if found is not None else None
    text = _ZONE_NAME.sub(lambda match: f" +{_ZONES[match[1]]:02}00", text)
    offset = _OFFSET.search(text)
    head = text
    if offset is not None:
        head = text[: offset.end("clock")]
        text = (
            head + (" " if text[offset.end("clock")].isspace() or not _is_iso(text) else "") + _offset(offset)
        )
    if _NO_YEAR.search(head):
        return None
    ours = months.from_persian(text, numbers=persian)
    if ours is not None:
        return _in_words(ours)
    western = _western(text)
    numbers = _NUMBERS.match(western)
    if numbers is not None:
        return _in_numbers(western, numbers, day_first)
    found = _in_words(western)
    if found is None and any(c.isalpha() for c in text):
        english = months.in_english(western)
        found = _in_words(english) if english else None
    return found


def _is_iso(text: str) -> bool:
    return "T" in text[8:12]


def _offset(found: "re.Match[str]") -> str:
    hours, minutes = int(found["hours"]), int(found["minutes"] or 0)
    if hours > _MAX_HOURS or minutes > _MAX_MINUTES:
        raise ValueError("no such offset")
    return f"{'+' if found['sign'] == '+' else '-'}{hours:02}{minutes:02}"


def _western(text: str) -> str:
    text = _TWO_NAMES.sub(r"\g<name>", _MONTH.sub(lambda match: _MONTHS[match[0]], text))
    text = _COMMON_ERA.sub(r"\1", text)
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
    # The standard library ignores the PM of 9:00 PM.
    if _TWELVE_HOURS.search(text):
        raise ValueError("a time with AM or PM")
    return parsedate_to_datetime(text)


def _lenient(text: str, *, day_first: bool = False) -> datetime:
    # dateutil fills in what is missing from a default day. With two default days, a missing year shows as a
    # difference, and a date whose year is guessed is no date.
    first, second = (
        parser.parse(text, default=day, tzinfos=_ZONE_INFO, dayfirst=day_first)
        for day in (datetime(2000, 1, 1, tzinfo=UTC), datetime(2004, 2, 2, tzinfo=UTC))
    )
    if first.year != second.year:
        raise ValueError("no year")
    return first
