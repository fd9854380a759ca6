"""Which answers: a query as it was typed, or one of the other readings of it. Pure functions over what each found."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from api.http.readings.fit import NOTHING, Fit, Titled, fit
from catalog.words.readings import Reading
from catalog.words.spelling import split, written

# How much worse a hit may fit for each unit of a reading's cost.
_PER_COST = 0.02
# How much better a reading must fit than a query whose words are all there, and how much better a correction than one
# whose words are hardly there by chance.
_COMPLETE, _CERTAIN = 0.1, 0.3
# A reading that fits nearly as well as the query itself is offered beside its hits.
_OFFERED = 0.05
# These say what the query meant; the others look for less than it asked for.
SPELLINGS = ("correction", "split", "merged", "layout", "script", "joined")


class Shown(NamedTuple):
    """A reading as people see it: its rung, and its words as the best hit spells them."""

    rung: str
    text: str


@dataclass(frozen=True, slots=True)
class Tried:
    """What a query found, as it was typed (`reading` is None) or in another reading.

    Attributes:
        reading: The reading.
        best: The program that it puts first.
        total: How many programs it finds.
        fit: How well `best` fits the words.
        value: The fit, less what the reading costs.
    """

    reading: Reading | None
    best: Titled | None
    total: int
    fit: Fit
    value: float


class Choice(NamedTuple):
    """What was chosen.

    Attributes:
        place: Which of the other readings answers, by its place among them; None: the query itself does.
        rewrite: The reading that answers.
        offer: A reading that may have been meant, though the query itself answers.
    """

    place: int | None = None
    rewrite: Shown | None = None
    offer: Shown | None = None


def tried(reading: Reading | None, best: Titled | None, total: int, typed: str) -> Tried:
    """Return what a query found, and how well that fits.

    Args:
        reading: The reading; None for the query itself.
        best: The program that it puts first; None without hits.
        total: How many programs it finds.
        typed: The words as they were typed.
    """
    words = split(typed if reading is None else reading.text)
    found = NOTHING if best is None else fit(words, best, unfinished=not typed[-1:].isspace())
    if reading is None:
        return Tried(reading, best, total, found, found.value)
    kept = len(words) / (len(words) + reading.dropped)
    return Tried(reading, best, total, found, found.value * kept - _PER_COST * reading.cost)


def is_certain(found: Tried, typed: str) -> bool:
    """Return whether nothing else was meant. Words that are scattered over a description may be there by chance.

    Args:
        found: What a query or a reading found.
        typed: The words as they were typed.
    """
    return found.fit.complete and (found.fit.named or len(split(typed)) == 1)


def choose(plain: Tried, others: Sequence[Tried], typed: str) -> Choice:
    """Return what answers: of the readings with hits the one whose best hit fits best, if it fits better than the query.

    Args:
        plain: What the query itself found.
        others: What its readings found; of two that fit alike, the first is chosen.
        typed: The words as they were typed.
    """
    with_hits = [n for n, other in enumerate(others) if other.best is not None]
    place = max(with_hits, key=lambda n: others[n].value, default=None)
    found = others[place] if place is not None else plain
    if found.reading is None or found.best is None:
        return Choice()
    shown = Shown(found.reading.rung, _spelled_as_in(found.best, found.reading.text))
    # Where every word was found as it was typed, it was hardly meant otherwise.
    beaten = plain.value + (_COMPLETE if plain.fit.complete else 0.0)
    if found.reading.rung == "correction" and is_certain(plain, typed):
        beaten = plain.value + _CERTAIN
    if plain.best is None or (found.value > beaten and not _same_answer(plain, found)):
        return Choice(place, rewrite=shown)
    offered = found.reading.rung in SPELLINGS and found.value > plain.value - _OFFERED
    return Choice(offer=shown if offered else None)


def _same_answer(plain: Tried, found: Tried) -> bool:
    """Whether the query itself leads to the same program, and leaves out no word to get there."""
    if plain.best is None or found.best is None:
        return False
    return plain.best.id == found.best.id and plain.total <= found.total


def _spelled_as_in(hit: Titled, text: str) -> str:
    """The words of a reading as the program writes them."""
    words = written((hit.title, hit.series_title or "", *hit.people, *hit.tags, hit.description))
    return " ".join(words.get(word, word) for word in text.split())
