"""Index settings: Meilisearch's defaults, what a change may contain, and what it means."""

import copy
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from deploy.local.searchnode.attributes import rule_of
from deploy.local.searchnode.errors import ApiError, unsupported
from deploy.local.searchnode.text.locales import LOCALES
from deploy.local.searchnode.text.tokens import normalise, unlossy

RULES = ("words", "typo", "proximity", "attribute", "sort", "exactness", "attributeRank",
         "wordPosition")  # fmt: skip
DEFAULTS: dict[str, Any] = {
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
}  # fmt: skip
# Known to the real engine, of no use to the product.
LEFT_OUT = ("foreignKeys", "chat", "embedders")
# Changing these changes what is kept per document; the others only how it is read.
_REBUILD = {"searchableAttributes", "filterableAttributes", "sortableAttributes", "stopWords",
            "nonSeparatorTokens", "separatorTokens", "dictionary", "localizedAttributes",
            "distinctAttribute"}  # fmt: skip
_SORTED = {"sortableAttributes", "stopWords", "nonSeparatorTokens", "separatorTokens", "dictionary"}
_RESERVED = ("_geo", "_geoDistance", "_geoPoint", "_geoRadius", "_geoBoundingBox")
_MERGED = ("typoTolerance", "faceting", "pagination")


class _Strict(Struct, forbid_unknown_fields=True):
    """An object with these fields and no others, each of which may be null."""


class _Sizes(_Strict):
    oneTypo: Annotated[int, Meta(ge=0, le=255)] | None = None  # noqa: N815 - the API's names
    twoTypos: Annotated[int, Meta(ge=0, le=255)] | None = None  # noqa: N815


class _TypoTolerance(_Strict):
    enabled: bool | None = None
    minWordSizeForTypos: _Sizes | None = None  # noqa: N815
    disableOnWords: list[str] | None = None  # noqa: N815
    disableOnAttributes: list[str] | None = None  # noqa: N815
    disableOnNumbers: bool | None = None  # noqa: N815


class _Faceting(_Strict):
    maxValuesPerFacet: Annotated[int, Meta(ge=0)] | None = None  # noqa: N815
    sortFacetValuesBy: dict[str, Literal["alpha", "count"]] | None = None  # noqa: N815


class _Pagination(_Strict):
    maxTotalHits: Annotated[int, Meta(ge=0)] | None = None  # noqa: N815


class _Locales(_Strict):
    attributePatterns: list[str]  # noqa: N815
    locales: list[str]


class _Operators(_Strict):
    equality: bool = True
    comparison: bool = False


class _Features(_Strict):
    facetSearch: bool = False  # noqa: N815
    filter: _Operators = msgspec.field(default_factory=_Operators)


class _Filterable(_Strict):
    attributePatterns: list[str]  # noqa: N815
    features: _Features = msgspec.field(default_factory=_Features)


_TYPES: dict[str, Any] = {
    "displayedAttributes": list[str], "searchableAttributes": list[str],
    "filterableAttributes": list[str | _Filterable], "sortableAttributes": list[str],
    "rankingRules": list[str], "stopWords": list[str], "nonSeparatorTokens": list[str],
    "separatorTokens": list[str], "dictionary": list[str], "synonyms": dict[str, list[str]],
    "distinctAttribute": str, "proximityPrecision": Literal["byWord", "byAttribute"],
    "typoTolerance": _TypoTolerance, "faceting": _Faceting, "pagination": _Pagination,
    "searchCutoffMs": Annotated[int, Meta(ge=0, le=2**63 - 1)], "localizedAttributes": list[_Locales],
    "facetSearch": bool, "prefixSearch": Literal["indexingTime", "disabled"],
}  # fmt: skip


def defaults() -> dict[str, Any]:
    """A fresh copy of the default settings."""
    return copy.deepcopy(DEFAULTS)


def snake(name: str) -> str:
    """`rankingRules` -> `ranking_rules`, as error codes have it."""
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name)


def kebab(name: str) -> str:
    """The name of a setting in its own address."""
    return snake(name).replace("_", "-")


BY_PATH = {kebab(name): name for name in DEFAULTS}


def validate(change: Any) -> dict[str, Any]:
    """The change, checked; raises ApiError with the code of the first wrong field."""
    if not isinstance(change, dict):
        raise ApiError("bad_request", "Invalid value type: expected an object.")
    for name, value in change.items():
        if name in LEFT_OUT:
            if value:
                raise unsupported(f"the setting `{name}`")
            continue
        if name not in DEFAULTS:
            expected = ", ".join(f"`{n}`" for n in DEFAULTS)
            raise ApiError("bad_request", f"Unknown field `{name}`: expected one of {expected}")
        if value is not None:
            _check(name, value)
    return change


