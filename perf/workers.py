"""Two workers of the API beside one, by turns: `python -m perf.workers [--programs 2000]` needs wrk.

Both products run, and are asked by turns. The load generator has the same processors: with two of them, two workers get what the
generator and the kernel leave, so the bar is 1.3 and not 2.
"""

import argparse
import shutil
import sys
from contextlib import ExitStack

from perf.bench import HOT, MIX, kinds
from perf.tables import compare
from perf.turns import Figures, Side, asked, medians, ratio, wrk
from tests.support.stack import product

_BAR = 1.3


def main() -> None:
    """Measure, print the table, and exit with 1 when the bar is missed.

    Raises:
        SystemExit: With the exit status; or there is no wrk on PATH.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", type=int, default=2000)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--connections", type=int, default=64)
    given = parser.parse_args()
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is not installed")
    lines: list[tuple[str, str, str]] = []
    holds = True
    with ExitStack() as opened:
        two, one = (
            opened.enter_context(product(given.programs, API_WORKERS=str(workers))) for workers in (2, 1)
        )
        asking = [kinds(running) for running in (two, one)]
        sides = [Side("", running.api, running.pid("api")) for running in (two, one)]
        for name in (MIX, HOT):
            found: tuple[list[Figures], list[Figures]] = ([], [])
            for side, told in zip(sides, asking, strict=True):
                wrk(side.url, 4 * given.seconds, given.connections, told[name])
            for _ in range(given.rounds):
                for side, told, figures in zip(sides, asking, found, strict=True):
                    figures.append(asked(side, given.seconds, given.connections, told[name]))
            faster = ratio(*found, "rate")
            holds = holds and faster >= _BAR
            both, alone = medians(found[0]), medians(found[1])
            lines += [
                (f"{name}: req/s of two / one", f"{both['rate']:,.0f} / {alone['rate']:,.0f}", ""),
                ("ratio", f"{faster:.2f}", f"≥ {_BAR}"),
                ("processor µs a request", f"{both['cpu']:.1f} / {alone['cpu']:.1f}", ""),
                ("p99 ms", f"{both['p99']:.1f} / {alone['p99']:.1f}", ""),
            ]
    compare(f"two workers beside one, {given.connections} connections", lines)
    sys.exit(not holds)


if __name__ == "__main__":
    main()
