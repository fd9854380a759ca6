"""Words of the index near a misspelt one."""

from string import punctuation

from rapidfuzz import process
from rapidfuzz.distance import OSA

from deploy.local.searchnode.index import Index
from deploy.local.searchnode.postings import Postings

MAX_ONE_TYPO, MAX_TWO_TYPOS = 150, 50


def allowed(index: Index, word: str) -> int:
    """How many typos the settings forgive in a word of this length."""
    tolerance = index.settings["typoTolerance"]
    sizes = tolerance["minWordSizeForTypos"]
    if not tolerance["enabled"] or len(word) < sizes["oneTypo"]:
        return 0
    if word in index.words_without_typos:
        return 0
    return 1 if len(word) < sizes["twoTypos"] else 2


def is_exact(index: Index, word: str) -> bool:
    """Is this a word that no misspelling stands for, by the settings?"""
    return bool(index.settings["typoTolerance"]["disableOnNumbers"]) and all(
        letter.isnumeric() or letter in punctuation for letter in word
    )


def near(index: Index, word: str, most: int, *, is_prefix: bool) -> tuple[list[str], list[str]]:
    """Words one and two typos away, at most so many; a wrong first letter counts two.

    A prefix is also met by longer words: by the beginning that comes nearest.
    """
    exact_numbers = bool(index.settings["typoTolerance"]["disableOnNumbers"])
    found: tuple[list[str], list[str]] = index.postings.once(
        ("near", word, most, is_prefix, exact_numbers),
        lambda: _near(index, word, most, is_prefix=is_prefix),
    )
    return found


def _near(index: Index, word: str, most: int, *, is_prefix: bool) -> tuple[list[str], list[str]]:
    postings = index.postings
    distances = _same_first_letter(postings, word, most, is_prefix=is_prefix)
    one = sorted(w for w, d in distances.items() if d == 1)
    two = {w for w, d in distances.items() if d == 2}
    if most > 1:
        two |= _other_first_letter(postings, word, is_prefix=is_prefix)
    if index.settings["typoTolerance"]["disableOnNumbers"]:
        one = [w for w in one if not is_exact(index, w)]
        two = {w for w in two if not is_exact(index, w)}
    return one[:MAX_ONE_TYPO], sorted(two)[:MAX_TWO_TYPOS]


def _same_first_letter(
    postings: Postings, word: str, most: int, *, is_prefix: bool
) -> dict[str, int]:
    distances: dict[str, int] = {}
    for size in range(max(len(word) - most, 1), len(word) + most + 1):
        words = postings.of_length(word[0], size)
        if words:
            for found, distance, _ in process.extract(
                word, words, scorer=OSA.distance, score_cutoff=most, limit=None
            ):
                distances[found] = min(distance, distances.get(found, most))
        if not is_prefix:
            continue
        for head, distance, _ in process.extract(
            word, postings.heads(word[0], size), scorer=OSA.distance, score_cutoff=most, limit=None
        ):
            for found in postings.prefixed(head, MAX_ONE_TYPO + MAX_TWO_TYPOS):
                distances[found] = min(distance, distances.get(found, most))
    return distances


def _other_first_letter(postings: Postings, word: str, *, is_prefix: bool) -> set[str]:
    rest = word[1:]
    candidates = {rest, word[1:2] + word[:1] + word[2:]}
    letters = postings.once("letters", lambda: {first for first, _ in postings.shelves})
    candidates.update([letter + rest for letter in letters], [letter + word for letter in letters])
    found: set[str] = set()
    for candidate in candidates:
        if not candidate or candidate[0] == word[0]:
            continue
        if is_prefix:
            found.update(postings.prefixed(candidate, MAX_TWO_TYPOS))
        elif candidate in postings:
            found.add(candidate)
    return found
