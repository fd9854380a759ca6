"""Turns ranked documents into hits: attributes picked, scores and formatted texts added."""

import msgspec

from deploy.searchnode.index.index import Index
from deploy.searchnode.query.formatting import AttributeFormat, Formatter, Style
from deploy.searchnode.query.matching import Matcher
from deploy.searchnode.query.parameters import SearchParameters
from deploy.searchnode.rank.buckets import Ranked
from deploy.searchnode.rank.reading.parse import Query
from deploy.searchnode.rank.scores import Score, details, overall
from deploy.searchnode.values import Document


class Hits:
    """The hits of one search. `search.py` makes one object for each search."""

    def __init__(self, index: Index, query: Query, parameters: SearchParameters) -> None:
        """Prepare to show hits.

        Args:
            index: The index.
            query: The query after it was ranked, for highlights.
            parameters: What the search wants shown.
        """
        self.index, self.parameters = index, parameters
        self.displayed = index.settings["displayedAttributes"]
        # Only names that the settings display literally, or all.
        self.retrieved = [
            name
            for name in parameters.attributes_to_retrieve
            if name == "*" or "*" in self.displayed or name in self.displayed
        ]
        self.style = self._style()
        self.unified = "attribute" in index.settings["rankingRules"]
        self.formatter = None
        if self.style.attributes or parameters.show_matches_position:
            matcher = Matcher(query, index.tokenizer)
            self.formatter = Formatter(matcher, self.style, parameters.languages)
        # Hits that are answered exactly as they were sent need not be decoded.
        self.untouched = (
            self.formatter is None
            and "*" in self.displayed
            and "*" in self.retrieved
            and not parameters.show_ranking_score
            and not parameters.show_ranking_score_details
        )

    def all(self, ranked: Ranked) -> list[object]:
        """Return the hits of a page, each a value that msgspec can encode."""
        pairs = zip(ranked.numbers, ranked.scores, strict=True)
        return [self._hit(number, scores) for number, scores in pairs]

    def _style(self) -> Style:
        parameters = self.parameters
        displayed = [name for name in self.index.names if "*" in self.displayed or name in self.displayed]

        def named(name: str) -> list[str]:
            return displayed if name == "*" else [name] if name in displayed else []

        found: dict[str, AttributeFormat] = {}
        for pattern in parameters.attributes_to_highlight or []:
            for name in named(pattern):
                found[name] = AttributeFormat(highlight=True, crop=None)
        for entry in parameters.attributes_to_crop or []:
            # `attribute` or `attribute:number of words`.
            pattern, colon, size = entry.rpartition(":")
            length = int(size) if colon and size.isdecimal() else parameters.crop_length
            for name in named(pattern if colon else entry):
                found[name] = AttributeFormat(name in found and found[name].highlight, length)
        return Style(
            found, parameters.highlight_pre_tag, parameters.highlight_post_tag, parameters.crop_marker
        )

    def _hit(self, number: int, scores: list[Score]) -> object:
        if self.untouched:
            return msgspec.Raw(self.index.documents[number])
        parameters = self.parameters
        document = pick(self.index.get(number), self.displayed)
        hit: dict[str, object] = {**pick(document, self.retrieved)}
        if self.formatter is not None:
            formatted = self.formatter.document(document)
            if self.style.attributes:
                hit["_formatted"] = pick(formatted, [*self.retrieved, *self.style.attributes])
            if parameters.show_matches_position:
                hit["_matchesPosition"] = self.formatter.positions
        if parameters.show_ranking_score:
            hit["_rankingScore"] = overall(scores)
        if parameters.show_ranking_score_details:
            hit["_rankingScoreDetails"] = details(scores, self._hidden(scores), unified=self.unified)
        return hit

    def _hidden(self, scores: list[Score]) -> frozenset[str]:
        """Return the attributes of sorts that are not displayed."""
        if "*" in self.displayed:
            return frozenset()
        sorts = {score.rule.rpartition(":")[0] for score in scores if not score.ranked}
        return frozenset(sorts.difference(self.displayed))


def pick(document: Document, names: list[str], prefix: str = "") -> Document:
    """Return some attributes of a document.

    Args:
        document: The document, or an object nested in it.
        names: The attributes, nested ones by their dotted names; `*` stands for all.
        prefix: The dotted name of the nested object with a dot.
    """
    if "*" in names:
        return document
    found: Document = {}
    for key, value in document.items():
        name = f"{prefix}{key}"
        if name in names:
            found[key] = value
        elif any(n.startswith(f"{name}.") for n in names):
            if isinstance(value, dict):
                found[key] = pick(value, names, f"{name}.")
            elif isinstance(value, list):
                inner = [pick(v, names, f"{name}.") for v in value if isinstance(v, dict)]
                if inner:
                    found[key] = [*inner]
    return found
