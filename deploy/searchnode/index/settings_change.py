"""Changes of settings: checks them as requests send them, and applies them.

`http/routes/settings.py` checks a change before it becomes a task; `tasks/executor.py` applies it.
"""

import copy
from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from deploy.searchnode.attributes import FilterableEntry, filterable_rule
from deploy.searchnode.errors import ApiError, NotSupported, snake_case
from deploy.searchnode.index.settings import DEFAULTS, UNSUPPORTED, Settings
from deploy.searchnode.text.folding import decompose, fold
from deploy.searchnode.text.locales import LOCALES
from deploy.searchnode.values import Json, JsonObject

_RANKING_RULES = (
    "words",
    "typo",
    "proximity",
    "attribute",
    "sort",
    "exactness",
    "attributeRank",
    "wordPosition",
)
# Settings whose order and repetitions mean nothing: they are kept sorted.
_SETS = {"sortableAttributes", "stopWords", "nonSeparatorTokens", "separatorTokens", "dictionary"}
# Settings that are objects: a change names only the fields that change.
_MERGED = ("typoTolerance", "faceting", "pagination")
_RESERVED = ("_geo", "_geoDistance", "_geoPoint", "_geoRadius", "_geoBoundingBox")
_TYPO_SIZES_CONTRADICT = "`twoTypos` should be greater or equals to `oneTypo`."


class _Strict(Struct, forbid_unknown_fields=True, rename="camel"):
    """An object that may have these fields and no others."""


class _TypoSizes(_Strict):
    one_typo: Annotated[int, Meta(ge=0, le=255)] | None = None
    two_typos: Annotated[int, Meta(ge=0, le=255)] | None = None


class _TypoTolerance(_Strict):
    enabled: bool | None = None
    min_word_size_for_typos: _TypoSizes | None = None
    disable_on_words: list[str] | None = None
    disable_on_attributes: list[str] | None = None
    disable_on_numbers: bool | None = None


class _Faceting(_Strict):
    max_values_per_facet: Annotated[int, Meta(ge=0)] | None = None
    sort_facet_values_by: dict[str, Literal["alpha", "count"]] | None = None


class _Pagination(_Strict):
    max_total_hits: Annotated[int, Meta(ge=0)] | None = None


class _LocalizedRule(_Strict):
    attribute_patterns: list[str]
    locales: list[str]


class _Operators(_Strict):
    equality: bool = True
    comparison: bool = False


class _Features(_Strict):
    facet_search: bool = False
    filter: _Operators = msgspec.field(default_factory=_Operators)


class _Filterable(_Strict):
    attribute_patterns: list[str]
    features: _Features = msgspec.field(default_factory=_Features)


# The type of each setting's value in a change.
_TYPES: dict[str, object] = {
    "displayedAttributes": list[str],
    "searchableAttributes": list[str],
    "filterableAttributes": list[str | _Filterable],
    "sortableAttributes": list[str],
    "rankingRules": list[str],
    "stopWords": list[str],
    "nonSeparatorTokens": list[str],
    "separatorTokens": list[str],
    "dictionary": list[str],
    "synonyms": dict[str, list[str]],
    "distinctAttribute": str,
    "proximityPrecision": Literal["byWord", "byAttribute"],
    "typoTolerance": _TypoTolerance,
    "faceting": _Faceting,
    "pagination": _Pagination,
    "searchCutoffMs": Annotated[int, Meta(ge=0, le=2**63 - 1)],
    "localizedAttributes": list[_LocalizedRule],
    "facetSearch": bool,
    "prefixSearch": Literal["indexingTime", "disabled"],
}


def validate(change: Json) -> JsonObject:
    """Check a change of settings and return it.

    Raises:
        ApiError: With the code of the first wrong setting.
        NotSupported: It sets a setting that the node does not have.
    """
    if not isinstance(change, dict):
        raise ApiError("bad_request", "Invalid value type: expected an object.")
    for name, value in change.items():
        if name in UNSUPPORTED:
            if value:
                raise NotSupported(f"the setting `{name}`")
            continue
        if name not in DEFAULTS:
            expected = ", ".join(f"`{n}`" for n in DEFAULTS)
            raise ApiError("bad_request", f"Unknown field `{name}`: expected one of {expected}")
        if value is not None:
            _check(name, value)
    return change


