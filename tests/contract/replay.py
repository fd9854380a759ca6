"""Replays recorded requests against a server and says where its answers disagree.

As a program: `python -m tests.contract.replay --url URL --key KEY [--only NAME] [--verbose]`.
"""

import argparse
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from deploy.local.searchnode import left_out
from tests.contract.compare import Outcome, compare_answers, compare_tasks

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


def recording(name: str) -> Path | None:
    """Where a scenario's file is: ours, or beside the checkout; None when it is nowhere."""
    for folder in (RECORDINGS, SHARED):
        if (folder / f"{name}.json").exists():
            return folder / f"{name}.json"
    return None


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
