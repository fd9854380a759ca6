"""The filter language: what is read from a text, and which documents it lets through."""

import pytest

from deploy.searchnode.errors import ApiError
from deploy.searchnode.index.index import Index
from deploy.searchnode.query.filters import evaluation
from deploy.searchnode.query.filters.syntax import MAX_DEPTH, parse
from deploy.searchnode.query.filters.tree import (
    Both,
    Condition,
    Either,
    FilterSyntaxError,
    GeoCondition,
    Not,
    Tree,
)
from tests.support.searchnode import index_of

A, B, C = Condition("a", "=", ("1",)), Condition("b", "=", ("2",)), Condition("c", "=", ("3",))


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("", None),
        (" \n ", None),
        ("a = 1", A),
        ("a=1", A),
        (" a  =  1 ", A),
        ("a = 1 AND b = 2", Both((A, B))),
        ("a = 1 OR b = 2 AND c = 3", Either((A, Both((B, C))))),
        ("(a = 1 OR b = 2) AND c = 3", Both((Either((A, B)), C))),
        ("NOT a = 1", Not(A)),
        ("NOT NOT a = 1", A),
        ("NOT (a = 1 AND b = 2)", Not(Both((A, B)))),
        ("a != 1", Condition("a", "!=", ("1",))),
        ("a >= 1", Condition("a", ">=", ("1",))),
        ("a 1 TO 5", Condition("a", "TO", ("1", "5"))),
        ("a IN [1, 'two words', \"x\"]", Condition("a", "IN", ("1", "two words", "x"))),
        ("a IN []", Condition("a", "IN", ())),
        ("a IN [1,]", Condition("a", "IN", ("1",))),
        ("a NOT IN [1]", Not(Condition("a", "IN", ("1",)))),
        ("a EXISTS", Condition("a", "EXISTS")),
        ("a NOT EXISTS", Not(Condition("a", "EXISTS"))),
        ("a IS NULL", Condition("a", "NULL")),
        ("a IS NOT NULL", Not(Condition("a", "NULL"))),
        ("a IS EMPTY", Condition("a", "EMPTY")),
        ("a IS NOT EMPTY", Not(Condition("a", "EMPTY"))),
        ("a STARTS WITH x", Condition("a", "STARTS WITH", ("x",))),
        ("a NOT STARTS WITH x", Not(Condition("a", "STARTS WITH", ("x",)))),
        ("a CONTAINS x", Condition("a", "CONTAINS", ("x",))),
        ("'a b' = 'it\\'s'", Condition("a b", "=", ("it's",))),
        ('a = "\\u0041\\n"', Condition("a", "=", ("A\n",))),
        ("a.b = مدينة", Condition("a.b", "=", ("مدينة",))),
        ("_geoRadius(1.5, 2, 300)", GeoCondition("_geoRadius(1.5, 2, 300)")),
    ],
)
def test_a_text_is_read_as_a_tree(text: str, tree: Tree | None) -> None:
    assert parse(text) == tree


@pytest.mark.parametrize(
    "text",
    [
        "a",
        "a =",
        "= 1",
        "a = 1 AND",
        "a = 1 b = 2",
        "(a = 1",
        "a = 1)",
        "a IN 1",
        "a IN [1",
        "a IN [,]",
        "a 1 TO",
        "NOT",
        "a = 'open",
        "a = '\\u{110000}'",
        "AND = 1",
        "_geo = 1",
        "_geoRadius(1)",
        "_geoPoint = 1",
        "(" * MAX_DEPTH + "a = 1" + ")" * MAX_DEPTH,
    ],
)
def test_what_is_no_filter_is_refused(text: str) -> None:
    with pytest.raises(FilterSyntaxError):
        parse(text)


def test_an_error_shows_where_it_is() -> None:
    with pytest.raises(FilterSyntaxError, match="expected a value at ``"):
        parse("a = ")
    with pytest.raises(FilterSyntaxError, match="after the end of the expression at `b = 2`"):
        parse("a = 1 b = 2")