def _check(name: str, value: Json) -> None:
    code = f"invalid_settings_{snake_case(name)}"
    try:
        checked = msgspec.convert(value, _TYPES[name])
    except msgspec.ValidationError as error:
        raise ApiError(code, f"Invalid value at `.{name}`: {error}.") from error
    if name == "localizedAttributes" and any(
        locale not in LOCALES for rule in checked for locale in rule.locales
    ):
        raise ApiError(code, f"Invalid value at `.{name}`: unsupported locale.")
    if name in ("filterableAttributes", "sortableAttributes") and "_geo" in checked:
        raise NotSupported("geographic filters and sorting")
    ranking: list[str] = checked if name == "rankingRules" else []
    for n, rule in enumerate(ranking):
        attribute, _, direction = rule.rpartition(":")
        if rule not in _RANKING_RULES and not (
            direction in ("asc", "desc") and ":" in rule and not _is_reserved(attribute)
        ):
            raise ApiError(code, f"Invalid value at `.{name}[{n}]`: `{rule}` ranking rule is invalid.")
    if isinstance(checked, _TypoTolerance) and checked.min_word_size_for_typos:
        one, two = checked.min_word_size_for_typos.one_typo, checked.min_word_size_for_typos.two_typos
        if one is not None and two is not None and one > two:
            raise ApiError(code, _TYPO_SIZES_CONTRADICT)


def _is_reserved(name: str) -> bool:
    """Return whether a name belongs to the language of filters and sorts and names no attribute."""
    return name in _RESERVED or name.startswith(tuple(f"{word}(" for word in _RESERVED))


def task_details(change: JsonObject) -> JsonObject:
    """Return a checked change as the details of its task repeat it: sets sorted, features written out."""
    return {name: _normalised(name, value) for name, value in change.items()}


def reset_details() -> JsonObject:
    """Return the details of a task that resets every setting."""
    details: JsonObject = dict.fromkeys([*DEFAULTS, *UNSUPPORTED])
    return {**details, "displayedAttributes": ["*"], "searchableAttributes": ["*"]}


def _normalised(name: str, value: Json) -> Json:
    if value is None:
        return ["*"] if name in ("displayedAttributes", "searchableAttributes") else None
    if isinstance(value, list):
        if name == "filterableAttributes":
            return [_written_out(entry) for entry in value]
        if name in _SETS:
            return [*sorted({text for text in value if isinstance(text, str)})]
    return value


def _written_out(entry: Json) -> Json:
    """Return an entry of `filterableAttributes` with all its features."""
    if not isinstance(entry, dict):
        return entry
    features = filterable_rule(msgspec.convert(entry, FilterableEntry)).features
    return {
        "attributePatterns": entry["attributePatterns"],
        "features": {
            "facetSearch": features.facet_search,
            "filter": {"equality": features.equality, "comparison": features.comparison},
        },
    }


def apply(current: Settings, change: JsonObject) -> Settings:
    """Return the settings after a checked change: null resets a setting, objects are merged.

    Raises:
        ApiError: The sizes of words that may have typos contradict each other after the change.
    """
    by_default: Mapping[str, object] = DEFAULTS
    changed: dict[str, object] = {**copy.deepcopy(current)}
    for name, value in change.items():
        if name not in DEFAULTS:
            continue
        if value is None:
            changed[name] = copy.deepcopy(by_default[name])
        elif name in _MERGED:
            changed[name] = _merged(changed[name], value, by_default[name])
        elif name == "localizedAttributes":
            changed[name] = [
                {
                    "attributePatterns": rule.attribute_patterns,
                    "locales": [LOCALES[name] for name in rule.locales],
                }
                for rule in msgspec.convert(value, list[_LocalizedRule])
            ]
        elif name == "stopWords":
            changed[name] = sorted({decompose(word, "pes") for word in msgspec.convert(value, list[str])})
        else:
            changed[name] = _normalised(name, value)
    settings = msgspec.convert(changed, Settings)
    tolerance = settings["typoTolerance"]
    sizes = tolerance["minWordSizeForTypos"]
    if sizes["oneTypo"] > sizes["twoTypos"]:
        raise ApiError("invalid_settings_typo_tolerance", _TYPO_SIZES_CONTRADICT)
    tolerance["disableOnWords"] = sorted({fold(word) for word in tolerance["disableOnWords"]})
    tolerance["disableOnAttributes"] = sorted(set(tolerance["disableOnAttributes"]))
    return settings


def _merged(current: object, change: Json, default: object) -> object:
    """Return an object after the change of some of its fields; null resets a field to its default."""
    if not isinstance(current, dict) or not isinstance(change, dict):
        return change
    known = default if isinstance(default, dict) else {}
    merged = dict(current)
    for key, value in change.items():
        merged[key] = (
            copy.deepcopy(known.get(key))
            if value is None
            else _merged(merged.get(key), value, known.get(key))
        )
    return merged
