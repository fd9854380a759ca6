"""The log of changes: what touches a page, since when, and what supersedes every page."""

import time

import pytest

from api.answers.following import log as logs
from api.answers.following.depends import Condition, Depends, Need, Span
from api.answers.following.log import Log
from api.answers.following.vocabulary import begins
from api.answers.invalidations import Invalidations
from indexer.stores.following.described import Described

COFFEE = Depends((1, 2), (Need(near=(("coffee",),)),))


def change(program_id: int, *words: str, **values: object) -> Described:
    return Described(program_id, True, titled=list(words), **values)  # type: ignore[arg-type]  # the fields of the struct


def told(*changes: Described) -> Log:
    log = Log()
    log.begin(10)
    for n, one in enumerate(changes, 11):
        log.add(n, [one])
    return log


@pytest.mark.parametrize(
    ("depends", "changed", "is_touched"),
    [
        (COFFEE, change(9, "tea"), False),
        (COFFEE, change(9, "coffees"), True),
        (COFFEE, change(9, "cofee"), True),
        (COFFEE, change(9, "toffee"), False),
        (COFFEE, change(9, "cof", "fee"), True),
        (COFFEE, change(2, "tea"), True),
        (COFFEE, Described(2), True),
        (COFFEE, Described(9), False),
        (Depends((), (Need(near=(("documentary",),)),)), change(9, "dokumentery"), True),
        (Depends((), (Need(near=(("documentary",),)),)), change(9, "ocumentary"), True),
        (Depends((), (Need(whole=(("documentary",),)),)), change(9, "dokumentary"), False),
        (Depends((), (Need(whole=(("a", "ab"), ("b", "ab"))),)), change(9, "abc"), True),
        (Depends((), (Need(whole=(("a",), ("b",))),)), change(9, "a"), False),
        (Depends((), (Need(near=(("a",),), kind="film"),)), change(9, "a", kind="episode"), False),
        (Depends((), None), change(9), True),
        (Depends((), ()), change(9, "x"), False),
        (Depends((), None, (Condition("category_id", (1, 2)),)), change(9, category_id=3), False),
        (Depends((), None, (Condition("tags", ("x",)),)), change(9, tags=["y", "x"]), True),
        (Depends((), None, (Condition("duration_sec", least=5),)), change(9), False),
        (Depends((), None, (Condition("duration_sec", least=5, most=7),)), change(9, duration_sec=8), False),
        (Depends((), None, (), Span("view_count", True, None, 5)), change(9, view_count=4), False),
        (Depends((), None, (), Span("view_count", True, None, 5)), change(9, view_count=5), True),
        (Depends((), None, (), Span("view_count", True, 8, 5)), change(9, view_count=9), False),
        (Depends((), None, (), Span("duration_sec", False, 3, 5)), change(9, duration_sec=6), False),
        (Depends((), None, (), Span("duration_sec", False, 3, 5)), change(9, duration_sec=3), True),
        (Depends((), None, (), Span("duration_sec", False, None, 5)), change(9), False),
        (Depends((), None, (), Span("duration_sec", False, None, None)), change(9), True),
        (None, change(9), True),
    ],
)
def test_what_touches_a_page(depends: Depends | None, changed: Described, is_touched: bool) -> None:
    log = told(change(8, "other"), changed)
    assert (log.touched_at(depends, log.position(11)) is not None) is is_touched
    # What it was made with does not touch it.
    assert log.touched_at(depends, log.position(12)) is None


def test_a_page_is_touched_since_the_first_change_that_does() -> None:
    log = told(change(8, "tea"), change(9, "coffee"))
    time.sleep(0.002)
    log.add(13, [change(9, "coffee")])
    at = log.touched_at(COFFEE, log.position(10))
    assert at == log._changes[1].at < log._changes[2].at


