"""How well a program fits the words of a query, by which readings of it are compared."""

import pytest

from api.http.readings.fit import NOTHING, Fit, fit
from catalog.words.spelling import split
from indexer.engines.document import ListedFields

EMPTY = dict.fromkeys(ListedFields.__struct_fields__) | {"description": "", "tags": [], "people": []}


def program(title: str, **fields: object) -> ListedFields:
    return ListedFields(**(EMPTY | {"title": title} | fields))  # type: ignore[arg-type]  # fields by name


def fitting(q: str, hit: ListedFields) -> Fit:
    return fit(split(q), hit, unfinished=not q[-1:].isspace())


def test_an_article_and_the_beginning_of_its_noun_begin_a_word() -> None:
    wanted = program("الأيام الأخيرة")
    for q in ("الأيام ا", "الأيام ال", "الأيام الأ", "الأيام الأخ", "الأيام أخير"):
        assert fitting(q, wanted).complete, q
    assert not fitting("الأيام الم", wanted).complete
    # A word that is finished is no beginning.
    assert not fitting("الأيام ال ", wanted).complete


def test_a_name_of_one_person_fits_better_than_the_same_words_of_two() -> None:
    one = program("24 ساعة", people=["سميرة أحمد"])
    two = program("24 ساعة", people=["سميرة سعيد", "أحمد زكي"])
    assert fitting("سميرة أحمد", one).value > fitting("سميرة أحمد", two).value
    assert fitting("سميرة أحمد", two).complete


def test_a_whole_title_fits_best() -> None:
    values = [
        fitting("باب الحديد", hit).value
        for hit in (
            program("باب الحديد"),
            program("باب من الحديد"),
            program("الحديد والباب"),
            program("صوت", description="باب الحديد"),
            program("صوت"),
        )
    ]
    assert values == sorted(values, reverse=True)
    assert values[0] == pytest.approx(1.0)
    assert fit([], program("باب"), unfinished=False) == NOTHING


def test_words_that_stand_together_in_a_description_are_there_by_design() -> None:
    scattered = program("صوت", description="كل يوم يجلس الضيف في الدار")
    together = program("صوت", description="كان يوم في الضيف كله")
    for hit, named in ((scattered, False), (together, True), (program("يوم في الضيف"), True)):
        found = fitting("يوم في الضيف", hit)
        assert (found.complete, found.named) == (True, named)
    assert fitting("يوم في الضيف", together).value > fitting("يوم في الضيف", scattered).value
