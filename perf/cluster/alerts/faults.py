"""The faults from which alerts fire. Each is done to a real part, and mended as the runbook says."""

import random
import signal
from collections.abc import Callable
from typing import NamedTuple

import requests

from catalog.seed import words
from deploy.proving.layout import ENGINES
from perf.cluster.alerts.world import World

# Ports of the webhooks' servers.
DEAD, GONE = 9301, 9302
_ENGINES = tuple(f"engine-{name}" for name in ENGINES)
_PAIRS = {kind: (f"{kind}-1", f"{kind}-2") for kind in ("sync", "worker", "scheduler")}
# More than may wait in a queue before its alert.
_JOBS = 110
# Bytes that an engine takes, and of a document that is larger.
_SMALL, _LARGE = "4000", 4900


class Fault(NamedTuple):
    """Something that happens to the cluster.

    Attributes:
        name: What a reader of the table sees.
        alerts: The alerts that fire from it.
        hurt: Does it.
        mend: Undoes it.
        meanwhile: What is done to other parts while it lasts.
    """

    name: str
    alerts: tuple[str, ...]
    hurt: Callable[[World], object]
    mend: Callable[[World], object]
    meanwhile: tuple["Fault", ...] = ()


def _lose(name: str, alerts: tuple[str, ...], *parts: str, meanwhile: tuple[Fault, ...] = ()) -> Fault:
    def hurt(world: World) -> None:
        for part in parts:
            world.cluster.kill(part)

    def mend(world: World) -> None:
        for part in parts:
            world.cluster.restart(part)

    return Fault(name, alerts, hurt, mend, meanwhile)


def _delete_document(world: World) -> None:
    """Take a document out of an engine behind the sender's back, and run the audit."""
    ((uid, program_id),) = world.sql(
        "SELECT t.index_uid, p.id FROM index_targets t, programs p "
        "WHERE t.engine = 'a' AND t.state = 'live' AND p.status = 'published' ORDER BY p.id LIMIT 1"
    )
    engine = world.cluster.layout["engine-a"].url
    key = {"Authorization": f"Bearer {world.cluster.parts.keys['MEILI_KEY']}"}
    url = f"{engine}/indexes/{uid}/documents/{program_id}"
    requests.delete(url, headers=key, timeout=30).raise_for_status()
    world.cluster.run("drift", check=False)


def _repair(world: World) -> None:
    world.cluster.run("drift", "--repair", check=False)
    world.cluster.wait_indexed()
    world.cluster.run("drift")


def _limit_engine(world: World) -> None:
    """Have an engine take small documents only, and publish one that is too large for it."""
    child = world.cluster.children["engine-b"]
    world.kept["variables"] = child.environment
    child.environment = {**child.environment, "MEILI_HTTP_PAYLOAD_SIZE_LIMIT": _SMALL}
    world.cluster.kill("engine-b")
    world.cluster.restart("engine-b")
    text = " ".join(random.choices(words.english(), k=_LARGE))[:_LARGE]
    world.kept["large"] = world.publish("Larger than the engine takes", text)


def _unlimit_engine(world: World) -> None:
    world.cluster.children["engine-b"].environment = world.kept.pop("variables")
    world.cluster.kill("engine-b")
    world.cluster.restart("engine-b")
    world.api("POST", "/ops/sync/unpark", {"programIds": [world.kept.pop("large")]})


def _break_row(world: World) -> None:
    """Put what no constraint allows into a row: documents cannot be made of it, which the senders do not expect."""
    program_id = world.publish("Without a description", "It will lose it.")
    world.kept["broken"] = program_id
    world.sql("ALTER TABLE programs ALTER description DROP NOT NULL")
    world.sql("UPDATE programs SET description = NULL WHERE id = %s", [program_id])


def _mend_row(world: World) -> None:
    world.sql("UPDATE programs SET description = '' WHERE id = %s", [world.kept.pop("broken")])
    world.sql("ALTER TABLE programs ALTER description SET NOT NULL")


def _import(world: World, url: str) -> int:
    given = {"sourceType": "feed", "url": url}
    found: int = world.api("POST", "/catalog/imports", given)["id"]
    return found


def _forget_failures(world: World) -> None:
    """Let the hour pass for which a failed job counts."""
    for table in ("import_runs", "drift_reports", "reindex_jobs"):
        world.sql(
            f"UPDATE {table} SET finished_at = finished_at - interval '1 hour' WHERE finished_at IS NOT NULL"
        )


