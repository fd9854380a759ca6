"""Changes of settings: what is refused, and what the settings are afterwards."""

from typing import Any

import pytest

from deploy.searchnode.errors import ApiError
from deploy.searchnode.index.settings import defaults, needs_rebuild
from deploy.searchnode.index.settings_change import apply, task_details, validate


def changed(change: dict[str, Any], **before: Any) -> dict[str, Any]:
    return dict(apply({**defaults(), **before}, validate(change)))


def test_a_change_leaves_other_settings_and_the_old_ones_alone() -> None:
    before = defaults()
    after = apply(before, validate({"searchableAttributes": ["title"]}))
    assert before == defaults()
    assert after == {**defaults(), "searchableAttributes": ["title"]}


def test_null_resets_a_setting() -> None:
    assert changed(
        {"stopWords": None, "pagination": None}, stopWords=["a"], pagination={"maxTotalHits": 5}
    ) == (defaults())


def test_objects_are_merged_field_by_field() -> None:
    tolerance = changed({"typoTolerance": {"minWordSizeForTypos": {"oneTypo": 3}}})["typoTolerance"]
    assert tolerance == {**defaults()["typoTolerance"], "minWordSizeForTypos": {"oneTypo": 3, "twoTypos": 9}}
    again = changed({"typoTolerance": {"minWordSizeForTypos": None}}, typoTolerance=tolerance)
    assert again == defaults()
    faceting = changed({"faceting": {"sortFacetValuesBy": {"kind": "count"}}})["faceting"]
    assert faceting == {"maxValuesPerFacet": 100, "sortFacetValuesBy": {"*": "alpha", "kind": "count"}}


@pytest.mark.parametrize(
    ("change", "name", "value"),
    [
        ({"stopWords": ["of", "a", "of"]}, "stopWords", ["a", "of"]),
        ({"stopWords": ["کی"]}, "stopWords", ["کی"]),
        ({"sortableAttributes": ["b", "a"]}, "sortableAttributes", ["a", "b"]),
        ({"searchableAttributes": ["b", "a"]}, "searchableAttributes", ["b", "a"]),
        ({"distinctAttribute": "group"}, "distinctAttribute", "group"),
        (
            {"localizedAttributes": [{"locales": ["ar", "eng"], "attributePatterns": ["*"]}]},
            "localizedAttributes",
            [{"attributePatterns": ["*"], "locales": ["ara", "eng"]}],
        ),
        (
            {"filterableAttributes": ["a", {"attributePatterns": ["b*"]}]},
            "filterableAttributes",
            [
                "a",
                {
                    "attributePatterns": ["b*"],
                    "features": {"facetSearch": False, "filter": {"equality": True, "comparison": False}},
                },
            ],
        ),
        ({"chat": None, "foreignKeys": []}, "facetSearch", True),
    ],
)
def test_a_value_is_kept_in_one_form(change: dict[str, Any], name: str, value: Any) -> None:
    assert changed(change)[name] == value


def test_words_without_typos_are_kept_as_lemmas() -> None:
    tolerance = {"disableOnWords": ["Café", "cafe"], "disableOnAttributes": ["b", "a", "b"]}
    after = changed({"typoTolerance": tolerance})["typoTolerance"]
    assert (after["disableOnWords"], after["disableOnAttributes"]) == (["cafe"], ["a", "b"])


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ([], "bad_request"),
        ({"colour": 1}, "bad_request"),
        ({"stopWords": "of"}, "invalid_settings_stop_words"),
        ({"stopWords": [1]}, "invalid_settings_stop_words"),
        ({"synonyms": {"a": "b"}}, "invalid_settings_synonyms"),
        ({"rankingRules": ["words", "x"]}, "invalid_settings_ranking_rules"),
        ({"rankingRules": ["_geoPoint(1):asc"]}, "invalid_settings_ranking_rules"),
        ({"typoTolerance": {"oneTypo": 1}}, "invalid_settings_typo_tolerance"),
        ({"typoTolerance": {"minWordSizeForTypos": {"oneTypo": 256}}}, "invalid_settings_typo_tolerance"),
        (
            {"typoTolerance": {"minWordSizeForTypos": {"oneTypo": 5, "twoTypos": 4}}},
            "invalid_settings_typo_tolerance",
        ),
        ({"pagination": {"maxTotalHits": -1}}, "invalid_settings_pagination"),
        (
            {"localizedAttributes": [{"locales": ["xx"], "attributePatterns": []}]},
            "invalid_settings_localized_attributes",
        ),
        ({"embedders": {"e": {}}}, "unsupported"),
        ({"sortableAttributes": ["_geo"]}, "unsupported"),
    ],
)
def test_a_wrong_change_is_refused(change: Any, code: str) -> None:
    with pytest.raises(ApiError) as refused:
        validate(change)
    assert refused.value.code == code


def test_sizes_that_contradict_the_settings_are_refused_when_they_are_applied() -> None:
    change = validate({"typoTolerance": {"minWordSizeForTypos": {"oneTypo": 20}}})
    with pytest.raises(ApiError) as refused:
        apply(defaults(), change)
    assert refused.value.code == "invalid_settings_typo_tolerance"


@pytest.mark.parametrize(
    ("change", "rebuild"),
    [
        ({"searchableAttributes": ["a"]}, True),
        ({"stopWords": ["a"]}, True),
        ({"distinctAttribute": "a"}, True),
        ({"rankingRules": ["words", "year:desc"]}, True),
        ({"rankingRules": ["typo", "words"]}, False),
        ({"synonyms": {"a": ["b"]}}, False),
        ({"typoTolerance": {"enabled": False}}, False),
        ({"displayedAttributes": ["a"]}, False),
    ],
)
def test_documents_are_indexed_again_only_where_it_matters(change: dict[str, Any], rebuild: bool) -> None:
    assert needs_rebuild(defaults(), apply(defaults(), validate(change))) == rebuild


def test_the_details_of_a_task_repeat_the_change() -> None:
    change = {"stopWords": ["b", "a"], "synonyms": None, "searchableAttributes": None}
    assert task_details(validate(change)) == {
        "stopWords": ["a", "b"],
        "synonyms": None,
        "searchableAttributes": ["*"],
    }
