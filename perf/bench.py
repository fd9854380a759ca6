"""Hot answers beside the server that gives them: how many a second, how fast, and their processor time.

`python -m perf.bench [--programs 20000] [--seconds 3] [--rounds 3] [--results perf/results]` needs wrk. Beside each kind of
request, the same server answers the same number of bytes with an application that does nothing else, over RSGI and over ASGI. All
take turns.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table
from sqlalchemy import text

from deploy.local import ports
from deploy.local.stack import answers
from perf.turns import Figures, Side, asked, body_bytes, medians, mission_mix, ratio, wrk
from tests.support.stack import Product, product

RESULTS = Path(__file__).parent / "results"
# Pages of listeners that are asked for beside the mix: the home page, and results.
PAGES = ("/ar", "/ar/search?q=coffee")
CONNECTIONS = (32, 256)
MIX, HOT, LIVE = "warm mix", "hot program", "/health/live"
# The least rate beside the same server over RSGI, and the most time at the 99th percentile beside its.
BARS = {MIX: 0.80, HOT: 0.85, LIVE: 0.85}
BAR_P99 = 2.0
_AS_IT_IS = {"MIX_ENCODING": "identity"}


@contextmanager
def raw(interface: str) -> Iterator[Side]:
    """Run the server with an application that does nothing else than answer, until the block ends.

    Args:
        interface: `rsgi` or `asgi`.
    """
    port, granian = ports.ephemeral(), [sys.executable, "-m", "granian"]
    spoken = {"asgi": "asginl"}.get(interface, interface)
    options = ["--interface", spoken, "--loop", "uvloop", "--http", "1", "--no-ws", "--port", str(port)]
    server = subprocess.Popen(
        [*granian, *options, f"perf.raw:{interface}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        while not answers(f"http://127.0.0.1:{port}/bytes/1"):
            time.sleep(0.1)
        yield Side(f"raw {interface.upper()}", f"http://127.0.0.1:{port}", server.pid)
    finally:
        server.terminate()
        server.wait(20)


def kinds(running: Product) -> dict[str, dict[str, str]]:
    """Return the kinds of requests: name -> what `mix.lua` is told.

    Args:
        running: The product, with its programs.
    """
    generated = "source_type = 'generated' AND status = 'published'"
    with running.database.connect() as connection:
        found = list(connection.scalars(text(f"SELECT id FROM programs WHERE {generated} ORDER BY id")))
    mix = mission_mix(found, running.home)
    return {
        MIX: mix,
        HOT: mix | _AS_IT_IS | {"MIX_PAGE": f"/discovery/programs/{found[0]}"},
        LIVE: mix | _AS_IT_IS | {"MIX_PAGE": "/health/live"},
        **{page: mix | {"MIX_PAGE": page} for page in PAGES},
    }


def measure(
    sides: list[Side], asking: dict[str, str], seconds: int, rounds: int, connections: int
) -> list[list[Figures]]:
    """Return the figures of each side, round by round; the first is the product, the others answer as many bytes.

    Args:
        sides: The product, and the server alone.
        asking: What `mix.lua` is told.
        seconds: How long a side is asked at a time.
        rounds: How often each has its turn.
        connections: How many connections are open.
    """
    found: list[list[Figures]] = [[] for _ in sides]
    for _ in range(rounds):
        size = 0
        for side, figures in zip(sides, found, strict=True):
            sized = asking | {"MIX_PAGE": f"/bytes/{size}"} if figures is not found[0] else asking
            figures.append(asked(side, seconds, connections, sized))
            size = size or body_bytes(figures[-1])
    return found


def commit() -> str:
    """Return the short name of the commit that is measured."""
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        cwd=RESULTS.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or "unknown"


def main() -> None:
    """Measure, print the table, and write the run's figures.

    Raises:
        SystemExit: There is no wrk on PATH.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", type=int, default=20_000)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args()
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is not installed")
    rows: list[dict[str, object]] = []
    table = Table(title=f"hot answers over {options.programs:,} programs, beside the server alone")
    for column in (
        "",
        "conns",
        "req/s",
        "÷ RSGI",
        "÷ ASGI",
        "bar",
        "p50",
        "p95",
        "p99 ms",
        "÷ RSGI",
        "CPU µs",
        "RSGI",
        "ASGI",
        "not 2xx",
    ):
        table.add_column(column, justify="right" if column else "left")
    with ExitStack() as opened:
        running = opened.enter_context(product(options.programs))
        ours = Side("product", running.api, running.pid("api"))
        sides = [ours, *(opened.enter_context(raw(interface)) for interface in ("rsgi", "asgi"))]
        asking = kinds(running)
        # Two draws of the mix: most of the second is known from the first.
        wrk(running.api, 5 * options.seconds, CONNECTIONS[0], asking[MIX])
        for connections in CONNECTIONS:
            for name, told in asking.items():
                wrk(running.api, 1, connections, told)
                found = measure(sides, told, options.seconds, options.rounds, connections)
                row = _row(name, connections, found)
                rows.append(row)
                table.add_row(*_shown(row))
        memory = [size // 10**6 for size in running.resident("api")]
    Console(width=140).print(table)
    made = datetime.now(UTC)
    run = {
        "at": made.isoformat(timespec="seconds"),
        "commit": commit(),
        "processors": os.cpu_count(),
        "programs": options.programs,
        "seconds": options.seconds,
        "rounds": options.rounds,
        "apiMegabytes": memory,
        "rows": rows,
    }
    options.results.mkdir(parents=True, exist_ok=True)
    file = options.results / f"{made:%Y%m%dT%H%M%SZ}-{commit()}.json"
    file.write_text(json.dumps(run, indent=1, ensure_ascii=False) + "\n")
    Console().print(f"API resident: {memory} MB (server, worker)    {file}")


def _row(name: str, connections: int, found: list[list[Figures]]) -> dict[str, object]:
    product_, rsgi, asgi = found
    ratios = {
        f"{figure}{than}": round(ratio(product_, other, figure), 3)
        for figure in ("rate", "p99", "cpu")
        for than, other in (("ToRsgi", rsgi), ("ToAsgi", asgi))
    }
    names = ("product", "rsgi", "asgi")
    figures = {
        side: {figure: round(value, 3) for figure, value in medians(rounds).items()}
        for side, rounds in zip(names, found, strict=True)
    }
    return {"name": name, "connections": connections, "ratios": ratios, **figures}


def _shown(row: dict[str, object]) -> list[str]:
    name, ratios = str(row["name"]), row["ratios"]
    ours, rsgi, asgi = (row[side] for side in ("product", "rsgi", "asgi"))
    assert isinstance(ratios, dict)
    assert isinstance(ours, dict)
    assert isinstance(rsgi, dict)
    assert isinstance(asgi, dict)
    return [
        name,
        str(row["connections"]),
        f"{ours['rate']:,.0f}",
        f"{ratios['rateToRsgi']:.2f}",
        f"{ratios['rateToAsgi']:.2f}",
        f"{BARS[name]:.2f}" if name in BARS else "",
        *(f"{ours[figure]:.2f}" for figure in ("p50", "p95", "p99")),
        f"{ratios['p99ToRsgi']:.2f}",
        *(f"{side['cpu']:.1f}" for side in (ours, rsgi, asgi)),
        f"{ours['errors']:.0f}",
    ]


if __name__ == "__main__":
    main()
