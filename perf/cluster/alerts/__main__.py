"""`make cluster-alerts`: every alert of `deploy/observability` fires from a real fault, and clears when it is mended.

Prometheus' time runs faster by --factor: scrapes, evaluations, windows and `for`. An editor publishes and listeners
ask meanwhile. The command fails when an alert does not fire or does not clear, or when an expression on a board of
Grafana has no data after all faults.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import psutil
import psycopg
import requests
from rich.table import Table

from deploy.local.errors import LocalStackError
from deploy.proving.audit import wrong_documents
from deploy.proving.cluster import Cluster
from perf.cluster.alerts import faster
from perf.cluster.alerts.faults import DEAD, FAULTS, GONE, Fault, having
from perf.cluster.alerts.watching import Watch, silent
from perf.cluster.alerts.world import World
from perf.cluster.probe import Probe
from perf.load.running import console, running_cluster, say

_PROGRAMS = 1000
_ROWS = "externalId,title,language,mediaType,mediaUrl\n1,Quokka census,en,audio,https://cdn.example/1.mp3\n"
_DATA_SECONDS = 60.0
# IndexFarBehind waits for five real minutes; a budget at the allowed rate for six hours, of Prometheus' time.
_FIRE_SECONDS, _CLEAR_SECONDS, _BUDGET_HOURS = 480.0, 240.0, 6.5


class Row(NamedTuple):
    """An alert of the table, with the moments by the monotonic clock."""

    alert: str
    fault: str
    hurt: float
    fired: float
    mended: float
    cleared: float


def _run(world: World, watch: Watch, fault: Fault, rows: list[Row], missed: list[str]) -> None:
    """Do a fault, wait for its alerts, mend it; wait until all but the budgets' have cleared.

    Raises:
        SystemExit: Somebody asked for the end.
    """
    if world.cluster.stopping():
        raise SystemExit(1)
    say(fault.name)
    hurt, fired = time.monotonic(), dict.fromkeys(fault.alerts, 0.0)
    try:
        fault.hurt(world)
        for other in fault.meanwhile:
            _run(world, watch, other, rows, missed)
        for alert in fault.alerts:
            fired[alert] = _waited(watch, missed, alert, fires=True, seconds=_FIRE_SECONDS)
            say(f"  {alert} {'fires' if fired[alert] else 'did not fire'}")
        fault.mend(world)
    except (requests.RequestException, psycopg.Error, psutil.Error, LocalStackError) as error:
        say(f"  {fault.name}: {error}")
        missed += [alert for alert in fault.alerts if not fired[alert]]
    mended = time.monotonic()
    for alert in fault.alerts:
        cleared = 0.0
        if "Budget" not in alert and alert not in missed:
            cleared = _waited(watch, missed, alert, fires=False, seconds=_CLEAR_SECONDS)
        rows.append(Row(alert, fault.name, hurt, fired[alert], mended, cleared))
    say("  mended")


def _waited(watch: Watch, missed: list[str], alert: str, *, fires: bool, seconds: float) -> float:
    try:
        return watch.wait(alert, fires=fires, seconds=seconds)
    except LocalStackError as error:
        say(f"  {error}")
        missed.append(alert)
        return 0.0


def _silent(url: str) -> list[str]:
    """Return the expressions on boards that have no data, also a minute later."""
    until = time.monotonic() + _DATA_SECONDS
    while (found := silent(url)) and time.monotonic() < until:
        time.sleep(1)
    return found


def _prove(cluster: Cluster, factor: float, chosen: tuple[Fault, ...]) -> tuple[list[Row], list[str]]:
    world, watch, probe = (
        World(cluster),
        Watch(cluster.layout["prometheus"].url, cluster.stopping),
        Probe(cluster),
    )
    rows: list[Row] = []
    missed: list[str] = []
    try:
        for fault in chosen:
            _run(world, watch, fault, rows, missed)
        if chosen == FAULTS:
            # After all faults, their counters exist, too; but workers that were started again have imported nothing yet.
            world.upload(_ROWS)
            missed += [f"no data on a board: {text}" for text in _silent(cluster.layout["prometheus"].url)]
        say("the budgets")
        for number, row in enumerate(rows):
            if not row.cleared and row.alert not in missed:
                seconds = _BUDGET_HOURS * 3600 / factor + _CLEAR_SECONDS
                cleared = _waited(watch, missed, row.alert, fires=False, seconds=seconds)
                rows[number] = row._replace(cleared=cleared)
        probe.end()
        missed += [f"{n} wrong documents on {name}" for name, n in wrong_documents(cluster).items() if n]
    finally:
        world.end()
        watch.end()
        probe.end()
    return rows, missed


def main() -> None:
    """Do all faults, print the table, and exit with 1 when an alert did not fire or clear.

    Raises:
        SystemExit: With the exit status, or with what kept the cluster from starting.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--factor", type=float, default=30.0, help="How many times faster Prometheus' time runs."
    )
    parser.add_argument(
        "--only", help="Parts of alerts' names, with commas between: the faults from which they fire."
    )
    given = parser.parse_args()
    chosen = having(given.only.split(",")) if given.only else FAULTS
    with tempfile.TemporaryDirectory(prefix="thmanyah-rules-") as folder:
        faster.write(Path(folder), given.factor)

        def prepare(cluster: Cluster) -> None:
            cluster.parts.rules = Path(folder)
            # Webhooks reach servers of this machine, without TLS.
            trusted = ",".join(f"{cluster.layout.network}.200:{port}" for port in (DEAD, GONE))
            cluster.parts.variables = {"THMANYAH_ENV": "local", "WEBHOOK_TRUSTED": trusted}

        try:
            with running_cluster(_PROGRAMS, prepare=prepare) as cluster:
                rows, missed = _prove(cluster, given.factor, chosen)
        except LocalStackError as error:
            raise SystemExit(str(error)) from error
    table = Table("alert", "fault", title=f"alerts, time {given.factor:g} times faster")
    table.add_column("fires after s", justify="right")
    table.add_column("clears after s", justify="right")
    for row in sorted(rows):
        fires = f"{row.fired - row.hurt:.0f}" if row.fired else "NEVER"
        clears = f"{max(0.0, row.cleared - row.mended):.0f}" if row.cleared else "NEVER"
        table.add_row(row.alert, row.fault, fires, clears)
    console.print(table)
    for sentence in missed:
        console.print(f"missed: {sentence}")
    sys.exit(bool(missed))


if __name__ == "__main__":
    main()
