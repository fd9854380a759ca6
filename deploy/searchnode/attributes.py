"""Matches names of attributes against the names and patterns of settings and requests.

The rules are Meilisearch's. A plain name in the settings stands for the attribute and for every
attribute nested in it (`host` also for `host.name`). A pattern, where patterns are allowed, may begin
or end with `*`; without a star it stands for that one name only.
"""

from collections.abc import Iterable
from typing import NamedTuple, NotRequired, TypedDict


def is_within(name: str, outer: str) -> bool:
    """Return whether `name` is the attribute `outer` or nested in it."""
    return name == outer or name.startswith(f"{outer}.")


def is_within_any(name: str, outers: Iterable[str]) -> bool:
    """Return whether `name` is one of the attributes `outers` or nested in one of them."""
    return any(is_within(name, outer) for outer in outers)


def matches(pattern: str, name: str) -> bool:
    """Return whether the pattern stands for exactly this name."""
    if pattern == "*":
        return True
    if pattern.startswith("*") and pattern.endswith("*"):
        return pattern[1:-1] in name
    if pattern.startswith("*"):
        return name.endswith(pattern[1:])
    if pattern.endswith("*"):
        return name.startswith(pattern[:-1])
    return name == pattern


def matches_or_is_within(pattern: str, name: str) -> bool:
    """Return whether the pattern stands for `name`, or names an attribute nested in `name`."""
    return matches(pattern, name) or is_within(pattern, name)


class Operators(TypedDict, total=False):
    """The filter operators that an entry of `filterableAttributes` allows."""

    equality: bool
    comparison: bool


class FeatureSettings(TypedDict, total=False):
    """The features of an entry of `filterableAttributes`, as the settings write them."""

    facetSearch: bool
    filter: Operators


class FilterableEntry(TypedDict):
    """An entry of `filterableAttributes` that is an object."""

    attributePatterns: list[str]
    features: NotRequired[FeatureSettings]


class Features(NamedTuple):
    """What requests may ask about the values of an attribute."""

    facet_search: bool = True
    equality: bool = True
    comparison: bool = True

    @property
    def filterable(self) -> bool:
        """Whether any filter operator is allowed."""
        return self.equality or self.comparison


class FilterableRule(NamedTuple):
    """One entry of `filterableAttributes`: a plain name, or patterns with their features."""

    patterns: tuple[str, ...]
    plain: bool
    features: Features

    def covers(self, name: str) -> bool:
        """Return whether the rule applies to the attribute `name`."""
        if self.plain:
            return is_within(name, self.patterns[0])
        return any(matches(pattern, name) for pattern in self.patterns)

    def overlaps(self, requested: str) -> bool:
        """Return whether `requested`, a pattern of a search's `facets`, may name a covered attribute."""
        if self.plain:
            return is_within(self.patterns[0], requested) or matches_or_is_within(requested, self.patterns[0])
        return any(
            matches_or_is_within(requested, own) or matches_or_is_within(own, requested)
            for own in self.patterns
        )


def filterable_rule(entry: str | FilterableEntry) -> FilterableRule:
    """Return an entry of `filterableAttributes` as a rule, with Meilisearch's default features."""
    if isinstance(entry, str):
        return FilterableRule((entry,), True, Features())
    features = entry.get("features") or {}
    operators = features.get("filter") or {}
    return FilterableRule(
        tuple(entry["attributePatterns"]),
        False,
        Features(
            bool(features.get("facetSearch", False)),
            bool(operators.get("equality", True)),
            bool(operators.get("comparison", False)),
        ),
    )
