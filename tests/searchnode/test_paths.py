"""The paths through a query's graph: the example that `rank/paths.py` draws is what the code finds."""

import re

import pytest
from pyroaring import BitMap

from deploy.searchnode.index.index import Index
from deploy.searchnode.rank import paths
from deploy.searchnode.rank.choices import RuleChoices
from deploy.searchnode.rank.lookup.context import Context
from deploy.searchnode.rank.paths import RuleGraph, buckets_of_only_reading, max_cost
from deploy.searchnode.rank.reading.graph import END, START, Graph
from deploy.searchnode.rank.reading.parse import parse
from tests.support.searchnode import index_of

EXAMPLE = paths.__doc__ or ""


@pytest.fixture(scope="module")
def index() -> Index:
    """Return an index of the documents that the example lists, in the order of their numbers."""
    (line,) = re.findall(r"^    (0  .*)$", EXAMPLE, re.MULTILINE)
    titles = [re.sub(r"^\d+  ", "", part) for part in re.split(r" {4}(?=\d)", line)]
    assert len(titles) == 5
    return index_of([{"id": n, "title": title} for n, title in enumerate(titles)])


@pytest.fixture
def context(index: Index) -> Context:
    context = Context(index)
    context.enter(index.live)
    return context


def names(graph: Graph) -> dict[int, str]:
    return {START: "START", END: "END"} | {n: node.subset.term.text for n, node in graph.terms()}


def documents(text: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", text)]


def test_the_drawn_graph_is_the_graph_of_the_query(context: Context) -> None:
    graph = parse(context, "summer house").graph
    called = names(graph)
    edges = {(called[a], called[b]) for a, after in enumerate(graph.after) for b in after}
    drawn = {
        ("START", "summer"),
        ("summer", "house"),
        ("house", "END"),
        ("START", "summerhouse"),
        ("summerhouse", "END"),
    }
    assert edges == drawn
    first, second, third = (line for line in EXAMPLE.splitlines() if "--" in line)
    assert re.findall(r"\w+", first + second + third) == ["summer", "house", "START", "END", "summerhouse"]


def test_the_costs_of_the_example_are_those_of_the_rule(context: Context, index: Index) -> None:
    graph = parse(context, "summer house").graph
    rule = RuleGraph(graph, RuleChoices(context).typo, index.live)
    called = names(graph)
    found = {
        (called[source], called[target]): {
            choice.cost: list(choice.documents) for to, choice in edges if to == target and choice.documents
        }
        for source, edges in enumerate(rule.edges)
        for target, _ in edges
        if target != END
    }
    written = {
        (source, target): {
            int(cost): documents(numbers) for cost, numbers in re.findall(r"cost (\d): (\{[\d, ]*\})", rest)
        }
        for source, target, rest in re.findall(r"^    (\w+) +-> (\w+) +(cost.*)$", EXAMPLE, re.MULTILINE)
    }
    assert found == written
    assert len(written) == 3


def test_the_buckets_of_the_example_are_those_of_the_rule(context: Context, index: Index) -> None:
    graph = parse(context, "summer house").graph
    buckets = list(RuleGraph(graph, RuleChoices(context).typo, index.live).buckets(index.live))
    written = re.findall(r"^    cost (\d): (\{[\d, ]*\})$", EXAMPLE, re.MULTILINE)
    assert [(cost, list(numbers)) for cost, numbers, _ in buckets] == [
        (int(cost), documents(numbers)) for cost, numbers in written
    ]
    # Documents 2 and 3 come by two different paths.
    assert [len(of_bucket or ()) for _, _, of_bucket in buckets] == [1, 1, 2, 1]


def test_many_documents_and_few_get_the_same_buckets(
    context: Context, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph = parse(context, "summer house").graph
    rule = RuleGraph(graph, RuleChoices(context).typo, index.live)
    one_by_one = [(cost, list(numbers)) for cost, numbers, _ in rule.buckets(index.live)]
    monkeypatch.setattr(paths, "_FEW", 0)
    assert [(cost, list(numbers)) for cost, numbers, _ in rule.buckets(index.live)] == one_by_one


def test_a_single_reading_needs_no_graph(context: Context, index: Index) -> None:
    graph = parse(context, "summer").graph
    reading = graph.only_reading()
    assert reading is not None
    choices = RuleChoices(context).typo
    found = [
        (cost, list(numbers))
        for cost, numbers, _ in buckets_of_only_reading(reading, choices, BitMap([0, 1]))
    ]
    assert found == [(0, [0]), (1, [1])]


def test_the_dearest_path_counts_typos_that_no_document_has(context: Context) -> None:
    graph = parse(context, "summer house").graph
    # Words written as one cost 2, and their long word may have a typo.
    assert max_cost(graph, RuleChoices(context).max_typo, {}) == 3
