"""What synonyms mean: the setting of an index, and the other words that a query stands for."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from catalog.words.joined import ARTICLE, bare, is_arabic
from catalog.words.spelling import respelled, split

# Other wordings of a query that are looked at.
MAX_VARIANTS = 8
Words = tuple[str, ...]


class Rule(NamedTuple):
    """A synonym as the table has it."""

    kind: str
    terms: Sequence[str]
    finds: Sequence[str]


class Replaced(NamedTuple):
    """What is left out when a change of it is tried.

    Attributes:
        pin_id: The pin.
        rule: The synonym.
    """

    pin_id: int | None = None
    rule: Rule | None = None


def words_of(text: str) -> Words:
    """Return the words of a term in the spelling of comparison, without articles: engines split them off, too."""
    return tuple(bare(word) for word in split(text))


def _forms(term: str) -> list[str]:
    """Return how a text may have a term: an engine compares a phrase word by word, and an article is a word for it."""
    plain, forms = words_of(term), [" ".join(words_of(term))]
    if len(plain) > 1:
        forms.append(" ".join(split(term)))
        if all(map(is_arabic, plain)):
            forms.append(" ".join(ARTICLE + word for word in plain))
    if respelled(term):
        # Descriptions are searched as they are written.
        forms.append(" ".join(term.split()))
    return list(dict.fromkeys(forms))


def _pairs(rules: Iterable[Rule]) -> dict[Words, dict[Words, str]]:
    """Return term -> what it finds, too, as words and as somebody wrote it."""
    found: dict[Words, dict[Words, str]] = {}
    for rule in rules:
        others = {words_of(other): other for other in (rule.terms if rule.kind == "two_way" else rule.finds)}
        for term in map(words_of, rule.terms):
            found.setdefault(term, {}).update(
                {words: other for words, other in others.items() if words != term}
            )
    return {term: others for term, others in sorted(found.items()) if others}


def compiled(rules: Iterable[Rule]) -> dict[str, list[str]]:
    """Return the setting of an index for synonyms: a word or phrase -> the forms of those that it finds, too."""
    return {
        " ".join(term): sorted({form for other in others.values() for form in _forms(other)})
        for term, others in _pairs(rules).items()
    }


class Expansions:
    """The other words that queries stand for, for what reads queries outside of an engine."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        """Take all synonyms."""
        self._others = {term: list(others) for term, others in _pairs(rules).items()}
        self._longest = max(map(len, self._others), default=0)

    def terms(self, words: Sequence[str]) -> list[Words]:
        """Return the terms of a query that have a synonym.

        Args:
            words: The query's, in the spelling of comparison.
        """
        return [term for _, _, term in self._found(words)]

    def of(self, words: Sequence[str]) -> list[list[str]]:
        """Return other wordings of a query, in each of which one term has become a synonym; `MAX_VARIANTS` at most.

        Args:
            words: The query's, in the spelling of comparison.
        """
        found = [
            [*words[:first], *other, *words[last:]]
            for first, last, term in self._found(words)
            for other in self._others[term]
        ]
        return found[:MAX_VARIANTS]

    def _found(self, words: Sequence[str]) -> list[tuple[int, int, Words]]:
        """Return where the terms of a query begin and end, and which they are."""
        if not self._others:
            return []
        plain = [bare(word) for word in words]
        spans = (
            (first, last, tuple(plain[first:last]))
            for first in range(len(plain))
            for last in range(first + 1, min(first + self._longest, len(plain)) + 1)
        )
        return [span for span in spans if span[2] in self._others]


NONE = Expansions(())