def test_many_changes_are_compared_in_parts_and_words_that_come_later_count() -> None:
    log = told(*(change(100 + n, f"word{n}") for n in range(700)))
    assert log.touched_at(COFFEE, log.position(10)) is None
    log.add(1000, [change(7, *(f"new{n}" for n in range(50)), "coffe")])
    assert log.touched_at(COFFEE, log.position(10)) is not None
    assert log.touched_at(COFFEE, log.position(1000)) is None
    unknown = Depends((), None, (Condition("category_id", (1,)),))
    assert log.touched_at(unknown, log.position(10)) is None


def test_a_listing_is_not_compared_with_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "_MAX_COMPARED", 5)
    log = told(*(change(100 + n) for n in range(7)))
    unknown = Depends((), None, (Condition("category_id", (1,)),))
    assert log.touched_at(unknown, log.position(10)) is not None
    assert log.touched_at(unknown, log.position(13)) is None


def test_it_is_bounded_and_pages_before_it_are_superseded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "MAX_CHANGES", 10)
    monkeypatch.setattr(logs, "MAX_WORDS", 40)
    log = told(*(change(n, f"a{n}", f"b{n}", "same") for n in range(2000)))
    assert len(log._changes) == 10
    assert set(log._spelled) == {f"{letter}{n}" for letter in "ab" for n in range(1990, 2000)} | {"same"}
    assert len(log._vocabulary) <= 2 * 21 + 1000
    assert log._of_program.keys() == set(range(1990, 2000))
    assert log.position(10 + 1989) == -1
    assert log.position(10 + 1990) == log.first
    old = log.first - 1
    assert log.touched_at(COFFEE, old) is not None
    log.add(5000, [change(1, *(f"c{n}" for n in range(39)))])
    assert len(log._changes) == 1


def test_a_begin_supersedes_everything_before() -> None:
    log = told(change(1, "tea"))
    seen = log.end
    log.begin(20)
    assert log.touched_at(Depends((), ()), seen) is not None
    assert (log.position(19), log.position(20)) == (-1, log.end)
    assert log.touched_at(None, log.end) is None


@pytest.mark.parametrize(
    ("word", "text", "most", "expected"),
    [
        ("coffee", "cof", 0, True),
        ("coffee", "cofe", 1, True),
        ("coffee", "ocffee", 1, False),
        ("coffee", "xoffee", 1, False),
        ("documentary", "odcumentary", 2, True),
        ("documentary", "docmentray", 2, True),
        ("documentary", "dcmentray", 2, False),
        ("a", "abcdefgh", 2, False),
    ],
)
def test_a_word_begins_with_a_text_but_for_typos(word: str, text: str, most: int, expected: bool) -> None:
    assert begins(word, text, most) is expected


def test_a_missing_message_supersedes_everything_and_a_late_one_nothing() -> None:
    known = Invalidations()
    known.superseded(10)
    seen = known.log.end
    known.superseded(11, [change(9, "tea")])
    assert known.log.touched_at(COFFEE, seen) is None
    known.superseded(13, [change(9, "tea")])
    assert known.log.touched_at(COFFEE, seen) is not None
    seen = known.log.end
    known.superseded(12, [change(9, "coffee")])
    known.superseded(13, [change(9, "coffee")])
    assert (known.generation, known.log.end) == (13, seen)
    # A message that describes nothing, as older processes send it.
    known.superseded(14)
    assert known.log.touched_at(COFFEE, seen) is not None


def test_after_another_redis_has_taken_over_its_numbers_are_not_taken_for_the_old_ones() -> None:
    known = Invalidations()
    known.superseded(10)
    known.superseded(11, [change(9, "tea")])
    seen = known.log.end
    # The new master never had 11; its next generation is 11 again, with another change, and the process hears 10 first.
    known.superseded(10)
    assert known.log.touched_at(COFFEE, seen) is not None
    assert [known.log.position(generation) for generation in (10, 11)] == [-1, -1]
    # What this process makes now is kept all the same.
    assert known.position(10) == known.log.end
    known.superseded(11, [change(9, "tea")])
    known.superseded(12, [change(9, "tea")])
    assert known.log.position(12) == known.log.end
