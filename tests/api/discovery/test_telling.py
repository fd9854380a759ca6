"""Words of a title that say what a program is about."""

import pytest

from api.discovery.around.telling import telling
from catalog.words.lexicon import Builder, Lexicon


def lexicon(**counts: int) -> Lexicon:
    builder = Builder()
    words = sorted(counts)
    builder.add(
        " ".join(words), " ".join(str(counts[word]) for word in words), "", " ".join("0" for _ in words)
    )
    return builder.finish()


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("The lighthouse of the sea", ["lighthouse", "sea"]),
        ("الجار الذي لم نعرف اسمه", ["الجار"]),
        ("a LIGHTHOUSE, and harbours", ["lighthouse"]),
        # Only this program has it; nearly every one has it; nobody has it.
        ("Alone in radio with xyz in 1984", []),
        ("Sea, storm, harbour, lighthouse", ["harbour", "lighthouse", "storm"]),
        ("", []),
    ],
)
def test_particles_and_frequent_words_say_nothing(title: str, expected: list[str]) -> None:
    known = lexicon(
        **{"1984": 3},
        alone=1,
        harbour=2,
        lighthouse=3,
        radio=500,
        sea=30,
        storm=4,
        the=90,
        الجار=2,
        الذي=3,
        اسمه=1,
    )
    assert telling(known, title) == expected
