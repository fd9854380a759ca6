"""How values are written in the form of a program."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from api.web.studio.editor.writing import spelling
from api.web.studio.listing import steps


@pytest.mark.parametrize("separator", [", ", "، "])
@pytest.mark.parametrize(
    "names", [["one"], ["two, three", "أربعة، خمسة"], ['a "b" c', '"d', 'e", f'], ["x y"], []]
)
def test_names_are_read_as_they_are_written(names: list[str], separator: str) -> None:
    assert spelling.names(spelling.joined(names, separator)) == names


def test_names_are_between_commas_of_either_script_and_lines() -> None:
    assert spelling.names("one, two،three\nfour,, ,\u200b,five ") == ["one", "two", "three", "four", "five"]
    assert spelling.names('"open, two') == ['"open', "two"]


@pytest.mark.parametrize(
    ("text", "seconds"), [("0:05", 5), ("57:41", 3461), ("١:٠٢:٠٣", 3723), ("90:00", 5400)]
)
def test_durations(text: str, seconds: int) -> None:
    assert spelling.seconds(text) == seconds
    assert spelling.seconds(spelling.clock(seconds)) == seconds


@pytest.mark.parametrize("text", ["5", "1:5", "1:60", "a:bc", "-1:00", "1:2:3:4", "1.5"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        spelling.seconds(text)


def test_moments_are_those_of_a_time_zone() -> None:
    riyadh, paulo = spelling.zone("Asia/Riyadh"), spelling.zone("America/Sao_Paulo")
    assert spelling.moment("2024-01-23T10:30", riyadh) == "2024-01-23T07:30:00+00:00"
    assert spelling.local("2024-01-23T07:30:00Z", paulo) == "2024-01-23T04:30"
    assert spelling.local("2024-01-23T07:30:09.5Z", riyadh) == "2024-01-23T10:30:09"
    assert (spelling.moment(" ", riyadh), spelling.local(None, riyadh)) == (None, "")
    for wrong in (
        "0001-01-01T00:00",
        "tomorrow",
        "2024-13-01",
        "2024-01-23",
        "20240123T103000",
        "2024-01-23T10:30Z",
        "2024-01-23 10:30",
    ):
        with pytest.raises(ValueError, match=r".*"):
            spelling.moment(wrong, riyadh)
    # An hour that the clocks skip is no time; one that they show twice is the first of both.
    berlin = spelling.zone("Europe/Berlin")
    with pytest.raises(ValueError, match="02:30"):
        spelling.moment("2024-03-31T02:30", berlin)
    assert spelling.moment("2024-10-27T02:30", berlin) == "2024-10-27T00:30:00+00:00"
    with pytest.raises(ValueError, match="Mars"):
        spelling.zone("Mars/Olympus")


def test_a_step_with_many_programs_reads_times_as_the_editor_does() -> None:
    berlin, at = ZoneInfo("Europe/Berlin"), datetime(2027, 3, 28, 1, 30, tzinfo=UTC)
    assert steps.moment("2027-03-28T03:30", berlin) == at
    # What taking a step back says has an offset of its own.
    assert steps.moment("2027-03-28T02:30+01:00", berlin) == at
    # The clocks there skip the hour from two to three.
    for wrong in ("2027-03-28T02:30", "2027-03-28", "soon", "", "9999-12-31T23:59-10:00"):
        assert steps.moment(wrong, berlin) is None, wrong
