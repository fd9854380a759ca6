"""Index settings: Meilisearch's defaults, what a change may contain, and what it means."""

import copy
from typing import Any

from deploy.local.searchnode.errors import ApiError

RULES = (
    "words",
    "typo",
    "proximity",
    "attribute",
    "sort",
    "exactness",
    "attributeRank",
    "wordPosition",
)
DEFAULTS: dict[str, Any] = {
    "displayedAttributes": ["*"],
    "searchableAttributes": ["*"],
    "filterableAttributes": [],
    "sortableAttributes": [],
    "rankingRules": ["words", "typo", "proximity", "attribute", "sort", "exactness"],
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
# Changing these changes what is kept per document; the others only how it is read.
_REBUILD = {"searchableAttributes", "filterableAttributes", "sortableAttributes", "stopWords"}
_LISTS = {"displayedAttributes", "searchableAttributes", "filterableAttributes", "sortableAttributes",
          "rankingRules", "stopWords", "nonSeparatorTokens", "separatorTokens", "dictionary"}  # fmt: skip
_OBJECTS = {"synonyms", "typoTolerance", "faceting", "pagination", "embedders"}
_SORTED = {"sortableAttributes", "stopWords"}


def defaults() -> dict[str, Any]:
    """A fresh copy of the default settings."""
    return copy.deepcopy(DEFAULTS)


def code_of(name: str) -> str:
    """`rankingRules` -> `invalid_settings_ranking_rules`."""
    snake = "".join(f"_{c.lower()}" if c.isupper() else c for c in name)
    return f"invalid_settings_{snake}"


def kebab(name: str) -> str:
    """The name of a setting in its own address."""
    return "".join(f"-{c.lower()}" if c.isupper() else c for c in name)


BY_PATH = {kebab(name): name for name in DEFAULTS}


def validate(change: Any) -> dict[str, Any]:
    """The change, checked; raises ApiError with the code of the first wrong field."""
    if not isinstance(change, dict):
        raise ApiError("bad_request", "Settings must be an object.")
    for name, value in change.items():
        if name not in DEFAULTS:
            raise ApiError("bad_request", f"Unknown field `{name}`.")
        if value is None:
            continue
        if name in _LISTS and not (
            isinstance(value, list)
            and all(
                isinstance(v, str) or (name == "filterableAttributes" and isinstance(v, dict))
                for v in value
            )
        ):
            raise ApiError(
                code_of(name), f"Invalid value type at `.{name}`: expected an array of strings."
            )
        if name in _OBJECTS and not isinstance(value, dict):
            raise ApiError(code_of(name), f"Invalid value type at `.{name}`: expected an object.")
    for rule in change.get("rankingRules") or ():
        attribute, _, direction = rule.partition(":")
        if rule not in RULES and not (attribute and direction in ("asc", "desc")):
            raise ApiError("invalid_settings_ranking_rules", f"`{rule}` ranking rule is invalid.")
    sizes = (change.get("typoTolerance") or {}).get("minWordSizeForTypos") or {}
    one, two = sizes.get("oneTypo", 5), sizes.get("twoTypos", 9)
    if (one is not None and two is not None) and one > two:
        raise ApiError("invalid_settings_typo_tolerance", "`oneTypo` must be at most `twoTypos`.")
    return change


def apply(current: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """The settings after the change; null resets a field, objects merge."""
    result = copy.deepcopy(current)
    for name, value in change.items():
        if value is None:
            result[name] = copy.deepcopy(DEFAULTS[name])
        elif name in ("typoTolerance", "faceting", "pagination"):
            _merge(result[name], value, DEFAULTS[name])
        elif name in _SORTED and all(isinstance(v, str) for v in value):
            result[name] = sorted(set(value))
        else:
            result[name] = value
    return result


def _merge(target: dict[str, Any], change: dict[str, Any], default: dict[str, Any]) -> None:
    for key, value in change.items():
        if value is None:
            target[key] = copy.deepcopy(default.get(key))
        elif isinstance(value, dict) and isinstance(target.get(key), dict):
            _merge(target[key], value, default.get(key) or {})
        else:
            target[key] = value


def needs_rebuild(old: dict[str, Any], new: dict[str, Any]) -> bool:
    """Must the documents be read again?"""
    return any(old[name] != new[name] for name in _REBUILD)
