"""Spellings that listeners mix are one; documents say the words that the engine would keep apart."""

import pytest

from catalog.words import forms, joined, layouts, spelling


@pytest.mark.parametrize(
    ("written", "typed"),
    [
        ("شيء من الخوف", "شئ من الخوف"),
        ("شيء من الخوف", "شي من الخوف"),
        ("شيء من الخوف", "شيئ من الخوف"),
        ("طابعة الجرائد", "طابعه الجرايد"),
        ("رؤية ٢٠٣٠", "رويه 2030"),
        ("٢٠٠١", "۲۰۰۱"),
        ("Café", "CAFE"),
        ("ڤيديو پاريس", "فيديو باريس"),
        ("مي\u200cخواهم", "ميخواهم"),
    ],
)
def test_spellings_of_one_word_are_equal(written: str, typed: str) -> None:
    assert spelling.split(written) == spelling.split(typed)


def test_signs_and_blanks_stay_so_that_an_engine_reads_them() -> None:
    assert spelling.spell('C++ و R&B "الرؤية" ') == 'c++ و r&b "الرويه" '


@pytest.mark.parametrize(
    ("word", "rests"),
    [
        ("وبالقهوه", ["بالقهوه", "القهوه", "قهوه"]),
        ("للقهوه", ["لقهوه", "قهوه"]),
        ("القهوه", ["قهوه"]),
        ("وردة", ["ردة"]),
        ("فن", []),
        ("coffee", []),
    ],
)
def test_joined_letters_are_taken_off_while_enough_is_left(word: str, rests: list[str]) -> None:
    assert joined.without(word) == rests


def test_a_wrong_layout_is_undone() -> None:
    assert layouts.to_arabic("hgvshgm") == "الرسالة"
    assert layouts.to_arabic("ri,m hglshx") == "قهوة المساء"
    # One key writes لا, and two keys do.
    assert layouts.to_latin("ؤشسشلامشىؤش") == ("casablanca", "casaghlanca")
    assert layouts.to_latin("مهلافس") == ("libts", "lights")


def test_a_document_names_only_what_the_engine_folds_otherwise() -> None:
    assert forms.folded("المرأة التي سامحت") is None
    assert forms.folded("حرب أكتوبر ١٩٧٣") == "حرب اكتوبر 1973"
    named = ["قهوة المساء", "وبالوالدين"]
    forms_of_names = ["قهوه", "المسا", "بالوالدين", "الوالدين", "والدين"]
    assert forms.other_forms(named, "حكايات عن الماء عام ١٩٩٠") == [*forms_of_names, "الما", "1990"]
    assert forms.other_forms(["Small Systems"], "Machines that run") == []