def _fill_queue(world: World) -> None:
    world.send(_PAIRS["worker"], signal.SIGSTOP)
    world.kept["runs"] = [_import(world, f"https://feeds.example/{n}.xml") for n in range(_JOBS)]


def _empty_queue(world: World) -> None:
    for run in world.kept.pop("runs"):
        world.api("POST", f"/catalog/imports/{run}/cancel")
    world.send(_PAIRS["worker"], signal.SIGCONT)


def _receiver_is_back(world: World) -> None:
    world.receive(DEAD, 200)
    # The next attempt would come in minutes.
    world.sql("UPDATE webhook_endpoints SET next_at = now() WHERE id = %s", [world.kept["dead"]])


def _webhook_gone(world: World) -> None:
    world.receive(GONE, 410)
    world.add_webhook("gone", GONE)


_SLOW = Fault(
    "both engines freeze for 0.8 s again and again",
    (
        "ApiSlow",
        "IndexLagObjectiveMissed",
        *(f"LatencyBudgetBurns × {burn}" for burn in ("14.4", "6", "1")),
        *(f"FreshnessBudgetBurns × {burn}" for burn in ("14.4", "6", "1")),
    ),
    lambda world: world.stutter(_ENGINES, 0.8, 0.15),
    World.steady,
)
_OUTAGE = _lose(
    "both engines killed",
    ("SearchDegraded", "SearchWaitsForEngine"),
    *_ENGINES,
    meanwhile=(
        Fault(
            "and PgBouncer killed",
            (
                "SearchUnanswered",
                "ApiErrors",
                *(f"AvailabilityBudgetBurns × {burn}" for burn in ("14.4", "6", "1")),
            ),
            lambda world: world.cluster.kill("pgbouncer"),
            lambda world: world.cluster.restart("pgbouncer"),
        ),
    ),
)
_BESIDE = (
    Fault(
        "a webhook's server is away",
        ("WebhookFails",),
        lambda world: world.add_webhook("dead", DEAD),
        _receiver_is_back,
    ),
    Fault(
        "a webhook's server says 410",
        ("WebhookGivenUp",),
        _webhook_gone,
        lambda world: world.api("DELETE", f"/ops/webhooks/{world.kept.pop('gone')}"),
    ),
    Fault(f"both workers frozen, {_JOBS} imports asked for", ("QueueGrows",), _fill_queue, _empty_queue),
    Fault(
        "an import from a forbidden address",
        ("BackgroundJobFailed",),
        lambda world: _import(world, "https://127.0.0.1/feed.xml"),
        _forget_failures,
    ),
    _lose("both schedulers killed", ("SchedulerSilent", "JournalBehind"), *_PAIRS["scheduler"]),
    _lose("a worker killed", ("ScrapeFailed",), "worker-2"),
    _lose("the replica of PostgreSQL killed", ("ReplicaLeft",), "replica"),
    _lose("all six nodes of the cache killed", ("InvalidationsLost",), *(f"cache-{n}" for n in range(1, 7))),
)
# Of a budget at the allowed rate, an alert clears when the window of six hours has passed: those faults come first.
FAULTS = (
    _SLOW,
    _OUTAGE,
    _lose(
        "an engine killed",
        ("SenderWaitsForEngine", "IndexLagging", "IndexFarBehind"),
        "engine-a",
        meanwhile=_BESIDE,
    ),
    Fault("a document deleted in an engine, then an audit", ("IndexDrift",), _delete_document, _repair),
    Fault("an engine takes 4,000 bytes at most", ("DocumentsParked",), _limit_engine, _unlimit_engine),
    Fault("a row without a description, which the schema forbids", ("SenderCrashes",), _break_row, _mend_row),
    _lose("both senders killed", ("SenderAbsent",), *_PAIRS["sync"]),
)


def every(faults: tuple[Fault, ...] = FAULTS) -> list[Fault]:
    """Return the faults with those that happen meanwhile."""
    return [found for fault in faults for found in (fault, *every(fault.meanwhile))]


def having(parts: list[str], faults: tuple[Fault, ...] = FAULTS) -> tuple[Fault, ...]:
    """Return the faults of alerts whose names have one of these parts, and those meanwhile which they happen."""
    found = []
    for fault in faults:
        meanwhile = having(parts, fault.meanwhile)
        if meanwhile or any(part in alert for part in parts for alert in fault.alerts):
            found.append(fault._replace(meanwhile=meanwhile))
    return tuple(found)
