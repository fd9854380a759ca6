"""Two commits by turns on this machine: `python -m perf.compare --base COMMIT [--programs 5000]` needs wrk and git.

The base is checked out beside this tree, for as long as the run takes. Both products run, and are asked by turns; what is printed
is this tree beside the base.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from perf.bench import CONNECTIONS, MIX, kinds
from perf.tables import compare
from perf.turns import Figures, Side, asked, medians, ratio, wrk
from tests.support.stack import product

ROOT = Path(__file__).parent.parent
# Runs the product of the tree that it is run in, until its input ends.
_PRODUCT = """
import json, sys
from tests.support.stack import product
with product(int(sys.argv[1])) as running:
    print(json.dumps({"url": running.api, "pid": running.pid("api")}), flush=True)
    sys.stdin.read()
"""


@contextmanager
def checked_out(commit: str) -> Iterator[Path]:
    """Check out a commit into a temporary folder until the block ends.

    Args:
        commit: Its name.
    """
    folder = Path(tempfile.mkdtemp(prefix="thmanyah-base-")) / "tree"
    git = ["git", "-C", str(ROOT), "worktree"]
    subprocess.run([*git, "add", "--detach", "--quiet", str(folder), commit], check=True)
    try:
        yield folder
    finally:
        subprocess.run([*git, "remove", "--force", str(folder)], check=True)
        shutil.rmtree(folder.parent)


@contextmanager
def running_there(folder: Path, programs: int) -> Iterator[Side]:
    """Run the product of another tree until the block ends.

    Args:
        folder: The tree.
        programs: How many programs it has.
    """
    process = subprocess.Popen(
        [sys.executable, "-c", _PRODUCT, str(programs)],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        found = json.loads(process.stdout.readline() if process.stdout is not None else "")
        yield Side("base", found["url"], found["pid"])
    finally:
        process.communicate(timeout=120)


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", required=True)
    parser.add_argument("--programs", type=int, default=5000)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    rows = []
    with ExitStack() as opened:
        there = opened.enter_context(checked_out(options.base))
        base = opened.enter_context(running_there(there, options.programs))
        running = opened.enter_context(product(options.programs))
        sides = (Side("this tree", running.api, running.pid("api")), base)
        asking = kinds(running)
        for side in sides:
            wrk(side.url, 5 * options.seconds, CONNECTIONS[0], asking[MIX])
        for connections in CONNECTIONS:
            for name, told in asking.items():
                found: list[list[Figures]] = [[], []]
                for _ in range(options.rounds):
                    for side, figures in zip(sides, found, strict=True):
                        figures.append(asked(side, options.seconds, connections, told))
                rates, times = (ratio(found[0], found[1], figure) for figure in ("rate", "cpu"))
                ours, theirs = map(medians, found)
                shown = f"rate × {rates:.2f}, CPU × {times:.2f} ({theirs['cpu']:.1f} → {ours['cpu']:.1f} µs), p99 {theirs['p99']:.1f} → {ours['p99']:.1f} ms"
                rows.append((f"{name}, {connections} connections", shown, ""))
    compare(f"this tree beside {options.base}", rows)


if __name__ == "__main__":
    main()
