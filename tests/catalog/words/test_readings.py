"""Every rung of the ladder reads a query as the words of the catalogue."""

import random
from collections import Counter

import pytest

from catalog.vocabulary.rollup import words
from catalog.words.joined import is_arabic
from catalog.words.keys import likeness, sound_hash, sounds
from catalog.words.lexicon import Builder, Lexicon
from catalog.words.readings import Reader

TEXTS = (
    "قهوة المساء",
    "باب الحديد",
    "يوسف شاهين",
    "هيفاء المنصور",
    "إشاعة حب",
    "Casablanca",
    "Lawrence of Arabia",
    "Small Systems",
    "The Dark Knight",
    "شيء من الخوف",
    "معركة الجزائر 1966",
    "City Lights",
    "وجدة",
    "Alfred Hitchcock",
    "صمت القصور",
    "سميرة أحمد",
    "سمير أحمد",
)


def lexicon_of(*texts: str) -> Lexicon:
    counts = Counter(word for text in texts for word in words([text]))
    known = sorted(counts)
    builder = Builder()
    half = len(known) // 2
    for some in (known[:half], known[half:]):
        sounding = [[sound_hash(key) for key in sounds(word)] for word in some]
        builder.add(
            " ".join(some),
            " ".join(str(counts[word]) for word in some),
            " ".join(str(value) for of_word in sounding for value in of_word),
            " ".join(str(len(of_word)) for of_word in sounding),
        )
    return builder.finish()


READER = Reader(lexicon_of(*TEXTS))


@pytest.mark.parametrize(
    ("query", "rung", "text"),
    [
        ("وباب الحديد", "joined", "باب الحديد"),
        ("باب للحديد", "joined", "باب حديد"),
        ("قهوةالمساء", "split", "قهوه المسا"),
        ("casa blanca", "merged", "casablanca"),
        ("معركة الحزائر", "correction", "معركه الجزاير"),
        ("قهوة الساء", "correction", "قهوه المسا"),
        ("asablanca", "correction", "casablanca"),
        ("Drak Kinght", "correction", "dark knight"),
        ("ri,m hglshx", "layout", "قهوه المسا"),
        ("ؤهفغ مهلافس", "layout", "city lights"),
        (",[]m", "layout", "وجده"),
        ("7 فاث يشقن نىهلاف", "layout", "7 the dark knight"),
        ("ألفريد هيتشكوك", "script", "alfred hitchcock"),
        ("samt el 2osour", "script", "صمت قصور"),
        ("samira ahmed", "script", "سميره احمد"),
        ("samir ahmed", "script", "سمير احمد"),
        ("youssef chahine", "script", "يوسف شاهين"),
        ("haifaa al mansour", "script", "هيفا منصور"),
        ("haifaa almansour", "script", "هيفا المنصور"),
        ("esha3et 7ob", "script", "اشاعه حب"),
        ("كازابلانكا", "script", "casablanca"),
        ("بودكاست قهوة المساء", "kind", "قهوه المسا"),
        ("movie casablanca", "kind", "casablanca"),
        ("zzzzzzz casablanca", "dropped", "casablanca"),
    ],
)
def test_the_likeliest_reading(query: str, rung: str, text: str) -> None:
    assert READER.doubtful(query)
    readings = READER.read(query, 4)
    if text:
        assert (readings[0].rung, readings[0].text) == (rung, text)


def test_a_general_word_says_what_kind_is_asked_for() -> None:
    assert [READER.read(query, 1)[0].kind for query in ("movie casablanca", "podcast small systems")] == [
        "film",
        "episode",
    ]


@pytest.mark.parametrize(
    "query", ["قهوة المساء", "المساء", "قهوه المسا", "The Dark Kni", "شئ من الخوف", "معركة ١٩٦٦"]
)
def test_words_of_the_catalogue_are_no_reason_for_doubt(query: str) -> None:
    assert not READER.doubtful(query)


