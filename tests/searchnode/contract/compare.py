"""What it means that two answers agree. `replay.py` and `agree.py` compare answers by it."""

import itertools
import json
from dataclasses import dataclass
from typing import Any

Hit = dict[str, Any]
# How many characters of an answer a difference shows.
_EXCERPT = 600
_SHORT_EXCERPT = 300


@dataclass
class Outcome:
    """One step: its differences (none when it agrees), and how close the hits of a text query came."""

    step: int
    request: str
    differences: list[str]
    first_hit: bool | None = None
    # The share of the ten best hits that both have.
    overlap: float | None = None
    # (hits with the recorded `_rankingScore`, hits that have one)
    scores: tuple[int, int] = (0, 0)
    # The feature that the step asks for, if the node does not support it.
    unsupported: str | None = None


# Fields that differ from server to server.
_VOLATILE = {
    "createdAt",
    "updatedAt",
    "uid",
    "taskUid",
    "enqueuedAt",
    "startedAt",
    "finishedAt",
    "duration",
    "batchUid",
    "processingTimeMs",
    "requestUid",
    "key",
    "commitSha",
    "commitDate",
    "pkgVersion",
    "rawDocumentDbSize",
    "avgDocumentSize",
    "databaseSize",
    "usedDatabaseSize",
    "lastUpdate",
    "message",
    "link",
    "canceledBy",
    "from",
    "next",
    "serverVersion",
}
_COUNTS = (
    "estimatedTotalHits",
    "totalHits",
    "totalPages",
    "page",
    "hitsPerPage",
    "offset",
    "limit",
    "facetDistribution",
    "facetStats",
)


def _stable(value: Any) -> Any:
    """Return a value without the fields that differ from server to server."""
    if isinstance(value, dict):
        return {k: _stable(v) for k, v in value.items() if k not in _VOLATILE}
    if isinstance(value, list):
        return [_stable(v) for v in value]
    return value


def _excerpt(value: Any, length: int = _SHORT_EXCERPT) -> str:
    return json.dumps(value, ensure_ascii=False)[:length]


def compare_answers(own: tuple[int, Any], theirs: tuple[int, Any], request: Any, outcome: Outcome) -> None:
    """Add to the outcome where an answer differs from the expected one.

    Args:
        own: Status and body of the answer.
        theirs: Status and body of the expected answer.
        request: The body of the request.
        outcome: What is known of the step.
    """
    (status, body), (expected_status, expected) = own, theirs
    if expected_status >= 500 and expected_status != 501:
        # Nobody need agree with a fault of the other server.
        return
    if status != expected_status:
        outcome.differences.append(
            f"status {status} {_code(body)}, recorded {expected_status} {_code(expected)}"
        )
    elif status >= 400:
        body = body if isinstance(body, dict) else {}
        for name in ("code", "type"):
            if expected and body.get(name) != expected.get(name):
                outcome.differences.append(f"{name} {body.get(name)}, recorded {expected.get(name)}")
    elif isinstance(expected, dict) and "hits" in expected:
        compare_hits(body, expected, request, outcome)
    elif isinstance(expected, dict) and isinstance(request, dict) and "queries" in request:
        results = zip(body["results"], expected["results"], request["queries"], strict=True)
        for result, expected_result, query in results:
            compare_hits(result, expected_result, query, outcome)
    elif isinstance(expected, dict) and "enqueuedAt" in expected and "status" in expected:
        compare_tasks(body, expected, outcome)
    else:
        _compare_bodies(body, expected, outcome)


def _compare_bodies(body: Any, expected: Any, outcome: Outcome) -> None:
    mine, recorded = _stable(body), _stable(expected)
    for side in (mine, recorded):
        # The total of tasks and keys depends on what the server did before.
        if isinstance(side, dict) and ("next" in expected or _is_of_keys(side)):
            side.pop("total", None)
    if mine != recorded:
        outcome.differences.append(
            f"body {_excerpt(mine, _EXCERPT)}, recorded {_excerpt(recorded, _EXCERPT)}"
        )


