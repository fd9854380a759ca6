"""Replays recorded requests against a server and says where its answers disagree.

As a program: `python -m tests.searchnode.contract.replay --url URL --key KEY [--only NAME] [--verbose]`.
`recordings/README.md` describes the recordings.
"""

import argparse
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from deploy.searchnode import unsupported
from tests.searchnode.contract.compare import Outcome, compare_answers, compare_tasks
from tests.support.paths import SHARED

RECORDINGS = Path(__file__).parent / "recordings"
REAL = SHARED / "meilisearch"
# Recorded from a real Meilisearch on one server, in this order: later ones find what earlier ones left.
SCENARIOS = ("indexes", "documents", "settings", "search", "keys", "tasks", "ranking", "settings-effects")
# Written by hand; each begins with an empty server.
BY_HAND = ("by_hand/indexes", "by_hand/documents", "by_hand/search", "by_hand/access")
# The indexes that each scenario first had deleted, whether they existed or not.
_OWN_INDEXES = {
    "indexes": ("a", "b"),
    "documents": ("d",),
    "settings": ("s",),
    "search": ("p",),
    "tasks": ("t",),
    "ranking": ("r",),
    "settings-effects": ("e",),
}
_TIMEOUT_SECONDS = 120


def recording(name: str) -> Path | None:
    """Return the file of a scenario: in the checkout or beside it; None when it is in neither."""
    for folder in (RECORDINGS, REAL):
        if (folder / f"{name}.json").exists():
            return folder / f"{name}.json"
    return None


@dataclass(frozen=True)
class Summary:
    """How far one scenario agrees."""

    agree: int
    unsupported: int
    steps: int
    first_hit: float | None
    overlap: float | None
    scores: float | None

    @classmethod
    def of(cls, outcomes: list[Outcome]) -> "Summary":
        """Sum up the outcomes of a scenario's steps."""
        text = [o for o in outcomes if o.first_hit is not None]
        scored = [o.scores for o in outcomes if o.scores[1]]
        return cls(
            sum(not o.differences and not o.unsupported for o in outcomes),
            sum(o.unsupported is not None and not o.differences for o in outcomes),
            len(outcomes),
            sum(bool(o.first_hit) for o in text) / len(text) if text else None,
            sum(o.overlap or 0 for o in text) / len(text) if text else None,
            sum(a for a, _ in scored) / sum(n for _, n in scored) if scored else None,
        )

    def __str__(self) -> str:
        parts = [f"{self.agree}/{self.steps} agree"]
        if self.unsupported:
            parts.append(f"{self.unsupported} unsupported and answered so")
        for name, value in (
            ("first hit", self.first_hit),
            ("top ten", self.overlap),
            ("scores", self.scores),
        ):
            if value is not None:
                parts.append(f"{name} {value:.1%}")
        return ", ".join(parts)


class Replayer:
    """Sends the steps of scenarios in order, as they were recorded."""

    def __init__(self, url: str, key: str) -> None:
        self.url, self.master = url.rstrip("/"), key
        self.session = requests.Session()
        # Name of a key -> its secret here; recorded uid of a key -> its uid here.
        self.secrets: dict[str, str] = {}
        self.uids: dict[str, str] = {}

    def run(self, name: str, path: Path) -> list[Outcome]:
        """Replay every step of a scenario."""
        if name in BY_HAND:
            self.reset()
        for uid in _OWN_INDEXES.get(name, ()):
            self.finish(self._call("DELETE", f"/indexes/{uid}").json()["taskUid"])
        steps = json.loads(path.read_text())["steps"]
        return [self._step(n, step) for n, step in enumerate(steps)]

    def reset(self) -> None:
        """Delete every index, so that the server is as empty as when the recording began."""
        for index in self._call("GET", "/indexes?limit=1000").json()["results"]:
            self.finish(self._call("DELETE", f"/indexes/{index['uid']}").json()["taskUid"])

    def _call(self, method: str, path: str, key: str | None = None, **arguments: Any) -> requests.Response:
        headers = dict(arguments.pop("headers", {}))
        secret = self.master if key is None else self.secrets.get(key, key)
        if key != "none":
            headers["Authorization"] = f"Bearer {secret}"
        return self.session.request(
            method, self.url + path, headers=headers, timeout=_TIMEOUT_SECONDS, **arguments
        )

    def finish(self, uid: int) -> dict[str, Any]:
        """Wait for a task and return it."""
        deadline = time.monotonic() + _TIMEOUT_SECONDS
        while time.monotonic() < deadline:
            task: dict[str, Any] = self._call("GET", f"/tasks/{uid}").json()
            if task["status"] not in ("enqueued", "processing"):
                return task
            time.sleep(0.01)
        raise TimeoutError(f"task {uid}")

    def _step(self, number: int, step: dict[str, Any]) -> Outcome:
        request, expected = step["request"], step["response"]
        path = request["path"]
        for recorded, own in self.uids.items():
            path = path.replace(recorded, own)
        answer = self._call(request["method"], path, request.get("key"), **_payload(request))
        body = answer.json() if answer.content else None
        if request["method"] == "POST" and path == "/keys" and answer.status_code == 201:
            self.secrets[body["name"]] = body["key"]
            self.uids[expected["body"]["uid"]] = body["uid"]
        outcome = Outcome(
            number, f"{request['method']} {path} {json.dumps(request.get('body'), ensure_ascii=False)}", []
        )
        feature = unsupported.feature_of(
            request["method"], path, request.get("body"), request.get("contentType", "")
        )
        if feature is not None and _is_refusal(body) and answer.status_code != expected["status"]:
            outcome.unsupported = feature.what
        elif answer.status_code == expected["status"] and (answer.status_code == 202 or "task" in step):
            if isinstance(body, dict) and "taskUid" in body:
                done = self.finish(body["taskUid"])
                compare_tasks(done, step.get("task") or {}, outcome)
        else:
            compare_answers(
                (answer.status_code, body),
                (expected["status"], expected["body"]),
                request.get("body") or {},
                outcome,
            )
        return outcome


def _payload(request: dict[str, Any]) -> dict[str, Any]:
    """Return the body of a recorded request as `requests` takes it."""
    if "raw" in request:
        return {"data": request["raw"].encode(), "headers": {"Content-Type": request["contentType"]}}
    if "bodyFile" in request:
        name = request["bodyFile"].partition(" ")[0]
        lines = (REAL / name).read_bytes().splitlines()
        return {"json": [json.loads(line) for line in lines if line.strip()]}
    return {"json": request["body"]} if "body" in request else {}


def _is_refusal(body: Any) -> bool:
    """Return whether an answer refuses an unsupported feature, in the form of every error."""
    return (
        isinstance(body, dict)
        and body.keys() == {"message", "code", "type", "link"}
        and body["code"] == "unsupported"
        and bool(body["message"])
    )


def main() -> None:
    """Print how far each scenario agrees."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True)
    parser.add_argument("--key", required=True)
    parser.add_argument("--only")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    replayer = Replayer(options.url, options.key)
    replayer.reset()
    for name in (*SCENARIOS, *BY_HAND):
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
