"""Compares the search node with another server: both get the same documents, settings and requests.

`python -m tests.searchnode.contract.agree --url URL --key KEY [--catalogue FILE.jsonl] [--each 20] [--seed 1]`
It empties the indexes that it uses, and ends with 1 when the first hits or the first tens agree too seldom.
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

from indexer.engines.index_settings import SETTINGS
from tests.searchnode.contract.agree_management import Management
from tests.searchnode.contract.agree_queries import Queries, catalogue
from tests.searchnode.contract.agree_requests import Made, Requests
from tests.searchnode.contract.compare import Outcome, compare_answers
from tests.support.engine_server import Server
from tests.support.nodes import nodes
from tests.support.servers import MASTER_KEY

UID = "agree"
# The share of text queries whose first hit, and of whose ten best hits, must be the same.
FIRST_HIT, TOP_TEN = 0.95, 0.90
# What requests about a catalogue need; all other settings have their defaults.
DEFAULTS = {name: SETTINGS[name] for name in ("filterableAttributes", "sortableAttributes")}
SETTINGS_TO_TRY: dict[str, dict[str, Any]] = {
    "the product's": SETTINGS,
    "default": DEFAULTS,
    "others": DEFAULTS
    | {
        "searchableAttributes": ["title", "people", "description"],
        "rankingRules": ["sort", "typo", "words", "attribute", "exactness", "proximity", "releaseDate:desc"],
        "stopWords": ["the", "of", "في", "من"],
        "synonyms": {"film": ["movie", "فيلم"], "فيلم": ["film"]},
        "typoTolerance": {"minWordSizeForTypos": {"oneTypo": 3, "twoTypos": 6}, "disableOnNumbers": True},
        "distinctAttribute": "categoryId",
        "proximityPrecision": "byAttribute",
        "pagination": {"maxTotalHits": 50},
        "faceting": {"maxValuesPerFacet": 7},
    },
}


@dataclass
class Tally:
    """How far two servers agree on one kind of request."""

    requests: int = 0
    same: int = 0
    first: int = 0
    overlap: float = 0.0
    examples: list[str] = field(default_factory=list)

    def add(self, outcome: Outcome, about: str) -> None:
        """Count the outcome of one request; `about` says which, in examples."""
        self.requests += 1
        self.same += not outcome.differences
        self.first += outcome.first_hit is not False
        self.overlap += 1.0 if outcome.overlap is None else outcome.overlap
        self.examples += [f"{about}: {difference}" for difference in outcome.differences]


class Pair:
    """Two servers that get the same requests."""

    def __init__(self, own: Server, other: Server) -> None:
        self.both = own, other

    def ask(self, method: str, path: str, body: Any = None) -> Outcome:
        """Send a request to both and compare their answers in everything but the order of equal hits.

        Args:
            method: The method of the request.
            path: Its path with the query string.
            body: Its body, not encoded.
        """
        (status, own), (expected, theirs) = (server.answer(method, path, body) for server in self.both)
        parameters = body if isinstance(body, dict) else {}
        outcome = Outcome(0, f"{method} {path}", [])
        compare_answers((status, own), (expected, theirs), parameters, outcome)
        return outcome

    def finish(self, method: str, path: str, body: Any = None) -> Outcome:
        """Send a request to both, wait for its tasks, and compare the finished tasks.

        Args:
            method: The method of the request.
            path: Its path with the query string.
            body: Its body, not encoded.
        """
        outcome = Outcome(0, f"{method} {path}", [])
        answers = [server.answer(method, path, body) for server in self.both]
        if all(status == 202 for status, _ in answers):
            done = [s.wait(a["taskUid"]) for s, (_, a) in zip(self.both, answers, strict=True)]
            answers = [(200, task) for task in done]
        compare_answers(answers[0], answers[1], {}, outcome)
        return outcome

    def fill(self, settings: dict[str, Any], documents: list[dict[str, Any]]) -> None:
        """Create the index anew on both, with these settings and documents."""
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
    """Send text queries of every kind and compare hits and scores.

    Args:
        pair: The two servers.
        queries: Makes the queries.
        each: How many of every kind.
        tallies: Gets a tally for every kind.
    """
    for kind, text in queries.of_every_kind(each):
        body = {"q": text, "limit": 20, "attributesToRetrieve": ["id"], "showRankingScore": True}
        outcome = pair.ask("POST", f"/indexes/{UID}/search", body)
        tallies.setdefault(kind, Tally()).add(outcome, json.dumps(text, ensure_ascii=False))


def requests(
    pair: Pair, seed: int, count: int, documents: list[dict[str, Any]], tallies: dict[str, Tally]
) -> None:
    """Send requests with filters, sorts, facets, pages, highlights and changes, many of them wrong.

    Args:
        pair: The two servers.
        seed: The same seed makes the same requests.
        count: About how many searches; a quarter as many changes.
        documents: The documents on both servers.
        tallies: Gets a tally for every kind.
    """

    def add(made: Made, ask: Callable[..., Outcome]) -> None:
        kind, method, path, body = made
        about = f"{method} {path} {json.dumps(body, ensure_ascii=False)}"
        tallies.setdefault(kind, Tally()).add(ask(method, path, body), about)

    for made in Requests(documents, seed, UID).searches(count):
        add(made, pair.ask)
    for made in Management(seed, UID).requests(count // 4):
        add(made, pair.finish)


def table_of(name: str, tallies: dict[str, Tally], *, verbose: int) -> Table:
    """Return the tallies as a table, and print examples of differences before it.

    Args:
        name: The name of the settings.
        tallies: The tally of every kind.
        verbose: How many examples of every kind.
    """
    table = Table(title=f"with {name} settings")
    for column in ("", "requests", "agree wholly", "first hit", "top ten"):
        table.add_column(column, justify="right" if column else "left")
    for kind, tally in tallies.items():
        for example in tally.examples[:verbose]:
            print(f"[{kind}] {example[:700]}")
        shares = (tally.same, tally.first, tally.overlap)
        table.add_row(kind, str(tally.requests), *(f"{share / tally.requests:.1%}" for share in shares))
    return table


def agrees_enough(tallies: dict[str, Tally]) -> bool:
    """Return whether first hits and tens of best hits agree as often as they must; print how often."""
    requests = sum(tally.requests for tally in tallies.values())
    first = sum(tally.first for tally in tallies.values()) / requests
    overlap = sum(tally.overlap for tally in tallies.values()) / requests
    print(f"first hit {first:.2%}, top ten {overlap:.2%} of {requests}")
    return first >= FIRST_HIT and overlap >= TOP_TEN


def main() -> None:
    """Print how far the node agrees with the other server."""
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
    with tempfile.TemporaryDirectory() as folder, nodes(Path(folder), "node") as (own,):
        pair = Pair(Server(own.url, MASTER_KEY), Server(options.url, options.key))
        for name, settings in SETTINGS_TO_TRY.items():
            pair.fill(settings, documents)
            texts: dict[str, Tally] = {}
            others: dict[str, Tally] = {}
            text_queries(pair, Queries(documents, options.seed), options.each, texts)
            requests(pair, options.seed, options.requests, documents, others)
            Console().print(table_of(name, texts | others, verbose=options.verbose))
            good = agrees_enough(texts) and good
    sys.exit(not good)


if __name__ == "__main__":
    main()
