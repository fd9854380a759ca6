"""What it means that two answers agree."""

import itertools
import json
from dataclasses import dataclass
from typing import Any

Hit = dict[str, Any]


@dataclass
class Outcome:
    """One step: what disagreed (empty when it agrees), and how close a text query came."""

    step: int
    request: str
    differences: list[str]
    first_hit: bool | None = None
    overlap: float | None = None
    # (hits with the recorded `_rankingScore`, hits that have one)
    scores: tuple[int, int] = (0, 0)
    # The row of the table of what is left out, when the step falls under one.
    left_out: str | None = None


_VOLATILE = {
    "createdAt", "updatedAt", "uid", "taskUid", "enqueuedAt", "startedAt", "finishedAt", "duration",
    "batchUid", "processingTimeMs", "requestUid", "key", "commitSha", "commitDate", "pkgVersion",
    "rawDocumentDbSize", "avgDocumentSize", "databaseSize", "usedDatabaseSize", "lastUpdate",
    "message", "link", "canceledBy", "from", "next", "serverVersion",
}  # fmt: skip


def _comparable(value: Any, *, inside: bool = False) -> Any:
    if isinstance(value, dict):
        return {k: _comparable(v, inside=True) for k, v in value.items() if k not in _VOLATILE}
    if isinstance(value, list):
        return [_comparable(v, inside=True) for v in value]
    return value


def compare_answers(
    own: tuple[int, Any], theirs: tuple[int, Any], asked: Any, outcome: Outcome
) -> None:
    """Note where an answer (status, body) differs from the one expected."""
    (status, body), (expected_status, expected) = own, theirs
    if expected_status >= 500 and expected_status != 501:
        # A fault of the other server's own is nothing to agree with.
        return
    if status != expected_status:
        outcome.differences.append(
            f"status {status} {_code(body)}, recorded {expected_status} {_code(expected)}"
        )
    elif status >= 400:
        for name in ("code", "type"):
            if expected and body.get(name) != expected.get(name):
                outcome.differences.append(
                    f"{name} {body.get(name)}, recorded {expected.get(name)}"
                )
    elif isinstance(expected, dict) and "hits" in expected:
        compare_hits(body, expected, asked, outcome)
    elif isinstance(expected, dict) and isinstance(asked, dict) and "queries" in asked:
        pairs = zip(body["results"], expected["results"], asked["queries"], strict=True)
        for one, other, query in pairs:
            compare_hits(one, other, query, outcome)
    elif isinstance(expected, dict) and "enqueuedAt" in expected and "status" in expected:
        compare_tasks(body, expected, outcome)
    else:
        mine, recorded = _comparable(body), _comparable(expected)
        for side in (mine, recorded):
            # How many tasks and keys there are depends on what the server did before.
            if isinstance(side, dict) and ("next" in expected or _of_keys(side)):
                side.pop("total", None)
        if mine != recorded:
            outcome.differences.append(
                f"body {json.dumps(mine, ensure_ascii=False)[:600]}, recorded {json.dumps(recorded, ensure_ascii=False)[:600]}"
            )


def _of_keys(page: dict[str, Any]) -> bool:
    rows = page.get("results")
    return isinstance(rows, list) and any("actions" in row for row in rows)


def _code(body: Any) -> str:
    return str(body.get("code", "")) if isinstance(body, dict) else ""


def compare_tasks(own: dict[str, Any], theirs: dict[str, Any], outcome: Outcome) -> None:
    for name in ("status", "type"):
        if own.get(name) != theirs.get(name):
            outcome.differences.append(f"task {name} {own.get(name)}, recorded {theirs.get(name)}")
    if _comparable(own.get("details")) != _comparable(theirs.get("details")):
        outcome.differences.append(
            f"task details {own.get('details')}, recorded {theirs.get('details')}"
        )
    code, recorded = ((t.get("error") or {}).get("code") for t in (own, theirs))
    if code != recorded:
        outcome.differences.append(f"task error {code}, recorded {recorded}")


def compare_hits(
    own: dict[str, Any], theirs: dict[str, Any], asked: dict[str, Any], outcome: Outcome
) -> None:
    for name in ("estimatedTotalHits", "totalHits", "totalPages", "page", "hitsPerPage", "offset", "limit",
                 "facetDistribution", "facetStats"):  # fmt: skip
        if own.get(name) != theirs.get(name):
            outcome.differences.append(
                f"{name} {json.dumps(own.get(name), ensure_ascii=False)[:300]}, recorded {json.dumps(theirs.get(name), ensure_ascii=False)[:300]}"
            )
    mine = [hit.get("id") for hit in own["hits"]]
    recorded = [hit.get("id") for hit in theirs["hits"]]
    if asked.get("q"):
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
    for one, other in pairs:
        for name in ("_formatted", "_matchesPosition"):
            if one.get(name) != other.get(name):
                outcome.differences.append(
                    f"{name} {json.dumps(one.get(name), ensure_ascii=False)[:300]}, recorded {json.dumps(other.get(name), ensure_ascii=False)[:300]}"
                )
                return


def _paired(own: list[Hit], theirs: list[Hit]) -> list[tuple[Hit, Hit]]:
    """Every expected hit with ours of the same id; with the one in its place without ids."""
    if all("id" in hit for hit in theirs):
        by_id = {hit.get("id"): hit for hit in own}
        return [(by_id.get(hit["id"], {}), hit) for hit in theirs]
    return list(itertools.zip_longest(own, theirs, fillvalue={}))


def _same_score(own: dict[str, Any], theirs: dict[str, Any]) -> bool:
    return abs(own.get("_rankingScore", -1) - theirs["_rankingScore"]) < 1e-9 and own.get(
        "_rankingScoreDetails"
    ) == theirs.get("_rankingScoreDetails")


def _same_order(mine: list[Any], theirs: list[dict[str, Any]]) -> bool:
    """Same ids; where recorded scores are equal, their order is free."""
    if any("_rankingScore" not in hit for hit in theirs):
        return mine == [hit.get("id") for hit in theirs]
    at = 0
    while at < len(theirs):
        until = at
        while until < len(theirs) and theirs[until]["_rankingScore"] == theirs[at]["_rankingScore"]:
            until += 1
        if set(mine[at:until]) != {hit.get("id") for hit in theirs[at:until]}:
            # The last group may be cut by the limit anywhere.
            return (
                until == len(theirs) and len(mine) == len(theirs) and at > 0 and len(theirs) >= 20
            )
        at = until
    return len(mine) == len(theirs)
