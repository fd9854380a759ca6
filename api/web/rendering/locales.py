"""The languages of the pages: their texts, and how they write numbers, dates and durations.

The texts are in `api/web/texts/`: a folder for each language, a file for each group of pages. A text is a string with
{placeholders}, or a table with one string for each plural form of the language (CLDR's names: zero, one, two, few, many,
other).
"""

import tomllib
from collections.abc import Mapping
from datetime import UTC, date, datetime, tzinfo
from functools import cache
from importlib.resources import files

import babel
from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal
from markupsafe import Markup, escape

from api.web.rendering.links import Links

_ARABIC_DIGITS = str.maketrans("0123456789,.", "٠١٢٣٤٥٦٧٨٩٬٫")
# Which of CLDR's locales has the dates and numbers of a language. Saudi Arabia writes Arabic digits.
_CLDR = {"ar": babel.Locale("ar", "SA"), "en": babel.Locale("en", "GB")}
LANGUAGES = tuple(_CLDR)
# Where `date` is a method.
Day = date
Text = str | Mapping[str, str]
_MINUTE, _HOUR = 60, 3600


class Locale:
    """A language of the pages."""

    def __init__(self, code: str) -> None:
        """Read the texts of a language. `code` is a member of LANGUAGES."""
        self.code = code
        self.cldr = _CLDR[code]
        self.direction = "rtl" if code == "ar" else "ltr"
        # Arabic digits have a separator of thousands that looks much like a comma.
        self._comma = "،" if code == "ar" else ","
        self.texts = texts(code)
        self.links = Links(code)

    @property
    def other(self) -> "Locale":
        """The other language, to which a page links."""
        return locale(next(code for code in LANGUAGES if code != self.code))

    def text(self, name: str, /, count: int | None = None, **values: object) -> Markup:
        """Return a text as safe HTML: what is filled in is escaped.

        Args:
            name: The section and name of a text, such as `search.label`.
            count: A number that decides the plural form; the text has it as {count}.
            **values: What else is filled in.

        Raises:
            KeyError: There is no such text, or it has no such plural form.
        """
        found = self.texts[name]
        if not isinstance(found, str):
            found = found[self.cldr.plural_form(count or 0)]
        filled = {key: escape(value) for key, value in values.items()}
        if count is not None:
            filled["count"] = escape(self.number(count))
        return Markup(found).format_map(filled)  # noqa: S704  # our own text; what is filled in is escaped

    def number(self, value: int) -> str:
        """Return a whole number in the digits of the language."""
        return self.digits(str(format_decimal(value, locale="en")))

    def digits(self, text: str) -> str:
        """Return a text with its digits and separators as the language writes them."""
        return text.translate(_ARABIC_DIGITS) if self.code == "ar" else text

    def date(self, moment: date | datetime) -> str:
        """Return a date, with the name of its month."""
        return self.digits(format_date(moment, "long", self.cldr))

    def moment(self, moment: datetime) -> str:
        """Return a date and a time, in UTC."""
        return self.digits(format_datetime(moment, f"d MMM{self._comma} HH:mm:ss", UTC, self.cldr))

    def local(self, moment: datetime, zone: tzinfo) -> str:
        """Return a date and a time of day in a time zone, such as 23 Jan 2024, 18:05."""
        return self.digits(format_datetime(moment, f"d MMM y{self._comma} HH:mm", zone, self.cldr))

    def time(self, moment: datetime, zone: tzinfo) -> str:
        """Return a time of day in a time zone, such as 18:05."""
        return self.digits(format_datetime(moment, "HH:mm", zone, self.cldr))

    def day(self, day: Day) -> str:
        """Return a day with the name of its weekday, such as Tuesday 23 January."""
        return self.digits(format_date(day, "EEEE d MMMM", self.cldr))

    def month(self, day: Day) -> str:
        """Return the month of a day, such as January 2024."""
        return self.digits(format_date(day, "MMMM y", self.cldr))

    @property
    def weekdays(self) -> list[tuple[int, str]]:
        """The days of a week as it begins in the language's country: each with its number (Monday is 0) and its name."""
        names, first = self.cldr.days["stand-alone"]["abbreviated"], self.cldr.first_week_day
        return [((first + n) % 7, names[(first + n) % 7]) for n in range(7)]

    def seconds(self, seconds: float) -> str:
        """Return a number of seconds, with one digit behind the point when they are few."""
        return self.digits(f"{seconds:.1f}" if seconds < _MINUTE else f"{seconds:,.0f}")

    def share(self, part: float) -> str:
        """Return a part of one as a percentage."""
        return self.digits(f"{100 * part:.1f}") + ("٪" if self.code == "ar" else "%")

    def duration(self, seconds: int) -> str:
        """Return a duration in words: hours and minutes, at least one minute."""
        minutes = max(1, round(seconds / _MINUTE))
        hours, rest = divmod(minutes, 60)
        parts = [self.text("time.hours", hours)] if hours else []
        parts += [self.text("time.minutes", rest)] if rest else []
        return str(self.text("time.and", first=parts[0], second=parts[1]) if len(parts) > 1 else parts[0])

    def clock(self, seconds: int) -> str:
        """Return a duration as a clock shows it, such as 57:41 or 1:02:03."""
        hours, minutes, rest = seconds // _HOUR, seconds % _HOUR // _MINUTE, seconds % _MINUTE
        return self.digits(f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}")

    def language(self, tag: str) -> str:
        """Return the name of a language, or its tag when it has no name."""
        return str(self.cldr.languages.get(tag.partition("-")[0], tag))


@cache  # two languages
def locale(code: str) -> Locale:
    """Return a language of the pages. `code` is a member of LANGUAGES."""
    return Locale(code)


@cache
def texts(code: str) -> Mapping[str, Text]:
    """Read the texts of a language: `section.name` -> text. A section is in one file."""
    found: dict[str, Text] = {}
    for file in files("api.web").joinpath("texts", code).iterdir():
        raw = tomllib.loads(file.read_text(encoding="utf-8"))
        found |= {f"{section}.{name}": text for section, group in raw.items() for name, text in group.items()}
    return found
