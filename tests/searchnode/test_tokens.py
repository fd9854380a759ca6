"""How texts are cut into words, and how words are folded."""

import pytest

from deploy.searchnode.index import settings
from deploy.searchnode.text.folding import decompose, fold
from deploy.searchnode.text.language import language_of
from deploy.searchnode.text.scripts import script_runs
from deploy.searchnode.text.tokens import HARD, HARD_BREAK, MAX_POSITION, SOFT, STOP, WORD, Tokenizer


def tokenizer(**changes: object) -> Tokenizer:
    return Tokenizer({**settings.defaults(), **changes})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The quick fox", [("the", 0), ("quick", 1), ("fox", 2)]),
        ("a-b_c", [("a", 0), ("b", 1), ("c", 2)]),
        ("one, two", [("one", 0), ("two", HARD_BREAK)]),
        ("one. Two", [("one", 0), ("two", HARD_BREAK)]),
        ("v1.2", [("v1", 0), ("2", 1)]),
        ("one!?  two", [("one", 0), ("two", HARD_BREAK)]),
        ("...one", [("one", 0)]),
        ("", []),
        (" ,. ", []),
        ("نهر الضوء", [("نهر", 0), ("ال", 1), ("ضوء", 2)]),
        ("البيت", [("ال", 0), ("بيت", 1)]),
        ("نهر، ضوء", [("نهر", 0), ("ضوء", HARD_BREAK)]),
        ("نهر river", [("نهر", 0), ("river", 1)]),
        ("café ÉCOLE", [("cafe", 0), ("ecole", 1)]),
    ],
)
def test_words_have_lemmas_and_positions(text: str, words: list[tuple[str, int]]) -> None:
    assert tokenizer().words(text) == words


def test_stop_words_take_a_position_and_are_no_words() -> None:
    cut = tokenizer(stopWords=["of"])
    assert cut.words("north of town") == [("north", 0), ("town", 2)]
    assert [token.kind for token in cut.tokens("of town")] == [STOP, SOFT, WORD]


def test_separators_can_be_added_and_removed() -> None:
    assert tokenizer(separatorTokens=["x"]).words("1x2") == [("1", 0), ("2", 1)]
    assert tokenizer(nonSeparatorTokens=["-"]).words("a-b") == [("a-b", 0)]


def test_words_of_the_dictionary_are_not_cut() -> None:
    assert tokenizer(dictionary=["J. R. R."]).words("J. R. R. Tolkien")[0] == ("j. r. r.", 0)


def test_tokens_say_where_they_are() -> None:
    text = "Salt, الملح"
    tokens = list(tokenizer().tokens(text))
    assert [text[token.start : token.end] for token in tokens] == ["Salt", ", ", "ال", "ملح"]
    assert [token.kind for token in tokens] == [WORD, HARD, WORD, WORD]


def test_positions_end_somewhere() -> None:
    words = tokenizer().words("a " * (MAX_POSITION + 10))
    assert words[-1] == ("a", MAX_POSITION - 1)


def test_a_very_long_word_is_not_indexed() -> None:
    assert tokenizer().words(f"a {'b' * 251} c") == [("a", 0), ("c", 2)]


@pytest.mark.parametrize(
    ("word", "lemma"),
    [
        ("River", "river"),
        ("naïve", "naive"),
        ("Œuvre", "oeuvre"),
        ("أحمد", "احمد"),
        ("مدينة", "مدينه"),
        ("مُحَمَّد", "محمد"),
        ("عـــرب", "عرب"),
        ("ﻛﺘﺎﺏ", "كتاب"),
        ("ﬁlm", "film"),
    ],
)
def test_folding_gives_spellings_one_form(word: str, lemma: str) -> None:
    assert fold(word) == lemma


def test_persian_letters_are_unified_only_in_persian() -> None:
    assert fold("کتاب", "pes") == fold("كتاب", "pes")
    assert fold("کتاب") != fold("كتاب")


def test_decomposition_keeps_capitals_and_marks() -> None:
    assert decompose("The") == "The"
    assert fold(decompose("É")) == "e"


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("هذا كتاب عن تاريخ المدينة القديمة في بلاد العرب", "ara"),
        ("این کتاب درباره تاریخ شهرهای قدیمی ایران است", "pes"),
        ("یہ کتاب پرانے شہروں کی تاریخ کے بارے میں ہے", "urd"),
    ],
)
def test_the_language_of_arabic_script_is_guessed(text: str, language: str) -> None:
    assert language_of(text) == language
    assert language_of(text, ("ara", "eng")) == "ara"
    assert language_of(text, ("eng",)) == "eng"
    assert language_of(text, ("eng", "fra")) is None


def test_settings_say_which_languages_a_field_may_have() -> None:
    cut = tokenizer(
        localizedAttributes=[
            {"attributePatterns": ["title*"], "locales": ["ara"]},
            {"attributePatterns": ["*"], "locales": ["eng", "fra"]},
        ]
    )
    assert cut.locales("title_ar") == ("ara",)
    assert cut.locales("text") == ("eng", "fra")
    assert cut.all_locales(["title_ar", "text"]) == ("ara", "eng", "fra")
    assert tokenizer().all_locales(["text"]) is None


@pytest.mark.parametrize(
    ("text", "runs"),
    [
        ("river", [("river", False)]),
        ("نهر river", [("نهر ", True), ("river", False)]),
        ("é 12 نهر, δ", [("é 12 ", False), ("نهر, ", True), ("δ", False)]),
        ("١٢، 3", [("١٢، 3", True)]),
        ("–", [("–", False)]),
    ],
)
def test_runs_of_one_script(text: str, runs: list[tuple[str, bool]]) -> None:
    assert list(script_runs(text)) == runs
