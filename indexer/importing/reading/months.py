"""Months, days and clock words of other languages in dates, and dates of the Persian calendar.

The names are CLDR's, as Babel has them (https://cldr.unicode.org); the Persian calendar is jdatetime's.
`reading.dates` calls it for dates that it cannot read as English or Arabic.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache

_LOCALES = ("de", "de_AT", "fr", "es", "it", "tr", "fa", "pt", "nl", "ar", "ar_LB", "ar_DZ", "en")
_ENGLISH = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
# Words around the numbers: 4 de enero, le 5 mai à 10 h, um 10:00 Uhr, alle ore 10.
_FILLERS = frozenset(
    [
        "de",
        "del",
        "la",
        "las",
        "los",
        "el",
        "le",
        "les",
        "di",
        "il",
        "lo",
        "al",
        "alle",
        "ore",
        "um",
        "uhr",
        "den",
        "der",
        "dem",
        "am",
        "im",
        "vom",
        "saat",
        "a",
        "à",
        "h",
        "hs",
        "hrs",
        "e",
        "y",
        "et",
        "er",
        "re",
        "ساعت",
        "في",
        "الساعة",
        "روز",
        "سال",
    ]
)
_KEPT = re.compile(r"(?:[ap]m?|t|z|utc|gmt|ut|[a-z]{3,4})\Z", re.IGNORECASE)
_HOUR = re.compile(r"(?<!\d)\d{1,2}\s*\Z")
_WORD = re.compile(r"[^\W\d_]+\.?")
_JALALI_NUMBERS = re.compile(
    r"(1[34]\d\d)([/.-])(\d{1,2})\2(\d{1,2})(?!\d)|(\d{1,2})([/.-])(\d{1,2})\6(1[34]\d\d)(?!\d)"
)
_JALALI_WORDS = re.compile(r"(\d{1,2})\s+(\D+?)\s+(?:ماه\s+)?(1[34]\d\d)(?!\d)")


def in_english(text: str) -> str | None:
    """Return the text with the month in English and without other words; None when it names no single month.

    The name of a day at the beginning may be spelled as a month is: in `mar, 12 ene 2022`, Tuesday comes first.
    """
    # 10h30, as French writes a time.
    text = re.sub(r"(\d{1,2})\s?h\s?(\d{2})\b", r"\1:\2", text.replace("\u200c", ""))
    words = list(_WORD.finditer(text))
    named = [(word, _months().get(_plain(word[0]))) for word in words]
    months = [word for word, month in named if month is not None]
    first_digit = next((i for i, c in enumerate(text) if c.isdigit()), len(text))
    if len(months) > 1 and months[0].start() < first_digit:
        months = months[1:]
    if len({_months()[_plain(word[0])] for word in months}) != 1:
        return None
    parts, end = [], 0
    for word, month in named:
        parts.append(text[end : word.start()])
        end = word.end()
        if word is months[0]:
            parts.append(f" {_ENGLISH[(month or 1) - 1]} ")
        elif word not in months and not _may_go(word[0], text[: word.start()], word.start() < first_digit):
            parts.append(word[0])
    parts.append(text[end:])
    found = re.sub(r"(?<=\d)[.ºª°](?=\s|\Z)", " ", "".join(parts))
    return " ".join(found.replace("/", " ").split()).strip(" ,")


def from_persian(text: str, *, numbers: bool) -> str | None:
    """Return a date of the Persian calendar as year-month-day of ours, with the rest of the text; None for others.

    Args:
        text: With Western digits.
        numbers: Whether 1402/05/12 is Persian; its months in words are always.
    """
    written = text.replace("ي", "ی").replace("ك", "ک").replace("\u200c", "")
    if found := _JALALI_WORDS.search(written):
        month = _persian_months().get(found[2].strip())
        if month is not None:
            return _gregorian(int(found[3]), month, int(found[1]), rest=written[found.end() :])
    found = _JALALI_NUMBERS.search(written) if numbers else None
    if found is None:
        return None
    parts = (found[1], found[3], found[4]) if found[1] else (found[8], found[7], found[5])
    return _gregorian(*map(int, parts), rest=written[found.end() :])


def _gregorian(year: int, month: int, day: int, *, rest: str) -> str | None:
    # Here and below, a library is loaded for the first date that needs it: most imports have none.
    import jdatetime

    try:
        ours = jdatetime.date(year, month, day).togregorian()
    except ValueError:
        return None
    clock = re.search(r"\d{1,2}:\d{2}(?::\d{2})?.*", rest)
    return f"{ours.isoformat()} {clock[0] if clock else ''}".strip()


def _may_go(written: str, before: str, before_numbers: bool) -> bool:
    """Whether a word only stands around the date: a day, a preposition."""
    word = _plain(written)
    if word in _days() or word in _FILLERS:
        # Behind a time it says which half of the day: 10:00 a. Behind a year it does not: 2022 a las 10.
        return not (word in ("am", "a") and _HOUR.search(before))
    return before_numbers and not _KEPT.match(word)


def _plain(word: str) -> str:
    """The word in lower case, without its dot and without accents."""
    decomposed = unicodedata.normalize("NFKD", word.strip(".").replace("ı", "i").casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c))


@cache
def _months() -> dict[str, int]:
    found: dict[str, int] = {}
    listed = list(_names("months"))
    for name, month in listed:
        found.setdefault(_plain(name), month)
    # Three letters, when they stand for one month only: Okt, Sep, Mrz.
    short: dict[str, set[int]] = {}
    for name, month in listed:
        short.setdefault(_plain(name)[:3], set()).add(month)
    for letters, months in short.items():
        if len(letters) == 3 and len(months) == 1 and letters.isascii():
            found.setdefault(letters, *months)
    return found | {"mrz": 3, "jän": 1, "sept": 9, "setiembre": 9, "اگوست": 8}


@cache
def _days() -> frozenset[str]:
    found = {_plain(name) for name, _ in _names("days")}
    return frozenset(found | {name[:2] for name in found if name.isascii()} | {name[:3] for name in found})


@cache
def _persian_months() -> dict[str, int]:
    import jdatetime

    names = enumerate(jdatetime.date.j_months_fa, 1)
    return {name.replace("ي", "ی"): number for number, name in names}


def _names(kind: str) -> Iterator[tuple[str, int]]:
    from babel import Locale

    for tag in _LOCALES:
        tables = getattr(Locale.parse(tag), kind)
        for form in ("format", "stand-alone"):
            for width in ("wide", "abbreviated"):
                for number, name in tables[form].get(width, {}).items():
                    yield name.replace("\u200c", ""), number
