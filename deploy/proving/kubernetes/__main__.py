"""`make prove-k8s`: apply the manifests to a control plane of this machine, upgrade, evict, scale; print the table."""

import argparse
import sys
import time
from collections.abc import Callable

from rich.console import Console
from rich.table import Table

from deploy.local.errors import LocalStackError
from deploy.proving.kubernetes import control_plane, steps
from deploy.proving.kubernetes.control_plane import ControlPlane
from deploy.proving.kubernetes.nodes import Nodes
from deploy.proving.kubernetes.pod_metrics import PodMetrics
from indexer.process import stopping

# Of a pod: processors at the most, and what two workers with full caches have.
_LIMIT, _MEMORY = 2.0, "550Mi"
_GRACE_SECONDS = 30.0


def main() -> None:
    """Do all steps; exit with 1 when a goal is missed.

    Raises:
        SystemExit: With the exit status, or with what kept the control plane from starting.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--without-scaling", action="store_true", help="Leave out the quarter of an hour of load."
    )
    given = parser.parse_args()
    console = Console(width=120)

    def say(text: str) -> None:
        console.print(f"{time.strftime('%H:%M:%S')}  {text}", highlight=False, soft_wrap=True)

    stop = stopping.requested(grace=_GRACE_SECONDS)
    found: list[steps.Finding] = []
    failure = ""
    try:
        control_plane.require()
        _prove(ControlPlane(stop.event.is_set), found, say, scaling=not given.without_scaling)
    except LocalStackError as error:
        failure = str(error)
    table = Table("what", "found", "goal", title="deploy/kubernetes on a control plane")
    for row in found:
        table.add_row(row.what, row.found, row.goal if row.holds else f"{row.goal}: MISSED")
    if found:
        console.print(table)
    sys.exit(failure or not all(row.holds for row in found))


def _prove(
    plane: ControlPlane, found: list[steps.Finding], say: Callable[[str], None], *, scaling: bool
) -> None:
    nodes, metrics = None, None
    try:
        began = time.monotonic()
        plane.start()
        say(f"the control plane is ready after {time.monotonic() - began:.0f} s")
        nodes = Nodes(plane)
        nodes.start()
        metrics = PodMetrics(plane, nodes, limit=_LIMIT, memory=_MEMORY)
        found += steps.admission(plane)
        say("applied")
        found += steps.start(plane, nodes)
        say("rolling upgrade")
        found += steps.upgrade(plane, nodes)
        say("evictions")
        found += steps.evictions(plane, nodes)
        if scaling:
            say("load")
            found += steps.scaling(plane, nodes, metrics, say)
        found += steps.small(plane)
    finally:
        for part in (metrics, nodes, plane):
            if part is not None:
                part.stop()


if __name__ == "__main__":
    main()
