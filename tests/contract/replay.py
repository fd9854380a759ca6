"""Replays recorded requests against a server and says where its answers disagree.

As a program: `python -m tests.contract.replay --url URL --key KEY [--only NAME] [--verbose]`.
"""

import argparse
import itertools
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from deploy.local.searchnode import left_out

RECORDINGS = Path(__file__).parent / "recordings"
SHARED = Path(__file__).parents[3] / "shared" / "meilisearch"
# In the order in which they were recorded, on one server: later ones find what earlier ones left.
SCENARIOS = (
    "indexes",
    "documents",
    "settings",
    "search",
    "keys",
    "tasks",
    "ranking",
    "settings-effects",
)
# What every scenario first had deleted, whether it was there or not.
_OWN = {
    "indexes": ("a", "b"), "documents": ("d",), "settings": ("s",), "search": ("p",),
    "tasks": ("t",), "ranking": ("r",), "settings-effects": ("e",),
}  # fmt: skip
_TIMEOUT = 120
Hit = dict[str, Any]


def recording(name: str) -> Path | None:
    """Where a scenario's file is: ours, or beside the checkout; None when it is nowhere."""
    for folder in (RECORDINGS, SHARED):
        if (folder / f"{name}.json").exists():
            return folder / f"{name}.json"
    return None


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


@dataclass(frozen=True)
class Summary:
    """One scenario's agreement."""

    agree: int
    left_out: int
    steps: int
    first_hit: float | None
    overlap: float | None
    scores: float | None

    @classmethod
    def of(cls, outcomes: list[Outcome]) -> "Summary":
        text = [o for o in outcomes if o.first_hit is not None]
        scored = [o.scores for o in outcomes if o.scores[1]]
        return cls(
            sum(not o.differences and not o.left_out for o in outcomes),
            sum(o.left_out is not None and not o.differences for o in outcomes),
            len(outcomes),
            sum(bool(o.first_hit) for o in text) / len(text) if text else None,
            sum(o.overlap or 0 for o in text) / len(text) if text else None,
            sum(a for a, _ in scored) / sum(n for _, n in scored) if scored else None,
        )

    def __str__(self) -> str:
        parts = [f"{self.agree}/{self.steps} agree"]
        if self.left_out:
            parts.append(f"{self.left_out} left out and said so")
        for name, value in (
            ("first hit", self.first_hit), ("top ten", self.overlap), ("scores", self.scores),
        ):  # fmt: skip
            if value is not None:
                parts.append(f"{name} {value:.1%}")
        return ", ".join(parts)


class Replayer:
    """Sends one scenario's steps in order, as the recording did."""

    def __init__(self, url: str, key: str) -> None:
        self.url, self.master = url.rstrip("/"), key
        self.session = requests.Session()
        # Keys made in a scenario by their name, and the uids recorded for them.
        self.made: dict[str, str] = {}
        self.uids: dict[str, str] = {}

    def run(self, name: str, path: Path) -> list[Outcome]:
        """Every step of a scenario, in order."""
        for uid in _OWN.get(name, ()):
            self.finish(self._call("DELETE", f"/indexes/{uid}").json()["taskUid"])
        steps = json.loads(path.read_text())["steps"]
        return [self._step(n, step) for n, step in enumerate(steps)]

    def reset(self) -> None:
        """An empty server, as the recording began with."""
        for index in self._call("GET", "/indexes?limit=1000").json()["results"]:
            self.finish(self._call("DELETE", f"/indexes/{index['uid']}").json()["taskUid"])

    def _call(
        self, method: str, path: str, key: str | None = None, **arguments: Any
    ) -> requests.Response:
        headers = dict(arguments.pop("headers", {}))
        secret = self.master if key is None else self.made.get(key, key)
        if key != "none":
            headers["Authorization"] = f"Bearer {secret}"
        return self.session.request(
            method, self.url + path, headers=headers, timeout=_TIMEOUT, **arguments
        )

    def finish(self, uid: int) -> dict[str, Any]:
        """The task once it is finished."""
        deadline = time.monotonic() + _TIMEOUT
        while time.monotonic() < deadline:
            task: dict[str, Any] = self._call("GET", f"/tasks/{uid}").json()
            if task["status"] not in ("enqueued", "processing"):
                return task
            time.sleep(0.01)
        raise TimeoutError(f"task {uid}")

    def _step(self, number: int, step: dict[str, Any]) -> Outcome:
        asked, expected = step["request"], step["response"]
        path = asked["path"]
        arguments: dict[str, Any] = {}
        if "raw" in asked:
            arguments = {
                "data": asked["raw"].encode(),
                "headers": {"Content-Type": asked["contentType"]},
            }
        elif "bodyFile" in asked:
            name = asked["bodyFile"].partition(" ")[0]
            lines = (SHARED / name).read_bytes().splitlines()
            arguments = {"json": [json.loads(line) for line in lines if line.strip()]}
        elif "body" in asked:
            arguments = {"json": asked["body"]}
        for recorded, own in self.uids.items():
            path = path.replace(recorded, own)
        got = self._call(asked["method"], path, asked.get("key"), **arguments)
        body = got.json() if got.content else None
        if asked["method"] == "POST" and path == "/keys" and got.status_code == 201:
            self.made[body["name"]] = body["key"]
            self.uids[expected["body"]["uid"]] = body["uid"]
        outcome = Outcome(
            number,
            f"{asked['method']} {path} {json.dumps(asked.get('body'), ensure_ascii=False)}",
            [],
        )
        row = left_out.row_of(
            asked["method"], path, asked.get("body"), asked.get("contentType", "")
        )
        if row is not None and _refused(body) and got.status_code != expected["status"]:
            outcome.left_out = row.what
        elif got.status_code == expected["status"] and (got.status_code == 202 or "task" in step):
            if isinstance(body, dict) and "taskUid" in body:
                done = self.finish(body["taskUid"])
                compare_tasks(done, step.get("task") or {}, outcome)
        else:
            compare_answers(
                (got.status_code, body), (expected["status"], expected["body"]),
                asked.get("body") or {}, outcome,
            )  # fmt: skip
        return outcome


def _refused(body: Any) -> bool:
    """Is this an explicit refusal, in the form of every error?"""
    return (
        isinstance(body, dict)
        and body.keys() == {"message", "code", "type", "link"}
        and body["code"] == "unsupported"
        and bool(body["message"])
    )


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


def main() -> None:
    """Print agreement per scenario."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True)
    parser.add_argument("--key", required=True)
    parser.add_argument("--only")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    replayer = Replayer(options.url, options.key)
    replayer.reset()
    for name in SCENARIOS:
        path = recording(name)
        if path is None or (options.only and name not in options.only.split(",")):
            continue
        outcomes = replayer.run(name, path)
        print(f"{name:18} {Summary.of(outcomes)}")
        for outcome in outcomes if options.verbose else ():
            for difference in outcome.differences:
                print(f"  {outcome.step}: {outcome.request[:200]}\n     {difference}")


if __name__ == "__main__":
    main()
