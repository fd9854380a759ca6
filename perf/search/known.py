"""Queries of every kind that people type, each with the programs it means; the same seed makes the same queries."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from perf.search import changes, scripts
from perf.search.items import Catalogue, Item

# What stands before a title in speech, by the kind of the program.
_GENERAL = {
    "film": ("فيلم", "فلم", "movie", "film"),
    "documentary": ("وثائقي", "فيلم", "documentary"),
    "episode": ("حلقة", "بودكاست", "episode", "podcast"),
}
_LONGEST_TITLE = 120
# A chat message of more words is no search.
_LONGEST_ARABIZI = 4
# Drawing the same catalogue so many times must be enough for a kind.
_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Known:
    """A query and the ids of the programs that it means; programs of the same title count too."""

    kind: str
    query: str
    ids: frozenset[int]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of queries. `goal` is (MRR@10 or hit@3, value); clean queries are written as the catalogue writes."""

    name: str
    script: str
    make: Callable[[random.Random, Catalogue, Item], tuple[str, frozenset[int]] | None]
    goal: tuple[str, float]
    clean: bool = False


def _alone(
    change: Callable[[random.Random, Item], str | None],
) -> Callable[[random.Random, Catalogue, Item], tuple[str, frozenset[int]] | None]:
    """Return a maker of changed titles that mean their program. It makes no title that another program has."""

    def make(chance: random.Random, catalogue: Catalogue, item: Item) -> tuple[str, frozenset[int]] | None:
        query = change(chance, item)
        return None if query is None or catalogue.has_title(query) else (query, frozenset((item.id,)))

    return make


def _same(
    change: Callable[[random.Random, Item], str | None],
) -> Callable[[random.Random, Catalogue, Item], tuple[str, frozenset[int]] | None]:
    """Return a maker of other spellings of a title."""

    def make(chance: random.Random, catalogue: Catalogue, item: Item) -> tuple[str, frozenset[int]] | None:
        query = change(chance, item)
        return None if query is None else (query, frozenset((item.id,)))

    return make


def _mistaken(count: int) -> Callable[[random.Random, Catalogue, Item], tuple[str, frozenset[int]] | None]:
    """Return a maker of titles with mistakes in `count` words. It makes no words that another title has."""

    def make(chance: random.Random, catalogue: Catalogue, item: Item) -> tuple[str, frozenset[int]] | None:
        query = changes.typos(chance, item.words, count)
        if query is None or catalogue.with_words(query.split()):
            return None
        return query, frozenset((item.id,))

    return make


def _word(chance: random.Random, catalogue: Catalogue, item: Item) -> tuple[str, frozenset[int]] | None:
    long = [word for word in item.words if len(word) > 3]
    if not long:
        return None
    word = chance.choice(long)
    return word, catalogue.with_words([word])


def _beginning(chance: random.Random, catalogue: Catalogue, item: Item) -> tuple[str, frozenset[int]] | None:
    query = changes.two_thirds(item.title)
    if query is None or not catalogue.one_title(catalogue.beginning(query)):
        return None
    return query, frozenset((item.id,))


def _two_words(chance: random.Random, catalogue: Catalogue, item: Item) -> tuple[str, frozenset[int]] | None:
    long = [word for word in dict.fromkeys(item.words) if len(word) > 2]
    if len(long) < 3:
        return None
    pair = chance.sample(long, 2)
    return (" ".join(pair), frozenset((item.id,))) if _means_one(catalogue, pair) else None


def _means_one(catalogue: Catalogue, words: Sequence[str]) -> bool:
    return catalogue.one_title(catalogue.with_words(words))


def _word_and_person(
    chance: random.Random, catalogue: Catalogue, item: Item
) -> tuple[str, frozenset[int]] | None:
    if not item.people or len(item.words[0]) < 3:
        return None
    person = item.people[0]
    ids = catalogue.with_words(item.words[:1]) & catalogue.with_person(person)
    return (f"{item.words[0]} {person}", ids) if catalogue.one_title(ids) else None


def _general_word(
    chance: random.Random, catalogue: Catalogue, item: Item
) -> tuple[str, frozenset[int]] | None:
    fitting = [word for word in _GENERAL.get(item.kind, ()) if word.isascii() == (item.script == "en")]
    if not fitting or any(word.lower() in fitting for word in item.words):
        return None
    word = chance.choice(fitting)
    if word in ("بودكاست", "podcast") and item.series is not None:
        return f"{word} {item.series}", catalogue.of_series(item.series)
    return f"{word} {item.title}", frozenset((item.id,))


