"""`make cluster-faults`: the cluster is upgraded, and parts of it die, while listeners read and an editor publishes.

After each fault every engine is compared with the catalogue. The command fails when a read failed for the loss of an
API, an engine, a cache node or the replica, or when a document is wrong after any fault.
"""

import argparse
import os
import signal
import sys
import time
from collections.abc import Callable
from typing import NamedTuple

from rich.table import Table

from deploy.local.errors import LocalStackError
from deploy.proving import builds
from deploy.proving.audit import wrong_documents
from deploy.proving.cluster import Cluster
from deploy.proving.servers import pgbouncer, postgres
from perf.cluster.probe import Probe
from perf.cluster.upgrade import upgrade
from perf.load.running import Load, console, results_folder, running_cluster, say

# Seconds before a fault, while it lasts, and after it.
_CALM, _HURT, _HEAL = 3.0, 4.0, 4.0
_PROGRAMS = 2000
UPGRADE = "rolling upgrade, with a migration"
# Searches before the first fault, and how long they may take to come.
_FIRST_READS, _START_SECONDS = 100, 120.0


class Fault(NamedTuple):
    """Something that happens to the cluster.

    Attributes:
        name: What a reader of the table sees.
        hurt: Does it.
        mend: Undoes it, a while later.
        spares_reads: Whether no read may fail.
        spares_writes: Whether no write may be refused.
    """

    name: str
    hurt: Callable[[Cluster], None]
    mend: Callable[[Cluster], None]
    spares_reads: bool = True
    spares_writes: bool = False


def _lose(part: str, *, spares_reads: bool = True) -> Fault:
    return Fault(f"{part} killed", lambda c: c.kill(part), lambda c: c.restart(part), spares_reads)


def _pid(cluster: Cluster, part: str) -> int:
    process = cluster.children[part].process
    assert process is not None
    return process.pid


def _kill_worker(cluster: Cluster) -> None:
    """End one worker process of an API instance; the instance starts another."""
    cluster.workers("api-1")[-1].kill()


def _reload(cluster: Cluster) -> None:
    os.kill(_pid(cluster, "nginx"), signal.SIGHUP)


def _kill_leader(cluster: Cluster) -> None:
    """End the sender that leads, with all its targets."""
    for name in ("sync-1", "sync-2"):
        log = (cluster.folder / "logs" / f"{name}.log").read_text()
        if '"sending to' in log:
            cluster.kill(name)
            return


def _restart_dead(cluster: Cluster) -> None:
    for name, child in cluster.children.items():
        if not child.running:
            cluster.restart(name)


def _lose_shard(cluster: Cluster) -> None:
    cluster.kill("cache-2")
    cluster.kill("cache-5")


def _promote(cluster: Cluster) -> None:
    """Lose the primary, make the replica the primary, and lead PgBouncer's clients to it."""
    cluster.kill("primary")
    replica = cluster.layout["replica"]
    with postgres.admin(replica) as connection:
        connection.execute("SELECT pg_promote(true, 30)")
    cluster.parts.route_database("replica", "replica")
    pgbouncer.tell(cluster.layout["pgbouncer"], cluster.parts.password, "RELOAD")


def _nothing(_: Cluster) -> None:
    """The part mends itself."""


FAULTS = [
    # The first one: before it, an older build runs.
    Fault(UPGRADE, upgrade, _nothing, spares_writes=True),
    _lose("api-2"),
    Fault("a worker process of api-1 killed", _kill_worker, _nothing),
    Fault("nginx reloads its configuration", _reload, _nothing),
    _lose("engine-a"),
    Fault("the leading sender killed", _kill_leader, _restart_dead),
    Fault("a cache master killed", lambda c: c.kill("cache-1"), lambda c: c.restart("cache-1")),
    Fault("a cache master and its replica killed", _lose_shard, _restart_dead),
    _lose("queue"),
    _lose("replica"),
    _lose("pgbouncer", spares_reads=False),
    _lose("prometheus"),
    # The last one: the old primary is not a member of the cluster any more.
    Fault("primary killed, replica promoted", _promote, _nothing, spares_reads=False),
]


class Outcome(NamedTuple):
    """What a fault did.

    Attributes:
        fault: The fault.
        since: When it began.
        until: When everything was well again.
        gap: The longest time without an acknowledged publish.
        refused: What each failed publish was answered.
        wrong: How many documents were wrong afterwards.
        note: What else is worth knowing.
    """

    fault: Fault
    since: float
    until: float
    gap: float
    refused: list[str]
    wrong: int
    note: str


