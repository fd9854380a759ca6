"""Requests per second of a mix of cached requests, beside an empty handler of the same server in the same run.

`python -m perf.bench [--programs 20000] [--seconds 15] [--connections 32]` needs wrk.
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import quote

from rich.console import Console
from rich.table import Table
from sqlalchemy import text

from catalog.seed import words
from deploy.local import ports
from deploy.local.stack import answers
from tests.support.stack import product

HERE = Path(__file__).parent
# Pages of listeners that are asked for beside the mix: the home page, and results.
PAGES = ("/ar", "/ar/search?q=coffee")


def wrk(url: str, seconds: int, connections: int, environment: dict[str, str]) -> dict[str, float]:
    """Run wrk with `mix.lua` once.

    Args:
        url: The server.
        seconds: How long wrk sends.
        connections: How many connections wrk keeps open.
        environment: Variables that `mix.lua` reads.

    Returns:
        `rate` (requests a second), `errors` (answers that are not 2xx), `p50`, `p95` and `p99` (milliseconds).
    """
    script = HERE / "mix.lua"
    done = subprocess.run(
        ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(script), url],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | environment,
        timeout=seconds + 60,
    )
    line = next(row for row in done.stdout.splitlines() if row.startswith("RESULT"))
    requests, micros, errors, p50, p95, p99 = (float(part) for part in line.split()[1:])
    return {
        "rate": requests / (micros / 1e6),
        "errors": errors,
        "p50": p50 / 1000,
        "p95": p95 / 1000,
        "p99": p99 / 1000,
    }


def empty_handler(seconds: int, connections: int, environment: dict[str, str]) -> dict[str, float]:
    """Put the same load on a Granian server whose handler does nothing.

    Args:
        seconds: How long wrk sends.
        connections: How many connections wrk keeps open.
        environment: Variables that `mix.lua` reads; MIX_EMPTY is added, so that all requests go to /.

    Returns:
        As `wrk`.
    """
    port = ports.ephemeral()
    server = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "granian",
            "--interface",
            "asgi",
            "--factory",
            "--loop",
            "uvloop",
            "--port",
            str(port),
            "--no-ws",
            "perf.empty:app",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while not answers(f"http://127.0.0.1:{port}/"):
            time.sleep(0.1)
        return wrk(f"http://127.0.0.1:{port}", seconds, connections, environment | {"MIX_EMPTY": "1"})
    finally:
        server.terminate()
        server.wait(20)


def main() -> None:
    """Measure, and print the table.

    Raises:
        SystemExit: There is no wrk on PATH.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", type=int, default=20_000)
    parser.add_argument("--seconds", type=int, default=15)
    parser.add_argument("--connections", type=int, default=32)
    options = parser.parse_args()
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is not installed")
    vocabulary = [
        word for pair in zip(words.arabic()[:400], words.english()[:400], strict=True) for word in pair
    ]
    with product(options.programs) as running:
        with running.database.connect() as connection:
            published = connection.scalars(
                text(
                    "SELECT id FROM programs WHERE source_type = 'generated' AND status = 'published' ORDER BY id"
                )
            )
            ids = running.home / "ids.txt"
            ids.write_text("\n".join(map(str, published)))
        environment = {"MIX_WORDS": " ".join(quote(word) for word in vocabulary), "MIX_IDS": str(ids)}
        wrk(running.api, options.seconds, options.connections, environment)
        warm = wrk(running.api, options.seconds, options.connections, environment | {"MIX_SEED": "8"})
        # Answered once, pages of listeners come from memory, compressed.
        pages = {
            path: wrk(running.api, options.seconds, options.connections, environment | {"MIX_PAGE": path})
            for path in PAGES
        }
        empty = empty_handler(options.seconds, options.connections, environment)
        memory = [size / 1e6 for size in running.resident("api")]
    table = Table(title=f"warm mix over {options.programs} programs, {options.connections} connections")
    for column in ("", "req/s", "p50 ms", "p95 ms", "p99 ms", "not 2xx"):
        table.add_column(column, justify="right")
    for name, found in (("product", warm), *pages.items(), ("empty handler", empty)):
        table.add_row(
            name,
            f"{found['rate']:,.0f}",
            *(f"{found[p]:.2f}" for p in ("p50", "p95", "p99")),
            f"{found['errors']:.0f}",
        )
    console = Console()
    console.print(table)
    console.print(
        f"product / empty handler: {warm['rate'] / empty['rate']:.2f}    "
        + "".join(
            f"{path} / empty handler: {found['rate'] / empty['rate']:.2f}    "
            for path, found in pages.items()
        )
        + "API resident: "
        + " + ".join(f"{size:.0f} MB" for size in memory)
        + " (server, worker)"
    )


if __name__ == "__main__":
    main()
