"""The languages of the pages: complete texts, plural forms, numbers and dates."""

import re
import string
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from api.web.rendering.choosing import preferred
from api.web.rendering.locales import LANGUAGES, Locale, texts


def test_both_languages_say_everything() -> None:
    arabic, english = texts("ar"), texts("en")
    assert arabic.keys() == english.keys()
    for name, found in arabic.items():
        assert isinstance(found, str) == isinstance(english[name], str), name


@pytest.mark.parametrize("code", LANGUAGES)
def test_a_text_with_a_number_has_every_plural_form_of_its_language(code: str) -> None:
    forms = Locale(code).cldr.plural_form.tags | {"other"}
    for name, found in texts(code).items():
        if not isinstance(found, str):
            assert set(found) == forms, name


def test_placeholders_are_those_of_the_other_language() -> None:
    def fields(text: object) -> set[str | None]:
        found = text if isinstance(text, str) else " ".join(text.values())  # type: ignore[attr-defined]  # a table
        return {field for _, field, _, _ in string.Formatter().parse(found) if field is not None}

    english = texts("en")
    for name, found in texts("ar").items():
        assert fields(found) == fields(english[name]), name


def test_arabic_counts_as_arabic_does() -> None:
    arabic = Locale("ar")
    said = [str(arabic.text("search.count", n)) for n in (0, 1, 2, 3, 10, 11, 99, 100, 102, 103, 1234)]
    assert said == [
        "لا نتائج",
        "نتيجة واحدة",
        "نتيجتان",
        "٣ نتائج",
        "١٠ نتائج",
        "١١ نتيجة",
        "٩٩ نتيجة",
        "١٠٠ نتيجة",
        "١٠٢ نتيجة",
        "١٠٣ نتائج",
        "١٬٢٣٤ نتيجة",
    ]


def test_dates_durations_and_clocks() -> None:
    arabic, english = Locale("ar"), Locale("en")
    assert re.sub("\u200f", "", arabic.date(date(2024, 1, 23))) == "٢٣ يناير ٢٠٢٤"
    assert english.date(date(2024, 1, 23)) == "23 January 2024"
    assert [arabic.duration(s) for s in (5, 120, 660, 3600, 7500)] == [
        "دقيقة",
        "دقيقتان",
        "١١ دقيقة",
        "ساعة",
        "ساعتان و٥ دقائق",
    ]
    assert [english.duration(s) for s in (5, 3599, 3660)] == ["1 minute", "1 hour", "1 hour 1 minute"]
    assert (arabic.clock(3723), english.clock(3723), english.clock(59)) == ("١:٠٢:٠٣", "1:02:03", "0:59")
    assert (arabic.language("en"), english.language("ar-EG"), english.language("xx")) == (
        "الإنجليزية",
        "Arabic",
        "xx",
    )


def test_moments_in_a_time_zone_and_weeks() -> None:
    arabic, english, riyadh = Locale("ar"), Locale("en"), ZoneInfo("Asia/Riyadh")
    moment = datetime(2024, 1, 22, 21, 5, tzinfo=UTC)
    assert english.local(moment, riyadh) == "23 Jan 2024, 00:05"
    assert re.sub("\u200f", "", arabic.local(moment, riyadh)) == "٢٣ يناير ٢٠٢٤، ٠٠:٠٥"
    assert (english.time(moment, riyadh), arabic.time(moment, riyadh)) == ("00:05", "٠٠:٠٥")
    assert english.day(date(2024, 1, 23)) == "Tuesday 23 January"
    assert (english.month(date(2024, 1, 23)), arabic.month(date(2024, 1, 23))) == (
        "January 2024",
        "يناير ٢٠٢٤",
    )
    # A week begins on Monday in Britain, on Sunday in Saudi Arabia.
    assert english.weekdays[0] == (0, "Mon")
    assert [number for number, _ in arabic.weekdays] == [6, 0, 1, 2, 3, 4, 5]


def test_what_is_filled_in_is_escaped() -> None:
    assert str(Locale("en").text("search.title", q="<b>&")) == "Results for “&lt;b&gt;&amp;”"
    with pytest.raises(KeyError):
        Locale("en").text("search.unheard")


@pytest.mark.parametrize(
    ("cookie", "header", "expected"),
    [
        ("", "", "ar"),
        ("en", "ar", "en"),
        ("fr", "en-GB,en;q=0.9", "en"),
        ("", "fr, en;q=0.5, ar;q=0.8", "ar"),
        ("", "en;q=0, ar;q=0.1", "ar"),
        ("", "*, en;q=0.9", "ar"),
        ("", "de, *;q=0.5", "ar"),
        ("", "en;q=zzz,,;;,\x00", "ar"),
        ("", "EN-us", "en"),
    ],
)
def test_a_listener_gets_the_language_that_was_chosen_or_accepted(
    cookie: str, header: str, expected: str
) -> None:
    assert preferred(cookie, header) == expected
