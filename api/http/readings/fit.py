"""How well a program fits the words of a query, by where it has them. `choosing` compares readings of a query by it.

An engine's ranking score says the same of one query, but not of two: a query of fewer words scores higher. It also
costs the engine more than the search itself (the search node 5 ms instead of 2 ms for a page).
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from rapidfuzz.distance import OSA

from catalog.words.joined import bare, without
from catalog.words.spelling import split

# What a word is worth where it is found.
_TITLE, _NAME, _TAG, _PHRASE, _DESCRIPTION = 1.0, 0.97, 0.92, 0.88, 0.8
# What it is worth if the program has it in another form.
_BEGUN, _JOINED, _MISTAKEN, _FAR = 0.97, 0.95, 0.7, 0.5
# Words of so many letters may have one mistake, or two, as the settings of the index say.
_ONE_MISTAKE, _TWO_MISTAKES = 4, 8
# A title or a name with nothing but the words of the query, and a title with them in their order, are worth so much
# more.
_WHOLE, _ORDERED = 0.1, 0.05


class Titled(Protocol):
    """The fields of a program in which words are looked for."""

    @property
    def id(self) -> int:
        """The program."""
        raise NotImplementedError

    @property
    def title(self) -> str:
        """Its title."""
        raise NotImplementedError

    @property
    def description(self) -> str:
        """Its description."""
        raise NotImplementedError

    @property
    def series_title(self) -> str | None:
        """The title of its series."""
        raise NotImplementedError

    @property
    def people(self) -> Sequence[str]:
        """The names of its people."""
        raise NotImplementedError

    @property
    def tags(self) -> Sequence[str]:
        """The names of its tags."""
        raise NotImplementedError


class Fit(NamedTuple):
    """`value` is from 0 to 1. `complete`: the program has every word, none of them with a mistake.

    `named`: it has them in its title, names and tags, or together in its description.
    """

    value: float
    complete: bool
    named: bool


NOTHING = Fit(0.0, complete=False, named=False)


def fit(words: Sequence[str], hit: Titled, *, unfinished: bool) -> Fit:
    """Return how well a program fits.

    Args:
        words: The query's, in the spelling of comparison.
        hit: The program.
        unfinished: The last word may be the beginning of a word.
    """
    if not words:
        return NOTHING
    title = split(hit.title)
    best = [0.0] * len(words)
    _look(best, words, title, _TITLE, unfinished=unfinished)
    in_title = sum(1 for word in title if any(_same(word, wanted) for wanted in words))
    for texts, worth in (([*hit.people, hit.series_title or ""], _NAME), (hit.tags, _TAG)):
        if min(best) < worth * _JOINED:
            _look(best, words, [word for text in texts for word in split(text)], worth, unfinished=unfinished)
    # Descriptions are long: they are only read for words that are nowhere else.
    if min(best) < _DESCRIPTION * _JOINED:
        described = split(hit.description)
        together = len(words) > 1 and _together(words, described)
        worth = _PHRASE if together else _DESCRIPTION
        _look(best, words, described, worth, unfinished=unfinished)
    value = sum(best) / len(words)
    whole = in_title / len(title) if title else 0.0
    value += _WHOLE * max(whole, _of_one_name(words, hit.people)) + (
        _ORDERED if title == list(words) else 0.0
    )
    least = min(best)
    return Fit(
        value / (1 + _WHOLE + _ORDERED),
        complete=least >= _DESCRIPTION * _JOINED,
        named=least >= _PHRASE * _JOINED,
    )


def name_fit(words: Sequence[str], name: str, *, unfinished: bool) -> float:
    """Return how well a name fits the words, from 0 (it lacks a word) to 1. Without words every name fits alike.

    Args:
        words: The query's, in the spelling of comparison.
        name: The name of a person or the title of a series.
        unfinished: The last word may be the beginning of a word.
    """
    if not words:
        return 1.0
    best, there = [0.0] * len(words), split(name)
    _look(best, words, there, 1.0, unfinished=unfinished)
    if not min(best):
        return 0.0
    return (sum(best) / len(words) + _WHOLE * min(1.0, len(words) / len(there))) / (1 + _WHOLE)


def _together(words: Sequence[str], there: Sequence[str]) -> bool:
    """Return whether the words stand there one behind the other."""
    count = len(words)
    return any(
        there[n] == words[0] and list(there[n : n + count]) == list(words)
        for n in range(len(there) - count + 1)
    )


def _of_one_name(words: Sequence[str], people: Sequence[str]) -> float:
    """How much of one person's name the query is, from 0 to 1; 0 if a word of the query is not in the name."""
    names = (split(name) for name in people)
    shares = (
        len(words) / len(name)
        for name in names
        if len(words) <= len(name) and all(any(_same(part, word) for part in name) for word in words)
    )
    return max(shares, default=0.0)


def _same(word: str, wanted: str) -> bool:
    return word == wanted or bare(word) == bare(wanted)


def _look(
    best: list[float], words: Sequence[str], there: Sequence[str], worth: float, *, unfinished: bool
) -> None:
    """Raise the worth of every word that is there."""
    known = {bare(word) for word in there} | set(there)
    for n, wanted in enumerate(words):
        if best[n] < worth:
            last = unfinished and n + 1 == len(words)
            best[n] = max(best[n], worth * _likeness(wanted, known, unfinished=last))


def _likeness(wanted: str, known: set[str], *, unfinished: bool) -> float:
    plain = bare(wanted)
    if plain in known:
        return 1.0
    # Of an article, only its first letters may be there yet: `ا`, `ال`, `الم`.
    if unfinished and any(word.startswith((plain, wanted)) for word in known):
        return _BEGUN
    if any(plain in without(word) for word in known):
        return _JOINED
    if len(plain) >= _ONE_MISTAKE and not plain.isdecimal():
        most = 2 if len(plain) >= _TWO_MISTAKES else 1
        nearest = min((OSA.distance(plain, word, score_cutoff=most) for word in known), default=most + 1)
        if nearest <= most:
            return _MISTAKEN if nearest == 1 else _FAR
    return 0.0