def _is_of_keys(page: dict[str, Any]) -> bool:
    rows = page.get("results")
    return isinstance(rows, list) and any("actions" in row for row in rows)


def _code(body: Any) -> str:
    return str(body.get("code", "")) if isinstance(body, dict) else ""


def compare_tasks(own: dict[str, Any], theirs: dict[str, Any], outcome: Outcome) -> None:
    """Add to the outcome where a finished task differs from the expected one."""
    for name in ("status", "type"):
        if own.get(name) != theirs.get(name):
            outcome.differences.append(f"task {name} {own.get(name)}, recorded {theirs.get(name)}")
    if _stable(own.get("details")) != _stable(theirs.get("details")):
        outcome.differences.append(f"task details {own.get('details')}, recorded {theirs.get('details')}")
    code, recorded = ((t.get("error") or {}).get("code") for t in (own, theirs))
    if code != recorded:
        outcome.differences.append(f"task error {code}, recorded {recorded}")


def compare_hits(
    own: dict[str, Any], theirs: dict[str, Any], request: dict[str, Any], outcome: Outcome
) -> None:
    """Add to the outcome where the answer of a search differs from the expected one.

    Args:
        own: The body of the answer.
        theirs: The expected body.
        request: The parameters of the search.
        outcome: What is known of the step.
    """
    for name in _COUNTS:
        if own.get(name) != theirs.get(name):
            outcome.differences.append(
                f"{name} {_excerpt(own.get(name))}, recorded {_excerpt(theirs.get(name))}"
            )
    mine = [hit.get("id") for hit in own["hits"]]
    recorded = [hit.get("id") for hit in theirs["hits"]]
    if request.get("q"):
        outcome.first_hit = mine[:1] == recorded[:1]
        top = set(recorded[:10])
        outcome.overlap = len(top & set(mine[:10])) / len(top) if top else float(not mine)
    pairs = _paired(own["hits"], theirs["hits"])
    scored = [pair for pair in pairs if "_rankingScore" in pair[1]]
    same = sum(_same_score(*pair) for pair in scored)
    outcome.scores = (outcome.scores[0] + same, outcome.scores[1] + len(scored))
    if not _same_order(mine, theirs["hits"]):
        outcome.differences.append(f"hits {mine[:12]}, recorded {recorded[:12]}")
        return
    for hit, expected in pairs:
        for name in ("_formatted", "_matchesPosition"):
            if hit.get(name) != expected.get(name):
                outcome.differences.append(
                    f"{name} {_excerpt(hit.get(name))}, recorded {_excerpt(expected.get(name))}"
                )
                return


def _paired(own: list[Hit], theirs: list[Hit]) -> list[tuple[Hit, Hit]]:
    """Return (our hit, expected hit): with the same id, or in the same position where hits have no ids."""
    if all("id" in hit for hit in theirs):
        by_id = {hit.get("id"): hit for hit in own}
        return [(by_id.get(hit["id"], {}), hit) for hit in theirs]
    return list(itertools.zip_longest(own, theirs, fillvalue={}))


def _same_score(own: Hit, theirs: Hit) -> bool:
    return abs(own.get("_rankingScore", -1) - theirs["_rankingScore"]) < 1e-9 and own.get(
        "_rankingScoreDetails"
    ) == theirs.get("_rankingScoreDetails")


def _same_order(mine: list[Any], theirs: list[Hit]) -> bool:
    """Return whether the ids are the same in order; hits with equal recorded scores may change places."""
    if any("_rankingScore" not in hit for hit in theirs):
        return mine == [hit.get("id") for hit in theirs]
    at = 0
    while at < len(theirs):
        until = at
        while until < len(theirs) and theirs[until]["_rankingScore"] == theirs[at]["_rankingScore"]:
            until += 1
        if set(mine[at:until]) != {hit.get("id") for hit in theirs[at:until]}:
            # The limit may cut the last group of equal hits anywhere.
            return until == len(theirs) and len(mine) == len(theirs) and at > 0 and len(theirs) >= 20
        at = until
    return len(mine) == len(theirs)