def _other_script(
    chance: random.Random, catalogue: Catalogue, item: Item
) -> tuple[str, frozenset[int]] | None:
    for person in item.people:
        query = scripts.in_other_script(chance, person)
        if query is not None:
            return query, catalogue.with_person(person)
    return None


KINDS = (
    Kind("exact title, ar", "ar", _same(lambda chance, item: item.title), ("mrr", 1.0), clean=True),
    Kind("exact title, en", "en", _same(lambda chance, item: item.title), ("mrr", 1.0), clean=True),
    Kind("a word of a title, ar", "ar", _word, ("mrr", 0.95), clean=True),
    Kind("a word of a title, en", "en", _word, ("mrr", 0.95), clean=True),
    Kind("one typo, ar", "ar", _mistaken(1), ("mrr", 0.95)),
    Kind("one typo, en", "en", _mistaken(1), ("mrr", 0.98)),
    Kind("two typos, ar", "ar", _mistaken(2), ("mrr", 0.88)),
    Kind("two typos, en", "en", _mistaken(2), ("mrr", 0.95)),
    Kind("first two thirds, ar", "ar", _beginning, ("mrr", 0.95)),
    Kind("first two thirds, en", "en", _beginning, ("mrr", 0.95)),
    Kind("spelling variants", "ar", _same(lambda c, i: changes.variants(c, i.title)), ("mrr", 1.0)),
    Kind("vowel marks", "ar", _same(lambda c, i: changes.vowel_marks(c, i.title)), ("mrr", 1.0)),
    Kind("و ف ب ل ك on a word", "ar", _alone(lambda c, i: changes.joined_letter(c, i.words)), ("mrr", 0.95)),
    Kind("ال left off", "ar", _alone(lambda c, i: changes.without_article(c, i.words)), ("mrr", 1.0)),
    Kind("two words run together", "", _same(lambda c, i: changes.run_together(c, i.words)), ("mrr", 0.92)),
    Kind("two words, any order", "", _two_words, ("hit3", 0.90)),
    Kind(
        "ar on an English layout",
        "ar",
        _same(lambda c, i: scripts.arabic_on_us_layout(c, i.title)),
        ("mrr", 0.90),
    ),
    Kind(
        "en on an Arabic layout",
        "en",
        _same(lambda c, i: scripts.latin_on_arabic_layout(i.title)),
        ("mrr", 0.90),
    ),
    Kind(
        "Arabizi",
        "ar",
        _same(lambda c, i: scripts.arabizi(c, i.words) if len(i.words) <= _LONGEST_ARABIZI else None),
        ("hit3", 0.75),
    ),
    Kind("digits of another script", "", _same(lambda c, i: changes.other_digits(c, i.title)), ("mrr", 1.0)),
    Kind("first word and a person", "", _word_and_person, ("hit3", 0.90)),
    Kind("a general word in front", "", _general_word, ("hit3", 0.90)),
    Kind("a name in the other script", "", _other_script, ("hit3", 0.90)),
)


def queries(catalogue: Catalogue, seed: int, each: int) -> dict[Kind, list[Known]]:
    """Return up to `each` queries of every kind; a kind that the catalogue has no titles for is left out.

    Args:
        catalogue: The items to look for.
        seed: Makes the same queries of the same catalogue.
        each: How many of a kind; every query once.
    """
    found: dict[Kind, list[Known]] = {}
    for kind in KINDS:
        # A source of its own for each kind: another kind more does not change the queries of this one.
        chance = random.Random(f"{seed} {kind.name}")
        able = [
            item
            for item in catalogue.items
            if item.words and len(item.title) <= _LONGEST_TITLE and kind.script in ("", item.script)
        ]
        made: dict[str, Known] = {}
        for _ in range(_ROUNDS):
            for item in chance.sample(able, len(able)):
                if len(made) == each:
                    break
                query = kind.make(chance, catalogue, item)
                if query is not None:
                    made.setdefault(query[0], Known(kind.name, *query))
        if made:
            found[kind] = list(made.values())
    return found