@pytest.fixture(scope="module")
def index() -> Index:
    return index_of(
        [
            {"id": 0, "kind": "Film", "year": 2001, "tags": ["a", "b"], "host": {"name": "Mona Said"}},
            {"id": 1, "kind": "podcast", "year": 2005.5, "tags": [], "flag": True},
            {"id": 2, "kind": "film", "year": None, "tags": ["b"], "flag": False},
            {"id": 3, "year": "2005", "tags": "", "hosts": [{"name": "Mona"}, {"name": "Sami"}]},
        ],
        filterableAttributes=[
            "kind",
            "year",
            "tags",
            "flag",
            "host",
            "hosts.name",
            {"attributePatterns": ["only_equal"], "features": {"filter": {"equality": True}}},
        ],
    )


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("kind = film", [0, 2]),
        ("kind != film", [1, 3]),
        ("NOT kind = film", [1, 3]),
        ("kind IN [podcast, film]", [0, 1, 2]),
        ("kind NOT IN [film]", [1, 3]),
        ("year = 2001.0", [0]),
        ("year = 2005", [3]),
        ("year > 2001", [1, 3]),
        ("year >= 2001", [0, 1, 3]),
        ("year < 2005.5", [0, 3]),
        ("year 2001 TO 2005", [0, 3]),
        ("year IS NULL", [2]),
        ("year EXISTS", [0, 1, 2, 3]),
        ("kind NOT EXISTS", [3]),
        ("tags IS EMPTY", [1, 3]),
        ("tags = b AND NOT tags = a", [2]),
        ("flag = true", [1]),
        ("flag = TRUE OR flag = false", [1, 2]),
        ("host.name = 'mona said'", [0]),
        ("hosts.name = sami", [3]),
        ("kind STARTS WITH FI", [0, 2]),
        ("kind = nothing", []),
        ("only_equal = 1", []),
    ],
)
def test_a_filter_lets_documents_through(index: Index, text: str, numbers: list[int]) -> None:
    assert list(evaluation.evaluate(index, text) or ()) == numbers


@pytest.mark.parametrize(
    ("filter_", "numbers"),
    [
        (["kind = film", "year IS NULL"], [2]),
        ([["kind = podcast", "year IS NULL"], "tags EXISTS"], [1, 2]),
        ([[], "kind = film"], [0, 2]),
    ],
)
def test_lists_are_joined_by_and_then_by_or(index: Index, filter_: object, numbers: list[int]) -> None:
    assert list(evaluation.evaluate(index, filter_) or ()) == numbers


@pytest.mark.parametrize("filter_", [None, "", " ", [], [[]]])
def test_no_filter_is_none(index: Index, filter_: object) -> None:
    assert evaluation.evaluate(index, filter_) is None


@pytest.mark.parametrize(
    ("filter_", "code"),
    [
        (7, "wrong"),
        ([7], "wrong"),
        ([["kind = film", ["too deep"]]], "wrong"),
        ("kind =", "wrong"),
        ("unknown = 1", "wrong"),
        ("_geoRadius(1, 2, 3)", "wrong"),
        ("kind CONTAINS x", "feature_not_enabled"),
    ],
)
def test_a_wrong_filter_is_refused_with_the_code_of_its_request(
    index: Index, filter_: object, code: str
) -> None:
    with pytest.raises(ApiError) as refused:
        evaluation.evaluate(index, filter_, "wrong")
    assert refused.value.code == code


def test_operators_are_refused_that_the_settings_do_not_allow() -> None:
    index = index_of(
        [{"id": 1, "size": 3}],
        filterableAttributes=[{"attributePatterns": ["size"], "features": {"filter": {"equality": True}}}],
    )
    assert list(evaluation.evaluate(index, "size = 3") or ()) == [0]
    with pytest.raises(ApiError, match="Operator `>` is not allowed"):
        evaluation.evaluate(index, "size > 1")
