"""The settings of an index: their types and defaults, and what follows from a change.

`settings_change.py` checks and applies changes. The names are those of Meilisearch's API.
"""

import copy
from collections.abc import Mapping
from typing import TypedDict

from deploy.searchnode.attributes import FilterableEntry
from deploy.searchnode.errors import snake_case
from deploy.searchnode.text.tokens import TokenizerSettings


class TypoSizes(TypedDict):
    """The least number of characters of a word that may have one typo, and of one that may have two."""

    oneTypo: int
    twoTypos: int


class TypoTolerance(TypedDict):
    """Which words may be misspelt."""

    enabled: bool
    minWordSizeForTypos: TypoSizes
    disableOnWords: list[str]
    disableOnAttributes: list[str]
    disableOnNumbers: bool


class Faceting(TypedDict):
    """How many values of a facet are counted, and in what order: `alpha` or `count` by attribute."""

    maxValuesPerFacet: int
    sortFacetValuesBy: dict[str, str]


class Pagination(TypedDict):
    """How many hits a search may page through."""

    maxTotalHits: int


class Settings(TokenizerSettings):
    """All settings of an index."""

    displayedAttributes: list[str]
    searchableAttributes: list[str]
    filterableAttributes: list[str | FilterableEntry]
    sortableAttributes: list[str]
    rankingRules: list[str]
    synonyms: dict[str, list[str]]
    distinctAttribute: str | None
    proximityPrecision: str
    typoTolerance: TypoTolerance
    faceting: Faceting
    pagination: Pagination
    embedders: object
    searchCutoffMs: int | None
    facetSearch: bool
    prefixSearch: str


DEFAULTS: Settings = {
    "displayedAttributes": ["*"],
    "searchableAttributes": ["*"],
    "filterableAttributes": [],
    "sortableAttributes": [],
    "rankingRules": ["words", "typo", "proximity", "attributeRank", "sort", "wordPosition", "exactness"],
    "stopWords": [],
    "nonSeparatorTokens": [],
    "separatorTokens": [],
    "dictionary": [],
    "synonyms": {},
    "distinctAttribute": None,
    "proximityPrecision": "byWord",
    "typoTolerance": {
        "enabled": True,
        "minWordSizeForTypos": {"oneTypo": 5, "twoTypos": 9},
        "disableOnWords": [],
        "disableOnAttributes": [],
        "disableOnNumbers": False,
    },
    "faceting": {"maxValuesPerFacet": 100, "sortFacetValuesBy": {"*": "alpha"}},
    "pagination": {"maxTotalHits": 1000},
    "embedders": {},
    "searchCutoffMs": None,
    "localizedAttributes": None,
    "facetSearch": True,
    "prefixSearch": "indexingTime",
}
# Settings that Meilisearch has and the node does not (`unsupported.py`).
UNSUPPORTED = ("foreignKeys", "chat", "embedders")
# A change of these settings changes what is kept of documents; the others only how it is read.
_INDEXING = (
    "searchableAttributes",
    "filterableAttributes",
    "sortableAttributes",
    "stopWords",
    "nonSeparatorTokens",
    "separatorTokens",
    "dictionary",
    "localizedAttributes",
    "distinctAttribute",
)


def defaults() -> Settings:
    """Return a fresh copy of the default settings."""
    return copy.deepcopy(DEFAULTS)


def kebab_case(name: str) -> str:
    """Return the name of a setting as its own address has it: `rankingRules` -> `ranking-rules`."""
    return snake_case(name).replace("_", "-")


# The name of a setting by the last part of its own address.
NAME_BY_PATH = {kebab_case(name): name for name in DEFAULTS}


def needs_rebuild(old: Settings, new: Settings) -> bool:
    """Return whether the documents must be indexed again when the settings change from old to new."""
    before: Mapping[str, object] = old
    after: Mapping[str, object] = new
    new_sorts = {rule for rule in new["rankingRules"] if ":" in rule} - set(old["rankingRules"])
    return bool(new_sorts) or any(before[name] != after[name] for name in _INDEXING)


def attributes_read_by_document(settings: Settings) -> list[str]:
    """Return the attributes whose values are read document by document: to sort and to be distinct."""
    found = [*settings["sortableAttributes"]]
    found += [rule.rpartition(":")[0] for rule in settings["rankingRules"] if ":" in rule]
    if settings["distinctAttribute"]:
        found.append(settings["distinctAttribute"])
    return found