def test_one_or_two_letters_of_the_other_layout_say_nothing() -> None:
    reader = Reader(lexicon_of("لا", "و", *TEXTS))
    for query in ("R&B", "c++", "b"):
        assert "layout" not in [reading.rung for reading in reader.read(query, 10)], query


@pytest.mark.parametrize(
    "query",
    [
        "node.js",
        "css",
        "java",
        "ted",
        "pizza",
        "crypto",
        "gpt",
        "tv",
        "tesla",
        "ai",
        "machine learning",
        "breaking bad",
        "rust lang",
        "star wars",
        "بايثون",
        "بيتزا",
    ],
)
def test_a_word_of_the_other_script_with_the_same_consonants_is_not_enough(query: str) -> None:
    reader = Reader(
        lexicon_of(
            "نادية جاسوس كأس كفاية تعود بؤساء بايسة غريبة غائب تطفئ تزال ع ايه مجانين مكان بعد بعض روستي وعريس",
            "bethany patsy paths",
        )
    )
    texts = " ".join(reading.text for reading in reader.read(f"{query} ", 6)).split()
    assert [word for word in texts if is_arabic(word) != is_arabic(query)] == []


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("nadia", "ناديه"),
        ("jasoos", "جاسوس"),
        ("kefaya", "كفايه"),
        ("doctor", "دكتور"),
        ("salah", "صلاح"),
        ("lil7ob", "للحب"),
        ("elia", "ايليا"),
        ("بيثاني", "bethany"),
    ],
)
def test_a_word_that_sounds_alike_is_found_in_the_other_script(query: str, text: str) -> None:
    reader = Reader(lexicon_of("نادية جاسوس كفاية دكتور صلاح للحب إيليا", "bethany patsy"))
    assert text in reader.read(f"{query} ", 1)[0].text.split()


def test_a_finished_word_must_be_whole() -> None:
    assert READER.doubtful("The Dark Kni ")


def test_without_words_there_are_no_readings_of_known_words() -> None:
    empty = Reader(Builder().finish())
    assert empty.lexicon.size == 0
    assert empty.lexicon.corrections("casablanca") == []
    assert empty.lexicon.sounding([sound_hash("KSBLNK")], 5) == []


def test_every_single_mistake_is_undone() -> None:
    chance = random.Random(8)
    known = [word for word in words(TEXTS) if len(word) > 4]
    lexicon = READER.lexicon
    for word in sorted(known):
        at = chance.randrange(len(word) - 1)
        letter = chance.choice("abcdبتثجح")
        for wrong in (
            word[:at] + word[at + 1 :],
            word[:at] + letter + word[at:],
            word[:at] + letter + word[at + 1 :],
            word[:at] + word[at + 1] + word[at] + word[at + 2 :],
        ):
            if not lexicon.count(wrong):
                assert word in [correction.word for correction in lexicon.corrections(wrong)], wrong


def test_counts_beginnings_and_completions() -> None:
    lexicon = lexicon_of("casablanca", "casa", "casa", "قهوة")
    assert [lexicon.count(word) for word in ("casa", "casablanca", "cas", "قهوه", "zzz")] == [2, 1, 0, 1, 0]
    assert lexicon.begins("casab")
    assert not lexicon.begins("casc")
    assert [entry.word for entry in lexicon.completions("cas", 1)] == ["casa"]


@pytest.mark.parametrize(
    ("arabic", "latin"),
    [
        ("يوسف", "youssef"),
        ("يوسف", "yusuf"),
        ("شاهين", "chahine"),
        ("شاهين", "shahin"),
        ("كازابلانكا", "casablanca"),
        ("خالد", "5aled"),
        ("خالد", "khaled"),
        ("اشاعه", "esha3et"),
        ("قهوه", "gahwat"),
        ("لورنس", "lawrence"),
        ("العرب", "al3arab"),
    ],
)
def test_spellings_of_one_sound_share_a_key(arabic: str, latin: str) -> None:
    assert set(sounds(arabic)) & set(sounds(latin))
    assert likeness(arabic, latin) > likeness(arabic, "zubrowka")
