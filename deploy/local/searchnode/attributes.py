"""Names of attributes against the names and patterns of settings and requests, as Meilisearch reads them.

A plain name in the settings stands for the attribute and all that is inside it. A pattern, where
patterns are allowed, may begin or end with `*` and otherwise stands for one name only.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple


def inside(name: str, outer: str) -> bool:
    """Is `name` the attribute `outer` or something within it?"""
    return name == outer or name.startswith(f"{outer}.")


def inside_any(name: str, outers: Iterable[str]) -> bool:
    """Is `name` one of these attributes or within one?"""
    return any(inside(name, outer) for outer in outers)


def fits(pattern: str, name: str) -> bool:
    """Does exactly this name fit a pattern?"""
    if pattern == "*":
        return True
    if pattern.startswith("*") and pattern.endswith("*"):
        return pattern[1:-1] in name
    if pattern.startswith("*"):
        return name.endswith(pattern[1:])
    if pattern.endswith("*"):
        return name.startswith(pattern[:-1])
    return name == pattern


def touches(pattern: str, name: str) -> bool:
    """Does the name fit the pattern, or hold something that is named by it?"""
    return fits(pattern, name) or inside(pattern, name)


class Features(NamedTuple):
    """What the settings allow to be asked of an attribute's values."""

    facet_search: bool = True
    equality: bool = True
    comparison: bool = True

    @property
    def filterable(self) -> bool:
        """Is any filter allowed?"""
        return self.equality or self.comparison


class Rule(NamedTuple):
    """One entry of `filterableAttributes`: a plain name, or patterns with their features."""

    patterns: tuple[str, ...]
    plain: bool
    features: Features

    def covers(self, name: str) -> bool:
        """Is this attribute meant?"""
        if self.plain:
            return inside(name, self.patterns[0])
        return any(fits(pattern, name) for pattern in self.patterns)

    def meets(self, asked: str) -> bool:
        """May a pattern of `facets` name something that is meant here?"""
        if self.plain:
            return inside(self.patterns[0], asked) or touches(asked, self.patterns[0])
        return any(touches(asked, own) or touches(own, asked) for own in self.patterns)


def rule_of(entry: str | dict[str, Any]) -> Rule:
    """An entry of `filterableAttributes` as a rule."""
    if isinstance(entry, str):
        return Rule((entry,), True, Features())
    given = entry.get("features") or {}
    operators = given.get("filter") or {}
    return Rule(
        tuple(entry["attributePatterns"]), False,
        Features(
            bool(given.get("facetSearch", False)), bool(operators.get("equality", True)),
            bool(operators.get("comparison", False)),
        ),
    )  # fmt: skip
