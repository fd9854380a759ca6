"""The first half of the rule `exactness`: attributes that are exactly the query, or start with it."""

from collections.abc import Iterator

from pyroaring import BitMap

from deploy.searchnode.index.analysis import MAX_COUNTED_WORDS
from deploy.searchnode.rank.lookup.context import Context, Phrase
from deploy.searchnode.rank.lookup.postings import ROUNDED, documents_at, documents_by_field
from deploy.searchnode.rank.reading.graph import Graph, TermNode


def exact_attribute(context: Context, universe: BitMap, graph: Graph) -> Iterator[tuple[int, BitMap]]:
    """Find the documents with an attribute that is the query to the letter.

    Args:
        context: The search's view of the index.
        universe: The documents that matter.
        graph: The readings of the query.

    Yields:
        3 and the documents with an attribute that is the query; 2 and the documents with an attribute
        that starts with it. Nothing when no document has all words at their positions.
    """
    terms = _exact_terms(graph)
    if terms is None:
        return
    candidates = universe
    for node, phrase in terms:
        for offset, word in enumerate(phrase):
            if word is None:
                continue
            wanted = ROUNDED[node.positions[0] + offset]
            candidates = candidates & documents_at(context.postings(word), wanted)
    if not candidates:
        return
    words = [word for _, phrase in terms for word in phrase if word is not None]
    size = sum(node.positions[1] - node.positions[0] + 1 for node, _ in terms)
    whole, starts = BitMap(), BitMap()
    for field, found in _documents_by_field(context, words).items():
        documents = found & candidates
        of_this_length = context.index.field_lengths.get((field, size)) if size <= MAX_COUNTED_WORDS else None
        whole |= documents & (of_this_length or BitMap())
        starts |= documents - (of_this_length or BitMap())
    yield 3, whole
    yield 2, starts - whole


def _exact_terms(graph: Graph) -> list[tuple[TermNode, Phrase]] | None:
    """Return the terms of the query to the letter, in order; None when the index has not all of them."""
    found: dict[int, tuple[TermNode, Phrase]] = {}
    for _, node in graph.terms():
        phrase = node.subset.exact
        if phrase is not None:
            found.setdefault(node.ids[0], (node, phrase))
    if sorted(found) != list(range(len(found))) or not found:
        return None
    return [found[n] for n in sorted(found)]


def _documents_by_field(context: Context, words: list[str]) -> dict[int, BitMap]:
    """Return the documents that have all the words in one field, by the number of the field."""
    found: dict[int, BitMap] | None = None
    for word in words:
        here = dict(documents_by_field(context.postings(word)))
        found = here if found is None else {f: d & here[f] for f, d in found.items() if f in here}
    return found or {}
