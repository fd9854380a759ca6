"""Attributes that are exactly the query, or that start with it."""

from collections.abc import Iterator

from pyroaring import BitMap

from deploy.local.searchnode.index import COUNTED_WORDS
from deploy.local.searchnode.rank.context import Context
from deploy.local.searchnode.rank.graph import Graph, Node
from deploy.local.searchnode.rank.places import BUCKETED, at_position, by_field
from deploy.local.searchnode.rank.terms import Phrase


def exact_attribute(
    context: Context, universe: BitMap, graph: Graph
) -> Iterator[tuple[int, BitMap]]:
    """(3, documents with an attribute that is the query), (2, with one that starts with it)."""
    terms = _exact_terms(graph)
    if terms is None:
        return
    candidates = universe
    for node, phrase in terms:
        for offset, word in enumerate(phrase):
            if word is None:
                continue
            wanted = BUCKETED[node.positions[0] + offset]
            candidates = candidates & at_position(context.places(word), wanted)
    if not candidates:
        return
    words = [word for _, phrase in terms for word in phrase if word is not None]
    size = sum(node.positions[1] - node.positions[0] + 1 for node, _ in terms)
    whole, starts = BitMap(), BitMap()
    for field, found in _by_field(context, words).items():
        documents = found & candidates
        counted = context.index.sizes.get((field, size)) if size <= COUNTED_WORDS else None
        whole |= documents & (counted or BitMap())
        starts |= documents - (counted or BitMap())
    yield 3, whole
    yield 2, starts - whole


def _exact_terms(graph: Graph) -> list[tuple[Node, Phrase]] | None:
    """The query's terms to the letter, in order; None when one of them is missing."""
    found: dict[int, tuple[Node, Phrase]] = {}
    for _, node in graph.terms():
        phrase = node.subset.exact
        if phrase is not None:
            found.setdefault(node.ids[0], (node, phrase))
    if sorted(found) != list(range(len(found))) or not found:
        return None
    return [found[n] for n in sorted(found)]


def _by_field(context: Context, words: list[str]) -> dict[int, BitMap]:
    """Documents that have all the words in one field, by field."""
    found: dict[int, BitMap] | None = None
    for word in words:
        here = dict(by_field(context.places(word)))
        found = here if found is None else {f: d & here[f] for f, d in found.items() if f in here}
    return found or {}
