"""`make cluster-instances`: what three instances of the API answer beside one, on the same processors, by turns.

The instances are kept on one half of the processors, the load generator on the other, and each instance has as many workers as
`API_WORKERS=auto` starts there. One instance alone uses its half up, so the ratio says what the product loses when its requests are
spread: memories that are filled three times, more processes. It asks the instances and not the edge, which would answer from its own
cache.
"""

import argparse
import os
import re
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import psycopg

from deploy.local.errors import LocalStackError
from deploy.proving.cluster import Cluster
from deploy.proving.layout import API_INSTANCES
from perf.load.running import running_cluster, say
from perf.tables import compare
from perf.turns import Figures, medians, mission_mix, ratio, wrk

_PROGRAMS, _BAR = 2000, 0.9
_MOST = 400
_SWITCHES = re.compile(r"voluntary_ctxt_switches:\s+(\d+)")
_WARM_SECONDS = 10


def _asked(
    cluster: Cluster, names: list[str], seconds: int, connections: int, mix: dict[str, str]
) -> Figures:
    """Spread the connections over some instances.

    Args:
        cluster: Where they are.
        names: Of the instances.
        seconds: How long they are asked.
        connections: How many connections are open in all.
        mix: What `mix.lua` is told.

    Returns:
        `rate`, the sum of theirs; `errors`; `p99`; and for a request `cpu` in microseconds, and `switches`, how often a thread of the
        API gave its processor to another one.
    """
    before, switched = cluster.api_seconds(), _switches(cluster)
    urls = [cluster.layout[name].url for name in names]
    with ThreadPoolExecutor(len(urls)) as senders:
        found = list(senders.map(lambda url: wrk(url, seconds, connections // len(urls), mix), urls))
    spent = cluster.api_seconds() - before
    total = sum(one["requests"] for one in found)
    return {
        "rate": sum(one["rate"] for one in found),
        "errors": sum(one["errors"] for one in found),
        "p99": max(one["p99"] for one in found),
        "cpu": spent / max(total, 1) * 1e6,
        "switches": (_switches(cluster) - switched) / max(total, 1),
    }


def _members(cluster: Cluster) -> list[psutil.Process]:
    processes = [cluster.children[name].process for name in cluster.layout.apis]
    first = [psutil.Process(process.pid) for process in processes if process is not None]
    return [*first, *(worker for name in cluster.layout.apis for worker in cluster.workers(name))]


def _switches(cluster: Cluster) -> int:
    """Return how often threads of the API have given their processors to other ones."""
    files = (
        Path(f"/proc/{member.pid}/task/{thread.id}/status")
        for member in _members(cluster)
        for thread in member.threads()
    )
    return sum(int(number) for file in files for number in _SWITCHES.findall(file.read_text()))


def _halves() -> tuple[list[int], list[int]]:
    """Return the processors of the API, and those of the load generator: the same one where there is no second."""
    own = sorted(os.sched_getaffinity(0))
    half = max(1, len(own) // 2)
    return own[:half], own[half:] or own


def _separate(cluster: Cluster) -> None:
    """Keep the API on its processors, and what this process starts on the others."""
    api, others = _halves()
    for member in _members(cluster):
        for thread in member.threads():
            os.sched_setaffinity(thread.id, api)
    os.sched_setaffinity(0, others)


def measure(
    cluster: Cluster, rounds: int, seconds: int, connections: int
) -> tuple[list[Figures], list[Figures]]:
    """Return the figures of all instances together, and of one alone, round by round.

    Args:
        cluster: What is asked.
        rounds: How often each has its turn.
        seconds: How long a turn is.
        connections: How many connections are open in all.
    """
    with psycopg.connect(cluster.parts.conninfo, autocommit=True) as database:
        popular = "SELECT id FROM programs WHERE status = 'published' ORDER BY id LIMIT %s"
        ids = [int(str(row[0])) for row in database.execute(popular, [_MOST])]
    mix, names = mission_mix(ids, cluster.folder), list(cluster.layout.apis)
    _separate(cluster)
    _asked(cluster, names, _WARM_SECONDS, connections, mix)
    all_of_them: list[Figures] = []
    one: list[Figures] = []
    for number in range(rounds):
        say(f"round {number + 1} of {rounds}")
        all_of_them.append(_asked(cluster, names, seconds, connections, mix))
        one.append(_asked(cluster, names[:1], seconds, connections, mix))
    return all_of_them, one


def main() -> None:
    """Measure, print the table, and exit with 1 when the bar is missed or an answer was none of 2xx.

    Raises:
        SystemExit: With the exit status, or with what kept the cluster from starting.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--connections", type=int, default=96)
    parser.add_argument(
        "--workers", type=int, help="of each instance, instead of one for each of its processors"
    )
    given = parser.parse_args()
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is not installed")

    def prepare(cluster: Cluster) -> None:
        cluster.parts.api_workers = given.workers or len(_halves()[0])
        # All requests come from one address.
        cluster.parts.variables = {"RATE_LIMIT_PER_MINUTE": "0"}

    try:
        with running_cluster(_PROGRAMS, prepare=prepare) as cluster:
            together, alone = measure(cluster, given.rounds, given.seconds, given.connections)
    except LocalStackError as error:
        raise SystemExit(str(error)) from error
    found, errors = ratio(together, alone, "rate"), sum(one["errors"] for one in (*together, *alone))
    all_of_them, one = medians(together), medians(alone)
    compare(
        f"{API_INSTANCES} instances beside one, the mission's mix from caches, {given.connections} connections",
        [
            ("rate of all / of one", f"{all_of_them['rate']:,.0f} / {one['rate']:,.0f}", ""),
            ("their ratio", f"{found:.2f}", f"≥ {_BAR}"),
            ("processor µs a request", f"{all_of_them['cpu']:.1f} / {one['cpu']:.1f}", ""),
            ("its ratio", f"{ratio(together, alone, 'cpu'):.2f}", ""),
            ("switches of threads a request", f"{all_of_them['switches']:.2f} / {one['switches']:.2f}", ""),
            ("p99 ms", f"{all_of_them['p99']:.1f} / {one['p99']:.1f}", ""),
            ("not 2xx", f"{errors:.0f}", "0"),
        ],
    )
    sys.exit(found < _BAR or bool(errors))


if __name__ == "__main__":
    main()
