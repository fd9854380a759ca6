"""The golden queries: searches of every kind over the demo catalogue, written by hand, each with its right answer.

A test asks them all of the product. A rebuild asks those whose programs are in the catalogue (`indexer.rebuild.golden`).
"""

from importlib.resources import files

import msgspec


class GoldenQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A line of queries.jsonl: one of `slug`, `series` and `people` says what the first hit must be.

    `kind` is how the query is typed, `slug` the address of a program, `series` that of a series of which any program
    is right, `people` names of which the program must have one.
    """

    kind: str
    q: str
    slug: str | None = None
    series: str | None = None
    people: list[str] | None = None


def queries() -> list[GoldenQuery]:
    """Return the golden queries, in the order of their kinds."""
    text = files("catalog.seed").joinpath("data", "queries.jsonl").read_text(encoding="utf-8")
    return [msgspec.json.decode(line, type=GoldenQuery) for line in text.splitlines()]
