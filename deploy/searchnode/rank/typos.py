"""How many typos a word may have, and which words of the index are that near to it.

This is the place where the node decides on a word's typo budget: `budget`. The parser of queries and
the terms call this module.
"""

from string import punctuation

from rapidfuzz import process
from rapidfuzz.distance import OSA

from deploy.searchnode.index.index import Index
from deploy.searchnode.index.inverted_index import InvertedIndex

# Words one typo away, and words two typos away, that a query word may stand for.
MAX_ONE_TYPO, MAX_TWO_TYPOS = 150, 50


def budget(index: Index, word: str) -> int:
    """Return how many typos the settings allow in a word of a query: 0, 1 or 2.

    The setting `typoTolerance` says how many characters a word must have for one and for two typos.
    Words in its `disableOnWords` may have none.
    """
    tolerance = index.settings["typoTolerance"]
    sizes = tolerance["minWordSizeForTypos"]
    if not tolerance["enabled"] or len(word) < sizes["oneTypo"]:
        return 0
    if word in index.words_without_typos:
        return 0
    return 1 if len(word) < sizes["twoTypos"] else 2


def must_be_exact(index: Index, word: str) -> bool:
    """Return whether a word of the index may not stand for a misspelt one: numbers, by the settings."""
    return index.settings["typoTolerance"]["disableOnNumbers"] and all(
        letter.isnumeric() or letter in punctuation for letter in word
    )


def misspellings(index: Index, word: str, max_typos: int, *, is_prefix: bool) -> tuple[list[str], list[str]]:
    """Find the words of the index that a word of a query may be a misspelling of.

    A wrong first letter counts as two typos.

    Args:
        index: The index.
        word: The word of the query.
        max_typos: Its budget, 1 or 2.
        is_prefix: Longer words count too, by the beginning that is nearest to the word.

    Returns:
        The words with one typo and the words with two, both in order and limited in number.
    """
    exact_numbers = index.settings["typoTolerance"]["disableOnNumbers"]
    return index.words.misspellings.get(
        (word, max_typos, is_prefix, exact_numbers),
        lambda: _misspellings(index, word, max_typos, is_prefix=is_prefix),
    )


def _misspellings(index: Index, word: str, max_typos: int, *, is_prefix: bool) -> tuple[list[str], list[str]]:
    distances = _same_first_letter(index.words, word, max_typos, is_prefix=is_prefix)
    one = sorted(w for w, distance in distances.items() if distance == 1)
    two = {w for w, distance in distances.items() if distance == 2}
    if max_typos > 1:
        two |= _other_first_letter(index.words, word, is_prefix=is_prefix)
    if index.settings["typoTolerance"]["disableOnNumbers"]:
        one = [w for w in one if not must_be_exact(index, w)]
        two = {w for w in two if not must_be_exact(index, w)}
    return one[:MAX_ONE_TYPO], sorted(two)[:MAX_TWO_TYPOS]


def _same_first_letter(words: InvertedIndex, word: str, max_typos: int, *, is_prefix: bool) -> dict[str, int]:
    """Return the words within the distance that begin with the same letter, with their distances."""
    distances: dict[str, int] = {}
    for size in range(max(len(word) - max_typos, 1), len(word) + max_typos + 1):
        candidates = words.words_of_length(word[0], size)
        if candidates:
            for found, distance, _ in process.extract(
                word, candidates, scorer=OSA.distance, score_cutoff=max_typos, limit=None
            ):
                distances[found] = min(distance, distances.get(found, max_typos))
        if not is_prefix:
            continue
        for beginning, distance, _ in process.extract(
            word, words.beginnings(word[0], size), scorer=OSA.distance, score_cutoff=max_typos, limit=None
        ):
            for found in words.words_with_prefix(beginning, MAX_ONE_TYPO + MAX_TWO_TYPOS):
                distances[found] = min(distance, distances.get(found, max_typos))
    return distances


def _other_first_letter(words: InvertedIndex, word: str, *, is_prefix: bool) -> set[str]:
    """Return the words that differ by their first letter: another, none, one more, or two exchanged."""
    rest = word[1:]
    candidates = {rest, word[1:2] + word[:1] + word[2:]}
    for letter in words.first_letters:
        candidates.update((letter + rest, letter + word))
    found: set[str] = set()
    for candidate in candidates:
        if not candidate or candidate[0] == word[0]:
            continue
        if is_prefix:
            found.update(words.words_with_prefix(candidate, MAX_TWO_TYPOS))
        elif candidate in words:
            found.add(candidate)
    return found
