"""Scores: what each ranking rule says of a document, and the one number made of them all.

`buckets.py` collects the scores of each document; `query/` shows them as `_rankingScore` and
`_rankingScoreDetails`.
"""

from collections.abc import Iterable
from typing import NamedTuple

from deploy.searchnode.values import Json, JsonObject


class Score(NamedTuple):
    """A rule's verdict on a document: `rank` of `max_rank`, where `max_rank` is the best.

    A sort has the document's value instead, and a `max_rank` of 0.
    """

    rule: str
    rank: int = 0
    max_rank: int = 0
    value: float | str | None = None

    @property
    def ranked(self) -> bool:
        """Whether the score counts in the overall score."""
        return self.max_rank > 0

    @property
    def share(self) -> float:
        """The rank as a number between 0 and 1."""
        return self.rank / self.max_rank


_MATCH_TYPES = {3: "exactMatch", 2: "matchesStart", 1: "noExactMatch"}


def overall(scores: Iterable[Score]) -> float:
    """Return `_rankingScore`: the ranks as digits of one number between 0 and 1, without sorts."""
    rank, max_rank = 1, 1
    for score in scores:
        if score.ranked:
            rank, max_rank = max(rank - 1, 0) * score.max_rank + score.rank, max_rank * score.max_rank
    return rank / max_rank


def details(scores: list[Score], hidden: frozenset[str], *, unified: bool) -> dict[str, JsonObject]:
    """Return `_rankingScoreDetails` as Meilisearch writes it.

    Args:
        scores: The document's scores in order of the rules.
        hidden: Attributes that are not displayed; their values are not shown.
        unified: The settings name the rule `attribute`, not its halves `attributeRank` and `wordPosition`.

    Returns:
        The details by the name of the rule.
    """
    found: dict[str, JsonObject] = {}
    order = 0
    previous = Score("")
    for score in scores:
        if score.rule == "position" and unified:
            found["attribute"]["queryWordDistanceScore"] = score.share
            found["attribute"]["score"] = overall([previous, score])
        elif score.rule == "exactWords":
            if previous.rank == 1:
                del found["exactness"]["score"]
                found["exactness"] |= {
                    "matchingWords": score.rank - 1,
                    "maxMatchingWords": score.max_rank - 1,
                    "score": overall([previous, score]),
                }
        else:
            name, entry = _entry(score, order, hidden, unified=unified)
            found[name] = {"order": order, **entry}
            order += 1
        previous = score
    return found


def _entry(score: Score, order: int, hidden: frozenset[str], *, unified: bool) -> tuple[str, JsonObject]:
    """Return the name and the content of one rule's entry."""
    counts: dict[str, Json]
    match score.rule:
        case "words":
            counts = {"matchingWords": score.rank, "maxMatchingWords": score.max_rank}
            return "words", {**counts, "score": score.share}
        case "typo":
            counts = {"typoCount": score.max_rank - score.rank, "maxTypoCount": score.max_rank - 1}
            return "typo", {**counts, "score": score.share}
        case "attribute" if unified:
            return "attribute", {"attributeRankingOrderScore": score.share}
        case "attribute":
            return "attributeRank", {"score": score.share}
        case "position":
            return "wordPosition", {"score": score.share}
        case "exactAttribute":
            return "exactness", {"matchType": _MATCH_TYPES[score.rank], "score": score.share}
        case "proximity" | "skipped":
            return score.rule, {"score": score.share} if score.rule == "proximity" else {}
    if score.rule.rpartition(":")[0] in hidden:
        return f"<hidden-rule-{order}>", {"value": "<hidden>"}
    return score.rule, {"value": score.value}
