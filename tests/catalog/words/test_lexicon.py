"""Words in arrays: letters of any script, and places by hashes."""

import random

import numpy as np
import pytest

from catalog.words.columns import Column, Places
from catalog.words.lexicon import Builder


def test_a_column_keeps_what_is_added() -> None:
    column = Column(np.uint32)
    expected: list[int] = []
    for n in range(5):
        more = list(range(n, 40_000 + n))
        column.extend(np.array(more, dtype=np.uint32))
        expected += more
    assert column.values.tolist() == expected


@pytest.mark.parametrize("count", [0, 1, 7, 5_000, 120_000])
def test_places_are_found_by_their_hashes(count: int) -> None:
    chance = np.random.default_rng(count)
    # Half of them share their hash with others, as words of one sound do.
    hashes = chance.integers(0, 1 << 32, count, dtype=np.uint32)
    hashes[: count // 2] = hashes[: count // 2] // 1000 * 1000
    places = np.arange(count, dtype=np.uint32)
    index = Places(count, lambda: [(hashes[:3], places[:3]), (hashes[3:], places[3:])])
    for wanted in ([], hashes[:1].tolist(), hashes[-4:].tolist(), [0, (1 << 32) - 1]):
        found = index.of(np.array(wanted, dtype=np.uint32)).tolist()
        right = np.flatnonzero(np.isin(hashes, wanted)).tolist()
        assert set(right) <= set(found)
        # A small index compares a part of a hash only.
        assert len(found) <= len(right) + 2


def test_a_word_in_letters_that_have_no_number_does_not_move_its_neighbours() -> None:
    ideographs = sorted({chr(random.Random(n).randrange(0x4E00, 0x9FFF)) for n in range(400)})
    words = sorted(["coffee", "кофе", "קפה", "قهوه", "καφες", "𐐨𐐩x", *(f"{one}a" for one in ideographs)])
    builder = Builder()
    for first in range(0, len(words), 150):
        some = words[first : first + 150]
        ones = " ".join("1" for _ in some)
        builder.add(" ".join(some), ones, ones, ones)
    lexicon = builder.finish()
    for word in ("coffee", "кофе", "קפה", "قهوه", "καφες"):
        assert lexicon.count(word) == 1, word
    assert [one.word for one in lexicon.corrections("кофф")] == ["кофе"]
    known = [word for word in words if lexicon.count(word)]
    assert 5 < len(known) == lexicon.size < len(words)
    assert lexicon.count("𐐨𐐩x") == 0
