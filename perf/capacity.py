"""How many machines a load needs: computed from the costs that `perf.costs` measured.

`python -m perf.capacity costs.json` prints a table for 12 million, 36 million and a billion requests an hour over a
million, ten and a hundred million programs. The assumptions are the fields of `Load` and the constants below.
"""

import argparse
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

# Part of a machine's processors that the plan uses; the autoscaler's target is the same.
BUSY = 0.7
# Processors of an API instance, an engine and a PostgreSQL server, and the most instances that the autoscaler makes.
API_CORES, ENGINE_CORES, DATABASE_CORES, MAX_INSTANCES = 2, 8, 8, 20
# The memory of the largest machine that an engine is planned on, in bytes.
ENGINE_MEMORY = 256 * 2**30
# Seconds for which Redis keeps an answer, weighted by the mix (pages 60 s, programs 600 s).
KEPT_SECONDS = 0.9 * 60 + 0.1 * 600
# What Redis needs for an answer, compared with its bytes.
STORED = 1.2
# What one network interface carries, in bits a second.
INTERFACE = 10e9


@dataclass(frozen=True)
class Load:
    """What is asked of the product.

    Attributes:
        per_hour: Requests an hour.
        programs: Programs in the catalogue.
        hits: Share of requests that a process's memory or Redis answers.
        edge: Share of requests that an edge cache answers before they reach the API.
        peak: The busiest second compared with the mean.
        publishes: Changed programs a second.
    """

    per_hour: float
    programs: float
    hits: float = 0.95
    edge: float = 0.0
    peak: float = 2.0
    publishes: float = 5.0


@dataclass(frozen=True)
class Plan:
    """What it takes.

    Attributes:
        per_second: Requests that reach the API in the busiest second.
        api_cores: Processors of the API.
        instances: API instances of `API_CORES` processors.
        engines: Engines of `ENGINE_CORES` processors, each with all programs.
        engine_bytes: Memory of an engine's index.
        replicas: Replicas of PostgreSQL.
        database_bytes: Size of the database.
        cache_bytes: Memory of Redis for cached answers.
        bits: Bits a second that the API sends.
        bottleneck: What ends first.
    """

    per_second: float
    api_cores: float
    instances: int
    engines: int
    engine_bytes: float
    replicas: int
    database_bytes: float
    cache_bytes: float
    bits: float
    bottleneck: str


def plan(load: Load, costs: dict[str, Any]) -> Plan:
    """Return what a load takes.

    Args:
        load: The load.
        costs: What `perf.costs` wrote.
    """
    micro = costs["microseconds"]
    sizes = costs["answerBytes"]
    asked = load.per_hour / 3600 * load.peak
    reached = asked * (1 - load.edge)
    missed = reached * (1 - load.hits)
    # The mix is 60 % search, 30 % browse, 10 % single programs; a page of browsing costs what a search costs.
    searches, lookups = missed * 0.9, missed * 0.1
    api = (
        (reached - missed) * micro["hot hit"]["api"]
        + searches * micro["search miss"]["api"]
        + lookups * micro["lookup miss"]["api"]
        + load.publishes * micro["publish"]["api"]
    ) / 1e6
    # An engine gets its share of the searches, and all changes.
    engine = searches * micro["search miss"]["searchnode"] / 1e6
    changes = load.publishes * micro["publish"]["searchnode"] / 1e6
    database = (
        searches * micro["search miss"]["postgres"] + lookups * micro["lookup miss"]["postgres"]
    ) / 1e6
    api_cores = api / BUSY
    answer = 0.6 * sizes["search"] + 0.3 * sizes["browse"] + 0.1 * sizes["program"]
    engine_bytes = load.programs * costs["engineMemoryBytesPerProgram"]
    found = Plan(
        per_second=reached,
        api_cores=api_cores,
        instances=max(3, math.ceil(api_cores / API_CORES)),
        engines=max(2, math.ceil(engine / max(0.1, ENGINE_CORES * BUSY - changes)) + 1),
        engine_bytes=engine_bytes,
        replicas=max(1, math.ceil(database / (DATABASE_CORES * BUSY))),
        database_bytes=load.programs * costs["databaseBytesPerProgram"],
        cache_bytes=missed * KEPT_SECONDS * answer * STORED,
        bits=reached * answer * 8,
        bottleneck="",
    )
    return Plan(**{**vars(found), "bottleneck": _bottleneck(found)})


def _bottleneck(found: Plan) -> str:
    """Return what ends first, worst first: what no further machine of the same kind mends comes before what one does."""
    if found.engine_bytes > ENGINE_MEMORY:
        return "memory of an engine: sharded indexes"
    if found.instances > MAX_INSTANCES:
        return f"{MAX_INSTANCES} instances: an edge cache, or more of them"
    if found.bits > INTERFACE:
        return "network of one edge: several, or an edge cache"
    return "processors of the API: more instances"


def _size(value: float) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < 1024:
            return f"{value:.0f} {unit}"
        value /= 1024
    return f"{value:.1f} TiB"


def main() -> None:
    """Print the table for the loads of the documentation."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("costs", type=Path)
    parser.add_argument("--hits", type=float, default=Load.hits)
    given = parser.parse_args()
    costs = json.loads(given.costs.read_text())
    table = Table()
    titles = "requests/h|edge|programs|req/s|API cores|instances|engines|index|replicas|database|Redis|Gbit/s|ends first"
    for title in titles.split("|"):
        table.add_column(title, justify="left" if title == "ends first" else "right")
    for per_hour, edge in ((12e6, 0.0), (36e6, 0.0), (1e9, 0.0), (1e9, 0.8)):
        for programs in (1e6, 10e6, 100e6):
            found = plan(Load(per_hour, programs, hits=given.hits, edge=edge), costs)
            table.add_row(
                f"{per_hour / 1e6:,.0f} M",
                f"{edge:.0%}",
                f"{programs / 1e6:.0f} M",
                f"{found.per_second:,.0f}",
                f"{found.api_cores:.1f}",
                str(found.instances),
                str(found.engines),
                _size(found.engine_bytes),
                str(found.replicas),
                _size(found.database_bytes),
                _size(found.cache_bytes),
                f"{found.bits / 1e9:.2f}",
                found.bottleneck,
            )
    Console(width=170).print(table)


if __name__ == "__main__":
    main()
