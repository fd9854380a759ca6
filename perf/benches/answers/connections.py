"""Listeners beside thousands of idle connections: how many are answered, and how fast.

`python -m perf.benches.answers.connections [--connections 10000] [--addresses 20]`
"""

import argparse
import resource
from contextlib import ExitStack

import psutil
from rich.console import Console
from rich.table import Table

from tests.support.client import Client
from tests.support.flood import WHOLE, held_open, p99, seconds
from tests.support.stack import product

REQUESTS = 2000


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--connections", type=int, default=10_000)
    parser.add_argument("--addresses", type=int, default=20, help="loopback addresses that hold them")
    wanted = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    table = Table(title=f"{REQUESTS} requests, one after another")
    for column in ("beside", "answered", "p50 ms", "p99 ms", "API MB"):
        table.add_column(column, justify="right")
    with product(0) as running:
        client = Client(running.api)

        def measure(beside: str) -> None:
            times = seconds(client, REQUESTS)
            megabytes = max(running.resident("api")) / 2**20
            p50 = times[len(times) // 2]
            row = (f"{p50 * 1000:.2f}", f"{p99(times) * 1000:.2f}", f"{megabytes:.0f}")
            table.add_row(beside, f"{len(times)}", *row)

        def established() -> int:
            found = psutil.net_connections("tcp")
            return sum(
                c.laddr.port == running.ports["api"] and c.status == "ESTABLISHED" for c in found if c.laddr
            )

        measure("no others")
        with ExitStack() as opened:
            share = wanted.connections // wanted.addresses
            for n in range(wanted.addresses):
                opened.enter_context(held_open(running.ports["api"], share, WHOLE, f"127.0.1.{n + 1}"))
            measure(f"{established()} connections")
        measure("no others again")
    Console().print(table)


if __name__ == "__main__":
    main()
