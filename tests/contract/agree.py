"""The search node beside another server: the same documents, settings and queries to both.

`python -m tests.contract.agree --url URL --key KEY [--catalogue FILE.jsonl] [--each 20] [--seed 1]`
Empties the indexes it uses. Ends with 1 when a bar of the contract does not hold.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from indexer.index_settings import SETTINGS
from perf.bench_node import Documents, Server, node
from tests.contract.agree_management import Management
from tests.contract.agree_queries import Queries, catalogue
from tests.contract.agree_requests import Made, Requests
from tests.contract.compare import Outcome, compare_answers

UID = "agree"
FIRST_HIT, TOP_TEN = 0.95, 0.90
# What a catalogue of programs is asked by, with everything else as it is by default.
DEFAULTS = {name: SETTINGS[name] for name in ("filterableAttributes", "sortableAttributes")}
SETTINGS_TO_TRY: dict[str, dict[str, Any]] = {
    "the product's": SETTINGS,
    "default": DEFAULTS,
    "others": DEFAULTS | {
        "searchableAttributes": ["title", "people", "description"],
        "rankingRules": ["sort", "typo", "words", "attribute", "exactness", "proximity", "releaseDate:desc"],
        "stopWords": ["the", "of", "في", "من"], "synonyms": {"film": ["movie", "فيلم"], "فيلم": ["film"]},
        "typoTolerance": {"minWordSizeForTypos": {"oneTypo": 3, "twoTypos": 6}, "disableOnNumbers": True},
        "distinctAttribute": "categoryId", "proximityPrecision": "byAttribute",
        "pagination": {"maxTotalHits": 50}, "faceting": {"maxValuesPerFacet": 7},
    },
}  # fmt: skip


@dataclass
class Tally:
    """How far two servers agree on one kind of request."""

    asked: int = 0
    same: int = 0
    first: int = 0
    overlap: float = 0.0
    examples: list[str] = field(default_factory=list)

    def add(self, outcome: Outcome, about: str) -> None:
        """Count one request."""
        self.asked += 1
        self.same += not outcome.differences
        self.first += outcome.first_hit is not False
        self.overlap += 1.0 if outcome.overlap is None else outcome.overlap
        self.examples += [f"{about}: {difference}" for difference in outcome.differences]


class Pair:
    """Two servers that are asked the same."""

    def __init__(self, own: Server, other: Server) -> None:
        self.both = own, other

    def ask(self, method: str, path: str, body: Any = None) -> Outcome:
        """The same request to both, compared in everything but the order of equal hits."""
        (status, own), (expected, theirs) = (
            server.answer(method, path, body) for server in self.both
        )
        asked = body if isinstance(body, dict) else {}
        outcome = Outcome(0, f"{method} {path}", [])
        compare_answers((status, own), (expected, theirs), asked, outcome)
        return outcome

    def finish(self, method: str, path: str, body: Any = None) -> Outcome:
        """The same task to both, until both are done."""
        outcome = Outcome(0, f"{method} {path}", [])
        answers = [server.answer(method, path, body) for server in self.both]
        if all(status == 202 for status, _ in answers):
            done = [s.wait(a["taskUid"]) for s, (_, a) in zip(self.both, answers, strict=True)]
            answers = [(200, task) for task in done]
        compare_answers(answers[0], answers[1], {}, outcome)
        return outcome

    def fill(self, settings: dict[str, Any], documents: list[dict[str, Any]]) -> None:
        """A fresh index with these settings and documents on both."""
        for server in self.both:
            for uid in (UID, f"{UID}other", "other", "otherother"):
                server.wait(server.answer("DELETE", f"/indexes/{uid}")[1]["taskUid"])
            for method, path, body in (
                ("POST", "/indexes", {"uid": UID, "primaryKey": "id"}),
                ("PATCH", f"/indexes/{UID}/settings", settings),
                ("POST", f"/indexes/{UID}/documents", documents),
            ):
                server.finish(server.ask(method, path, body)["taskUid"])


def text_queries(pair: Pair, queries: Queries, each: int, tallies: dict[str, Tally]) -> None:
    """Ask text queries with every rule's score."""
    for kind, text in queries.of_every_kind(each):
        body = {"q": text, "limit": 20, "attributesToRetrieve": ["id"], "showRankingScore": True}
        outcome = pair.ask("POST", f"/indexes/{UID}/search", body)
        tallies.setdefault(kind, Tally()).add(outcome, json.dumps(text, ensure_ascii=False))


def requests(
    pair: Pair, seed: int, count: int, documents: Documents, tallies: dict[str, Tally]
) -> None:
    """Ask for filters, sorts, facets, pages, highlights, changes, and much that is wrong."""

    def add(made: Made, ask: Callable[..., Outcome]) -> None:
        kind, method, path, body = made
        about = f"{method} {path} {json.dumps(body, ensure_ascii=False)}"
        tallies.setdefault(kind, Tally()).add(ask(method, path, body), about)

    for made in Requests(documents, seed, UID).searches(count):
        add(made, pair.ask)
    for made in Management(seed, UID).requests(count // 4):
        add(made, pair.finish)


def shown(name: str, tallies: dict[str, Tally], *, verbose: int) -> Table:
    """The tallies as a table; with `verbose` so many examples of each kind go before it."""
    table = Table(title=f"with {name} settings")
    for column in ("", "asked", "agree wholly", "first hit", "top ten"):
        table.add_column(column, justify="right" if column else "left")
    for kind, tally in tallies.items():
        for example in tally.examples[:verbose]:
            print(f"[{kind}] {example[:700]}")
        shares = (tally.same, tally.first, tally.overlap)
        table.add_row(kind, str(tally.asked), *(f"{share / tally.asked:.1%}" for share in shares))
    return table


def holds(tallies: dict[str, Tally]) -> bool:
    """Do first hits and first tens agree as often as they must?"""
    asked = sum(tally.asked for tally in tallies.values())
    first = sum(tally.first for tally in tallies.values()) / asked
    overlap = sum(tally.overlap for tally in tallies.values()) / asked
    print(f"first hit {first:.2%}, top ten {overlap:.2%} of {asked}")
    return first >= FIRST_HIT and overlap >= TOP_TEN


def main() -> None:
    """Print how far the node agrees with the server."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True)
    parser.add_argument("--key", required=True)
    parser.add_argument("--catalogue", type=Path)
    parser.add_argument("--each", type=int, default=20)
    parser.add_argument("--requests", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--verbose", type=int, default=0, metavar="EXAMPLES")
    options = parser.parse_args()
    documents = catalogue(options.catalogue)
    good = True
    with tempfile.TemporaryDirectory() as folder, node(Path(folder)) as own:
        pair = Pair(own, Server(options.url, options.key))
        for name, settings in SETTINGS_TO_TRY.items():
            pair.fill(settings, documents)
            texts: dict[str, Tally] = {}
            others: dict[str, Tally] = {}
            text_queries(pair, Queries(documents, options.seed), options.each, texts)
            requests(pair, options.seed, options.requests, documents, others)
            Console().print(shown(name, texts | others, verbose=options.verbose))
            good = holds(texts) and good
    sys.exit(not good)


if __name__ == "__main__":
    main()
