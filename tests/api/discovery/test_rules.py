"""What a search must not do to a listener: count articles, mix years, forget the order asked for, hide programs.

Each rule is one of the engine's settings or one of `api.discovery.searching`, so it holds on every engine.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from api.discovery.searching import highlights
from api.discovery.searching.highlights import CLOSE, OPEN
from catalog.core.db import session_factory
from tests.support.client import Client
from tests.support.discovery import titles
from tests.support.pipeline import Pipeline
from tests.support.product import serve
from tests.support.programs import make


@contextmanager
def searchable(pipeline: Pipeline, *programs: str | dict[str, Any]) -> Iterator[Client]:
    """Publish programs, given by their titles or their columns; give a listener whose engine has them."""
    with session_factory(pipeline.database).begin() as session:
        for given in programs:
            columns = {"title": given} if isinstance(given, str) else given
            make(session, "published", **columns)
    pipeline.sender().drain()
    with serve(pipeline.settings) as (listener, _):
        yield listener


@pytest.mark.slow
def test_an_article_alone_is_no_match(pipeline: Pipeline) -> None:
    programs = [
        "ثلاثية القاهرة في مقهى",
        {"title": "سيدة القاهرة", "kind": "film"},
        "البيت والشارع",
        {"title": "نهر الضوء", "kind": "film"},
        "قاهرة المعز",
    ]
    with searchable(pipeline, *programs) as listener:
        with_article, without = (
            listener.get("/discovery/search", q=q, facets="kind").json() for q in ("القاهرة", "قاهرة")
        )
    assert with_article["meta"]["degraded"] is False
    assert with_article["meta"]["total"] == without["meta"]["total"] == 3
    assert with_article["facets"] == without["facets"]
    assert [(value["value"], value["count"]) for value in without["facets"]["kind"]] == [
        ("episode", 2),
        ("film", 1),
    ]


@pytest.mark.slow
def test_the_title_that_was_typed_comes_before_the_one_that_differs_by_an_article(pipeline: Pipeline) -> None:
    with searchable(pipeline, "حرام", "الحرام", "عرس التحدي", "عرس الزين", "العرس") as listener:
        assert titles(listener, q="الحرام")[0] == "الحرام"
        assert titles(listener, q="حرام")[0] == "حرام"
        # An engine prefers titles that begin with the very word.
        assert titles(listener, q="عرس")[0] == "العرس"
        assert titles(listener, q="عرس التحدي")[0] == "عرس التحدي"


def test_newest_does_not_begin_with_what_is_not_released_yet(pipeline: Pipeline) -> None:
    programs = (
        {"title": f"zqx {year}", "release_date": datetime(year, 1, 1, tzinfo=UTC)}
        for year in (2023, 2024, 2199)
    )
    with searchable(pipeline, *programs, {"title": "zqx without a date"}) as listener:
        released = ["zqx 2024", "zqx 2023", "zqx without a date"]
        assert titles(listener, q="zqx", sort="newest") == released
        listed = listener.get("/discovery/browse", sort="newest").json()
        assert ([row["title"] for row in listed["data"]], listed["meta"]["total"]) == (released, 3)
        assert len(titles(listener, q="zqx", sort="oldest")) == 4
        assert titles(listener, q="zqx", sort="newest", releasedAfter="2024-06-01") == ["zqx 2199"]


@pytest.mark.slow
def test_the_order_that_was_asked_for_is_strict(pipeline: Pipeline) -> None:
    spread = [
        ("zqx", 2020, 100),
        ("The zqx hour", 2024, 300),
        ("A word about zqx", 2021, 200),
        ("Many words before zqx comes", 2023, 500),
        ("zqx zqx zqx", 2022, 400),
    ]
    programs = (
        {"title": title, "release_date": datetime(year, 1, 1, tzinfo=UTC), "duration_sec": length}
        for title, year, length in spread
    )
    by_year = [title for title, _, _ in sorted(spread, key=lambda row: -row[1])]
    by_length = [title for title, _, _ in sorted(spread, key=lambda row: -row[2])]
    with searchable(pipeline, *programs) as listener:
        assert titles(listener, q="zqx", sort="newest") == by_year
        assert titles(listener, q="zqx", sort="oldest") == by_year[::-1]
        assert titles(listener, q="zqx", sort="longest") == by_length
        assert titles(listener, q="zqx", sort="shortest") == by_length[::-1]
        # Relevance is for relevance.
        assert titles(listener, q="zqx")[0] == "zqx"
        # In an order of their own, only programs with all the words are listed.
        assert titles(listener, q="word about zqx", sort="newest") == ["A word about zqx"]


@pytest.mark.slow
def test_another_number_is_no_misspelling(pipeline: Pipeline) -> None:
    programs = (
        "The 1984 Tapes",
        "1985 Was a Year",
        "2001: A Space Odyssey",
        "رؤية 2030",
        "أكتوبر 1974",
        "حرب أكتوبر 1973",
    )
    with searchable(pipeline, *programs) as listener:
        assert {q: titles(listener, q=q) for q in ("1984", "1985", "2000", "2030", "20011")} == {
            "1984": ["The 1984 Tapes"],
            "1985": ["1985 Was a Year"],
            "2000": [],
            "2030": ["رؤية 2030"],
            "20011": [],
        }
        assert titles(listener, q="أكتوبر 1973")[0] == "حرب أكتوبر 1973"
        assert titles(listener, q="أكتوبر 1974")[0] == "أكتوبر 1974"


@pytest.mark.slow
def test_signs_that_belong_to_a_name_count(pipeline: Pipeline) -> None:
    wanted = {
        "C#": "C# in a weekend",
        "c#": "C# in a weekend",
        "C++": "C++ for the patient",
        "F#": "Ten lines of F#",
        "R&B": "R&B nights",
        "r&b": "R&B nights",
        "AT&T": "The breakup of AT&T",
        "node.js": "Node.js at scale",
    }
    others = ("C", "Minor keys: F", "R: a language, B: a letter", "At the table", "A node in JS", "Node")
    with searchable(pipeline, *others, *dict.fromkeys(wanted.values())) as listener:
        assert {q: titles(listener, q=q)[0] for q in wanted} == wanted


@pytest.mark.slow
def test_a_hyphen_before_a_word_is_text_unless_operators_are_asked_for(pipeline: Pipeline) -> None:
    poet, seer = "أيام العرب: المتنبي في حلب", "أيام العرب: زرقاء اليمامة"
    evening, morning = "قهوة المساء", "قهوة الصباح"
    with searchable(pipeline, poet, seer, evening, morning) as listener:
        for q in (
            "أيام العرب -المتنبي",
            "أيام -العرب المتنبي",
            "-أيام العرب المتنبي",
            "أيام العرب --المتنبي",
        ):
            assert titles(listener, q=q)[0] == poet, q
        assert titles(listener, q="قهوة -المساء", operators="false")[0] == evening
        assert titles(listener, q="أيام العرب -المتنبي", operators="true") == [seer]
        # The article of the word that is left out leaves nothing else out.
        assert titles(listener, q="قهوة -المساء", operators="true") == [morning]


@pytest.mark.slow
def test_whole_words_are_marked(pipeline: Pipeline) -> None:
    question = "هل القهوة تضر القلب؟"
    wanted = {
        "القهوة": "هل <em>القهوة</em> تضر القلب؟",
        "قهوة": "هل <em>القهوة</em> تضر القلب؟",
        "القهو": "هل <em>القهوة</em> تضر القلب؟",
        "القهوة القلب": "هل <em>القهوة</em> تضر <em>القلب</em>؟",
        "coff": "The <em>coffee</em> film",
    }
    with searchable(pipeline, question, "The coffee film", "ماذا تقول الدراسات الكبيرة") as listener:
        for q, shown in wanted.items():
            answer = listener.get("/discovery/search", q=q, highlight="true").json()
            assert [row["highlight"]["title"] for row in answer["data"]] == [shown], q


@pytest.mark.parametrize(
    ("engine", "shown"),
    [
        ("[ال][قهوة] تضر [ال]قلب", "<em>القهوة</em> تضر القلب"),
        ("[ال]قلب", "القلب"),
        ("[قهو]ة", "<em>قهوة</em>"),
        ("بال[قهوة]", "<em>بالقهوة</em>"),
        ("قَ[هْوَ]ة", "<em>قَهْوَة</em>"),
        ("a [<b>] & [c]", "a <em>&lt;b&gt;</em> &amp; <em>c</em>"),
        ("one[two]three [two] words", "<em>onetwothree</em> <em>two</em> words"),
        ("[at] [at]&t", "<em>at</em> <em>at</em>&amp;t"),
        ("[ال]", "<em>ال</em>"),
        ("nothing", "nothing"),
        ("", ""),
    ],
)
def test_marks_of_an_engine_become_marks_of_words(engine: str, shown: str) -> None:
    assert highlights.marked(engine.replace("[", OPEN).replace("]", CLOSE)) == shown


@pytest.mark.slow
def test_digits_and_hamza_are_one_however_they_are_written(pipeline: Pipeline) -> None:
    vision, war, nature = "رؤية ٢٠٣٠", "حرب أكتوبر ١٩٧٣", "شيءٌ عن البيئة"
    with searchable(pipeline, vision, war, nature, "حرب أكتوبر ١٩٧٤", "2001: A Space Odyssey") as listener:
        for q in ("2030", "٢٠٣٠", "۲۰۳۰", "رؤية 2030"):
            assert titles(listener, q=q)[0] == vision, q
        for q in ("1973", "١٩٧٣", "حرب 1973"):
            assert titles(listener, q=q)[0] == war, q
        for q in ("٢٠٠١", "۲۰۰۱"):
            assert titles(listener, q=q) == ["2001: A Space Odyssey"], q
        for q in ("شئ عن البيئة", "شي عن البيئة", "شيئ عن البيئة", "شيء عن البيئه"):
            assert titles(listener, q=q)[0] == nature, q
