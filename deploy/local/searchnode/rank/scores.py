"""Scores: what each ranking rule says of a document, and the one number made of them all."""

from collections.abc import Iterable
from typing import Any, NamedTuple


class Score(NamedTuple):
    """A rule's verdict: `rank` of `most`, the best is `most`; a sort has a value and no rank."""

    rule: str
    rank: int = 0
    most: int = 0
    value: Any = None

    @property
    def ranked(self) -> bool:
        """Does it count in the overall score?"""
        return self.most > 0

    @property
    def local(self) -> float:
        """Between 0 and 1."""
        return self.rank / self.most


_MATCHES = {3: "exactMatch", 2: "matchesStart", 1: "noExactMatch"}


def overall(scores: Iterable[Score]) -> float:
    """`_rankingScore`: ranks as digits of one number between 0 and 1, sorts left out."""
    rank, most = 1, 1
    for score in scores:
        if score.ranked:
            rank, most = max(rank - 1, 0) * score.most + score.rank, most * score.most
    return rank / most


def details(scores: list[Score], hidden: frozenset[str], *, unified: bool) -> dict[str, Any]:
    """`_rankingScoreDetails`. `unified`: the settings have `attribute`, not its two halves.

    Values of the attributes in `hidden` are not told.
    """
    found: dict[str, Any] = {}
    order = 0
    previous = Score("")
    for score in scores:
        if score.rule == "position" and unified:
            found["attribute"]["queryWordDistanceScore"] = score.local
            found["attribute"]["score"] = overall([previous, score])
        elif score.rule == "exactWords":
            if previous.rank == 1:
                del found["exactness"]["score"]
                found["exactness"] |= {
                    "matchingWords": score.rank - 1,
                    "maxMatchingWords": score.most - 1,
                    "score": overall([previous, score]),
                }
        else:
            name, body = _entry(score, order, hidden, unified=unified)
            found[name] = {"order": order, **body}
            order += 1
        previous = score
    return found


def _entry(
    score: Score, order: int, hidden: frozenset[str], *, unified: bool
) -> tuple[str, dict[str, Any]]:
    match score.rule:
        case "words":
            counts = {"matchingWords": score.rank, "maxMatchingWords": score.most}
            return "words", {**counts, "score": score.local}
        case "typo":
            counts = {"typoCount": score.most - score.rank, "maxTypoCount": score.most - 1}
            return "typo", {**counts, "score": score.local}
        case "attribute" if unified:
            return "attribute", {"attributeRankingOrderScore": score.local}
        case "attribute":
            return "attributeRank", {"score": score.local}
        case "position":
            return "wordPosition", {"score": score.local}
        case "exactAttribute":
            return "exactness", {"matchType": _MATCHES[score.rank], "score": score.local}
        case "proximity" | "skipped":
            return score.rule, {"score": score.local} if score.rule == "proximity" else {}
    if score.rule.rpartition(":")[0] in hidden:
        return f"<hidden-rule-{order}>", {"value": "<hidden>"}
    return score.rule, {"value": score.value}