def _repair(cluster: Cluster) -> None:
    """What the runbook says after a failover: have the senders correct what the lost transactions left."""
    say(cluster.run("drift", "--repair", check=False))


def _wait_for_readers(cluster: Cluster) -> None:
    """Return when listeners have read for a while.

    Raises:
        LocalStackError: Nobody reads.
    """
    log, deadline = cluster.folder / "edge" / "logs" / "access.log", time.monotonic() + _START_SECONDS
    while log.read_text().count("/discovery/search") < _FIRST_READS:
        if time.monotonic() > deadline:
            raise LocalStackError("No listener reads: see locust.log in the folder for the results.")
        time.sleep(0.5)


def _try(cluster: Cluster, probe: Probe, fault: Fault) -> Outcome:
    time.sleep(_CALM)
    since = time.time()
    say(fault.name)
    fault.hurt(cluster)
    time.sleep(_HURT)
    fault.mend(cluster)
    time.sleep(_HEAL)
    note = ""
    found = wrong_documents(cluster)
    if fault.hurt is _promote:
        lost = probe.lost()
        note = f"{len(lost)} acknowledged publishes lost, {sum(found.values())} documents wrong before the repair"
        _repair(cluster)
        found = wrong_documents(cluster)
    until = time.time()
    refused = [answer for at, answer in probe.refused if since <= at <= until]
    return Outcome(fault, since, until, probe.gap(since, until), refused, sum(found.values()), note)


def main() -> None:
    """Run all faults, print the table, and exit with 1 when something was not held.

    Raises:
        SystemExit: With the exit status, or with what kept the cluster from starting.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=0.3, help="1 is 100 arrivals a second.")
    parser.add_argument("--only", help="A part of a fault's name.")
    parser.add_argument("--out", help="A folder for the results.")
    parser.add_argument(
        "--from", dest="commit", help="The older build of the upgrade; or that before the newest migration."
    )
    given = parser.parse_args()
    folder = results_folder(given.out)
    chosen = [fault for fault in FAULTS if not given.only or given.only in fault.name]
    commit = None
    if any(fault.name == UPGRADE for fault in chosen):
        try:
            commit = given.commit or builds.before_newest_migration()
        except builds.NoHistoryError as error:
            say(f"{UPGRADE}: left out. {error}")
            chosen = [fault for fault in chosen if fault.name != UPGRADE]
    try:
        with running_cluster(_PROGRAMS, commit) as cluster:
            probe = Probe(cluster)
            options = ["--scale", str(given.scale)]
            load = Load(cluster.url, folder, options, shape="constant", processes=1)
            try:
                _wait_for_readers(cluster)
                outcomes = [_try(cluster, probe, fault) for fault in chosen]
            finally:
                load.end()
                probe.end()
    except LocalStackError as error:
        raise SystemExit(str(error)) from error
    sys.exit(_judge(load, outcomes))


def _judge(load: Load, outcomes: list[Outcome]) -> int:
    found = load.figures("by_second.json")
    table = Table(title="faults under load")
    for column in (
        "fault",
        "reads",
        "failed",
        "writes refused",
        "longest write gap s",
        "wrong documents",
        "",
    ):
        table.add_column(column, justify="left" if column in ("fault", "") else "right")
    broken = False
    for outcome in outcomes:
        during = range(int(outcome.since), int(outcome.until) + 1)
        counts = {
            name: sum(count for second, what, count in found["seconds"] if what == name and second in during)
            for name in ("reads", "failed")
        }
        kinds = {what for second, what, _ in found["errors"] if second in during}
        broken |= (
            outcome.wrong > 0
            or (outcome.fault.spares_reads and counts["failed"] > 0)
            or (outcome.fault.spares_writes and bool(outcome.refused))
            or not counts["reads"]
        )
        answers = sorted(set(outcome.refused)) if outcome.fault.spares_writes else []
        notes = "; ".join([*filter(None, [outcome.note]), *sorted(kinds)[:3], *answers[:3]])
        table.add_row(
            outcome.fault.name,
            str(counts["reads"]),
            str(counts["failed"]),
            str(len(outcome.refused)),
            f"{outcome.gap:.1f}",
            str(outcome.wrong),
            notes,
        )
    console.print(table)
    return int(broken)


if __name__ == "__main__":
    main()