def reserved(name: str) -> bool:
    """Is this no attribute's name, but a word of the language of filters and sorts?"""
    return name in _RESERVED or name.startswith(tuple(f"{word}(" for word in _RESERVED))


def _check(name: str, value: Any) -> None:
    code = f"invalid_settings_{snake(name)}"
    try:
        msgspec.convert(value, _TYPES[name])
    except msgspec.ValidationError as error:
        raise ApiError(code, f"Invalid value at `.{name}`: {error}.") from error
    if name == "localizedAttributes" and any(
        locale not in LOCALES for rule in value for locale in rule["locales"]
    ):
        raise ApiError(code, f"Invalid value at `.{name}`: unsupported locale.")
    if name in ("filterableAttributes", "sortableAttributes") and "_geo" in value:
        raise unsupported("geographic filters and sorting")
    for n, rule in enumerate(value if name == "rankingRules" else ()):
        attribute, _, direction = rule.rpartition(":")
        if rule not in RULES and not (
            direction in ("asc", "desc") and ":" in rule and not reserved(attribute)
        ):
            raise ApiError(
                code, f"Invalid value at `.{name}[{n}]`: `{rule}` ranking rule is invalid."
            )
    if name == "typoTolerance":
        sizes = value.get("minWordSizeForTypos") or {}
        one, two = sizes.get("oneTypo"), sizes.get("twoTypos")
        if one is not None and two is not None and one > two:
            raise ApiError(code, "`twoTypos` should be greater or equals to `oneTypo`.")


def told(change: dict[str, Any]) -> dict[str, Any]:
    """The change as the task's details repeat it: sets in order, features written out."""
    return {name: _told(name, value) for name, value in change.items()}


def _told(name: str, value: Any) -> Any:
    if value is None:
        return ["*"] if name in ("displayedAttributes", "searchableAttributes") else None
    if name == "filterableAttributes":
        return [entry if isinstance(entry, str) else _written_out(entry) for entry in value]
    return sorted(set(value)) if name in _SORTED else value


def _written_out(entry: dict[str, Any]) -> dict[str, Any]:
    features = rule_of(entry).features
    return {
        "attributePatterns": entry["attributePatterns"],
        "features": {
            "facetSearch": features.facet_search,
            "filter": {"equality": features.equality, "comparison": features.comparison},
        },
    }


def reset_all() -> dict[str, Any]:
    """What the details of a task say that resets every setting."""
    names = dict.fromkeys([*DEFAULTS, *LEFT_OUT])
    return {**names, "displayedAttributes": ["*"], "searchableAttributes": ["*"]}


def apply(current: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """The settings after the change; null resets a field, some objects merge.

    Raises ApiError when the typo sizes contradict each other only then.
    """
    result = copy.deepcopy(current)
    for name, value in change.items():
        if name not in DEFAULTS:
            continue
        if value is None:
            result[name] = copy.deepcopy(DEFAULTS[name])
        elif name in _MERGED:
            _merge(result[name], value, DEFAULTS[name])
        elif name == "filterableAttributes":
            result[name] = _told(name, value)
        elif name == "localizedAttributes":
            result[name] = [
                {**rule, "locales": [LOCALES[locale] for locale in rule["locales"]]}
                for rule in value
            ]
        elif name == "stopWords":
            result[name] = sorted({unlossy(word, "pes") for word in value})
        else:
            result[name] = sorted(set(value)) if name in _SORTED else value
    tolerance = result["typoTolerance"]
    sizes = tolerance["minWordSizeForTypos"]
    if sizes["oneTypo"] > sizes["twoTypos"]:
        raise ApiError(
            "invalid_settings_typo_tolerance",
            "`twoTypos` should be greater or equals to `oneTypo`.",
        )
    tolerance["disableOnWords"] = sorted({normalise(w) for w in tolerance["disableOnWords"]})
    tolerance["disableOnAttributes"] = sorted(set(tolerance["disableOnAttributes"]))
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
    rules = {rule for rule in new["rankingRules"] if ":" in rule} - set(old["rankingRules"])
    return bool(rules) or any(old[name] != new[name] for name in _REBUILD)


def sorted_names(settings: dict[str, Any]) -> list[str]:
    """The names of attributes whose value is asked of single documents."""
    found = [*settings["sortableAttributes"]]
    found += [rule.rpartition(":")[0] for rule in settings["rankingRules"] if ":" in rule]
    if settings["distinctAttribute"]:
        found.append(settings["distinctAttribute"])
    return found
