"""Replays recorded requests against a server and says where its answers disagree.

As a program: `python -m tests.contract.replay --url URL --key KEY [--only NAME] [--verbose]`.
"""

import argparse
import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

RECORDINGS = Path(__file__).parent / "recordings"
SHARED = Path(__file__).parents[3] / "shared" / "meilisearch"
SCENARIOS = (
    "indexes",
    "documents",
    "settings",
    "keys",
    "tasks",
    "search",
    "ranking",
    "settings-effects",
)
_TIMEOUT = 120


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
    note: dict[str, Any] = field(default_factory=dict)


class Replayer:
    """Sends one scenario's steps in order, as the recording did."""

    def __init__(self, url: str, key: str) -> None:
        self.url, self.master = url.rstrip("/"), key
        self.session = requests.Session()
        self.made: dict[str, str] = {}

    def run(self, path: Path) -> list[Outcome]:
        """Every step of the file, in order."""
        self.reset()
        steps = json.loads(path.read_text())["steps"]
        return [self._step(n, step) for n, step in enumerate(steps)]

    def reset(self) -> None:
        """An empty server, as the recording began with."""
        for index in self._call("GET", "/indexes?limit=1000").json()["results"]:
            self._finish(self._call("DELETE", f"/indexes/{index['uid']}").json()["taskUid"])

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

    def _finish(self, uid: int) -> dict[str, Any]:
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
        for name, secret in self.made.items():
            path = path.replace(f"<{name}>", secret)
        got = self._call(asked["method"], path, asked.get("key"), **arguments)
        body = got.json() if got.content else None
        if asked["method"] == "POST" and path == "/keys" and got.status_code == 201:
            self.made[body["name"]] = body["key"]
        outcome = Outcome(
            number,
            f"{asked['method']} {path} {json.dumps(asked.get('body'), ensure_ascii=False)}",
            [],
        )
        if got.status_code != expected["status"]:
            outcome.differences.append(f"status {got.status_code}, recorded {expected['status']}")
        elif got.status_code >= 400:
            for name in ("code", "type"):
                if expected["body"] and body.get(name) != expected["body"].get(name):
                    outcome.differences.append(
                        f"{name} {body.get(name)}, recorded {expected['body'].get(name)}"
                    )
        elif got.status_code == 202 or "task" in step:
            if isinstance(body, dict) and "taskUid" in body:
                done = self._finish(body["taskUid"])
                _compare_task(done, step.get("task") or {}, outcome)
        elif isinstance(expected["body"], dict) and "hits" in expected["body"]:
            _compare_hits(body, expected["body"], asked.get("body") or {}, outcome)
        elif isinstance(expected["body"], dict) and "queries" in (asked.get("body") or {}):
            pairs = zip(
                body["results"], expected["body"]["results"], asked["body"]["queries"], strict=True
            )
            for own, theirs, query in pairs:
                _compare_hits(own, theirs, query, outcome)
        else:
            own, theirs = _comparable(body), _comparable(expected["body"])
            if own != theirs:
                outcome.differences.append(
                    f"body {json.dumps(own, ensure_ascii=False)[:600]}, recorded {json.dumps(theirs, ensure_ascii=False)[:600]}"
                )
        return outcome


_VOLATILE = {
    "createdAt", "updatedAt", "uid", "taskUid", "enqueuedAt", "startedAt", "finishedAt", "duration",
    "batchUid", "processingTimeMs", "requestUid", "key", "commitSha", "commitDate", "pkgVersion",
    "rawDocumentDbSize", "avgDocumentSize", "databaseSize", "usedDatabaseSize", "lastUpdate",
    "message", "link", "canceledBy", "from", "next", "total", "originalFilter", "serverVersion",
}  # fmt: skip


def _comparable(value: Any, *, inside: bool = False) -> Any:
    if isinstance(value, dict):
        return {k: _comparable(v, inside=True) for k, v in value.items() if k not in _VOLATILE}
    if isinstance(value, list):
        return [_comparable(v, inside=True) for v in value]
    return value


def _compare_task(own: dict[str, Any], theirs: dict[str, Any], outcome: Outcome) -> None:
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


def _compare_hits(
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
    if not _same_order(mine, theirs["hits"]):
        outcome.differences.append(f"hits {mine[:12]}, recorded {recorded[:12]}")
        return
    by_id = {hit.get("id"): hit for hit in own["hits"]}
    for hit in theirs["hits"]:
        for name in ("_formatted", "_matchesPosition"):
            if name in hit and by_id.get(hit.get("id"), {}).get(name) != hit[name]:
                outcome.differences.append(
                    f"{name} {json.dumps(by_id.get(hit.get('id'), {}).get(name), ensure_ascii=False)[:300]}, recorded {json.dumps(hit[name], ensure_ascii=False)[:300]}"
                )
                return


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
    for name in SCENARIOS:
        path = recording(name)
        if path is None or (options.only and name != options.only):
            continue
        outcomes = Replayer(options.url, options.key).run(path)
        agree = sum(not o.differences for o in outcomes)
        text = [o for o in outcomes if o.first_hit is not None]
        line = f"{name:18} {agree}/{len(outcomes)} agree"
        if text:
            first = sum(bool(o.first_hit) for o in text) / len(text)
            overlap = sum(o.overlap or 0 for o in text) / len(text)
            line += f", first hit {first:.1%}, top ten {overlap:.1%}"
        print(line)
        if options.verbose:
            for outcome in outcomes:
                for difference in outcome.differences:
                    print(f"  {outcome.step}: {outcome.request[:200]}\n     {difference}")


if __name__ == "__main__":
    main()
