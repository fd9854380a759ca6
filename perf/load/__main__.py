"""`make load`: the mission's load on a cluster of this machine, while an editor publishes; ends with the drift audit.

The load, the cluster and the audit share the machine. The default is a part that two cores can send and answer: a
tenth of the arrivals, and phases that pass seven times faster. `--url` names a real cluster instead, for which
`--scale 1 --pace 1` is the whole load.
"""

import argparse
import sys

from deploy.local.errors import LocalStackError
from deploy.proving.audit import wrong_documents
from deploy.proving.cluster import Cluster
from deploy.proving.layout import API_INSTANCES
from perf.load import mix
from perf.load.running import Load, console, editor, results_folder, running_cluster, say
from perf.tables import compare

SECONDS = {"phases": 420, "ramp": 660}
_SPARE_SECONDS = 120


def main() -> None:
    """Run the load, print the figures, and exit with 1 when a threshold was missed or a document is wrong.

    Raises:
        SystemExit: With the exit status, or with what kept the cluster from starting.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shape", choices=sorted(SECONDS), default="phases")
    parser.add_argument("--scale", type=float, default=0.1)
    parser.add_argument("--pace", type=float, default=7.0)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--programs", type=int, default=2000)
    parser.add_argument("--instances", type=int, default=API_INSTANCES, help="Instances of the API.")
    parser.add_argument("--least-hits", type=float, default=0.95)
    parser.add_argument("--out", help="A folder for load.html and load.json.")
    parser.add_argument("--url", help="A cluster that runs already.")
    parser.add_argument("--cold", action="store_true", help="Do not ask once for everything before.")
    given = parser.parse_args()
    folder = results_folder(given.out)
    options = ["--scale", str(given.scale), "--pace", str(given.pace), "--least-hits", str(given.least_hits)]
    patience = SECONDS[given.shape] / given.pace + _SPARE_SECONDS
    wrong: dict[str, int] = {}
    spent = 0.0

    def warm(url: str) -> None:
        if not given.cold:
            say(f"{mix.warm(url):,} addresses asked once")

    def prepare(cluster: Cluster) -> None:
        cluster.parts.apis = cluster.layout.apis[: given.instances]

    try:
        if given.url:
            warm(given.url)
            load = Load(given.url, folder, options, shape=given.shape, processes=given.processes)
            status = load.wait(patience)
        else:
            with running_cluster(given.programs, prepare=prepare) as cluster:
                warm(cluster.url)
                say(f"{given.shape}: {given.scale:g} of the arrivals, {given.pace:g} times faster")
                options += editor(cluster)
                before = cluster.api_seconds()
                load = Load(cluster.url, folder, options, shape=given.shape, processes=given.processes)
                status = load.wait(patience)
                spent = cluster.api_seconds() - before
                wrong = wrong_documents(cluster)
    except LocalStackError as error:
        raise SystemExit(str(error)) from error
    found = load.figures()
    compare(
        f"{given.shape}, {given.scale:g} of the arrivals",
        [
            ("reads", f"{found['reads']:,}", ""),
            ("failed", f"{found['failed']} ({found['errorRate']:.2%})", "< 1 %"),
            ("p50 / p95 / p99 ms", f"{found['p50Ms']} / {found['p95Ms']} / {found['p99Ms']}", "p95 < 100"),
            ("answered by a cache", f"{found['hitRate']:.1%}", f"≥ {given.least_hits:.0%}"),
            ("by", ", ".join(f"{name} {count:,}" for name, count in found["sources"].items()), ""),
            (
                f"processor ms of {given.instances} APIs a read",
                f"{spent * 1000 / max(1, found['reads']):.2f}",
                "",
            ),
            ("publishes", str(found["requests"].get("publish", {}).get("count", 0)), ""),
            ("wrong documents", ", ".join(f"{name}: {count}" for name, count in wrong.items()), "0"),
        ],
    )
    for sentence in found["missed"]:
        console.print(f"missed: {sentence}")
    console.print(f"results: {folder / 'load.html'}, {folder / 'load.json'}")
    sys.exit(1 if status or any(wrong.values()) else 0)


if __name__ == "__main__":
    main()
