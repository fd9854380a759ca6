"""What is proven of the manifests, step by step. Each step returns what it found, beside the goal."""

import copy
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from deploy.local.errors import LocalStackError
from deploy.proving.kubernetes.control_plane import ControlPlane, RefusedError
from deploy.proving.kubernetes.nodes import Nodes, is_ready
from deploy.proving.kubernetes.pod_metrics import PodMetrics

MANIFESTS = Path(__file__).parents[2] / "kubernetes"
NAMESPACE, API = "thmanyah", "thmanyah-api"
# Kinds that operators bring to a cluster, with their controllers.
ELSEWHERE = ("ExternalSecret", "PodMonitor")
# Processors that all requests take together: more than 20 pods' share at 70 %, and hardly any.
_MUCH, _LITTLE = 16.0, 0.3
# What a pod has that was started just now.
_BARE = "100Mi"
_SMALLEST, _LARGEST, _WINDOW, _QUIET = 3, 20, 60.0, 300.0
# The autoscaler looks every 15 seconds, and pods take a while to start.
_PATIENCE = 90.0
_DEPLOYMENTS = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments"


class Finding(NamedTuple):
    """A row of the table."""

    what: str
    found: str
    goal: str
    holds: bool


class Change(NamedTuple):
    """The autoscaler changed the number of pods.

    Attributes:
        after: Seconds since the demand changed.
        before: Pods until then.
        now: Pods from then on.
    """

    after: float
    before: int
    now: int


def built(overlay: str) -> list[dict[str, Any]]:
    """Return the objects of an overlay, without the kinds that come from elsewhere.

    Args:
        overlay: A folder of `deploy/kubernetes/overlays`.

    Raises:
        LocalStackError: It cannot be built.
    """
    command = ["kubectl", "kustomize", str(MANIFESTS / "overlays" / overlay)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        raise LocalStackError(f"kubectl kustomize: {done.stderr}")
    return [document for document in yaml.safe_load_all(done.stdout) if document["kind"] not in ELSEWHERE]


def _wanted(plane: ControlPlane) -> int:
    replicas: int = plane.ask("GET", f"{_DEPLOYMENTS}/{API}")["spec"]["replicas"]
    return replicas


def _ready(nodes: Nodes) -> int:
    return sum(map(is_ready, nodes.pods(API)))


def _skew(nodes: Nodes) -> int:
    pods = [pod for pod in nodes.pods(API) if is_ready(pod)]
    counted = Counter(nodes.zones[pod["spec"]["nodeName"]] for pod in pods)
    numbers = [counted[zone] for zone in set(nodes.zones.values())]
    return max(numbers) - min(numbers)


def admission(plane: ControlPlane) -> list[Finding]:
    """Apply the overlay for production into a namespace that admits restricted pods only; two bad ones are refused."""
    restricted = {f"pod-security.kubernetes.io/{how}": "restricted" for how in ("enforce", "warn")}
    plane.ask("POST", "/api/v1/namespaces", {"metadata": {"name": NAMESPACE, "labels": restricted}})
    for name in ("thmanyah-api", "thmanyah-worker"):
        secret = {"metadata": {"name": name}, "stringData": {"THMANYAH_SECRET_KEY": "not used"}}
        plane.ask("POST", f"/api/v1/namespaces/{NAMESPACE}/secrets", secret)
    production = built("production")
    plane.apply(production, NAMESPACE)
    kinds = Counter(document["kind"] for document in production)
    applied = Finding(
        "overlays/production, strictly decoded",
        f"{kinds.total()} objects of {len(kinds)} kinds",
        "all accepted",
        True,
    )
    deployment = next(d for d in production if d["kind"] == "Deployment" and d["metadata"]["name"] == API)
    misspelt = copy.deepcopy(deployment)
    misspelt["spec"]["replica"] = 3
    pod = {"metadata": {"name": "privileged"}, **copy.deepcopy(deployment["spec"]["template"])}
    pod["metadata"] = {"name": "privileged"}
    pod["spec"]["containers"][0]["securityContext"] = {"privileged": True}
    api = f"{_DEPLOYMENTS}/{API}?fieldValidation=Strict"
    pods = f"/api/v1/namespaces/{NAMESPACE}/pods"
    return [
        applied,
        _refused("a misspelt field", 'unknown field "spec.replica"', lambda: plane.ask("PUT", api, misspelt)),
        _refused(
            "a privileged pod", 'violates PodSecurity "restricted', lambda: plane.ask("POST", pods, pod)
        ),
    ]


def _refused(what: str, reason: str, request: Callable[[], object]) -> Finding:
    try:
        request()
    except RefusedError as error:
        expected = reason in str(error)
        return Finding(what, f"refused: {reason if expected else error}", "refused", expected)
    return Finding(what, "accepted", "refused", False)


def start(plane: ControlPlane, nodes: Nodes) -> list[Finding]:
    """Wait until the migration has run and every Deployment is available; look where the pods are."""
    jobs = f"/apis/batch/v1/namespaces/{NAMESPACE}/jobs/thmanyah-migrate"
    migrated = plane.wait(
        "the migration's Job", lambda: plane.ask("GET", jobs)["status"].get("succeeded") == 1, _PATIENCE
    )

    def available() -> bool:
        found = plane.ask("GET", _DEPLOYMENTS)["items"]
        return all(
            deployment["status"].get("availableReplicas", 0) == deployment["spec"]["replicas"]
            for deployment in found
        )

    took = plane.wait("pods of the API", lambda: _ready(nodes) == _SMALLEST and available(), _PATIENCE)
    skew = _skew(nodes)
    pods = len([pod for pod in nodes.pods() if is_ready(pod)])
    return [
        Finding("the migration's Job", f"succeeded after {migrated:.0f} s", "succeeds", True),
        Finding(
            "pods that the restricted standard admits", f"{pods} ready after {took:.0f} s", "9", pods == 9
        ),
        Finding("API pods over zones", f"they differ by {skew}", "≤ 1", skew <= 1),
    ]


def upgrade(plane: ControlPlane, nodes: Nodes) -> list[Finding]:
    """Give the API another image; count ready pods until all have it."""
    path = f"{_DEPLOYMENTS}/{API}"
    fewest = _SMALLEST
    deployment = plane.ask("GET", path)
    deployment["spec"]["template"]["spec"]["containers"][0]["image"] = "thmanyah-discovery:next"
    plane.ask("PUT", path, deployment)

    def done() -> bool:
        nonlocal fewest
        fewest = min(fewest, _ready(nodes))
        state = plane.ask("GET", path)
        return (
            state["status"].get("observedGeneration") == state["metadata"]["generation"]
            and state["status"].get("updatedReplicas")
            == state["status"].get("availableReplicas")
            == _SMALLEST
            and len(nodes.pods(API)) == _SMALLEST
        )

    took = plane.wait("the rolling upgrade", done, 3 * _PATIENCE)
    found = f"{fewest} ready at the fewest, {took:.0f} s"
    return [Finding("rolling upgrade of 3 API pods", found, "never fewer than 3", fewest >= _SMALLEST)]


def evictions(plane: ControlPlane, nodes: Nodes) -> list[Finding]:
    """Evict two pods of the API at once, as two nodes that are drained would; then one more when it is replaced."""
    budget = f"/apis/policy/v1/namespaces/{NAMESPACE}/poddisruptionbudgets/{API}"

    def allowed() -> bool:
        return bool(plane.ask("GET", budget)["status"]["disruptionsAllowed"] == 1)

    def evict(pod: dict[str, Any]) -> int:
        name = pod["metadata"]["name"]
        eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}}
        try:
            plane.ask("POST", f"/api/v1/namespaces/{NAMESPACE}/pods/{name}/eviction", eviction)
        except RefusedError as error:
            return error.status
        return 201

    plane.wait("the budget", allowed, _PATIENCE)
    first, second, _ = nodes.pods(API)
    answers = evict(first), evict(second)
    took = plane.wait(
        "the evicted pod's successor", lambda: allowed() and _ready(nodes) == _SMALLEST, _PATIENCE
    )
    again = evict(second)
    plane.wait("the evicted pod's successor", lambda: allowed() and _ready(nodes) == _SMALLEST, _PATIENCE)
    return [
        Finding(
            "two API pods evicted at once", f"{answers[0]}, {answers[1]}", "201, 429", answers == (201, 429)
        ),
        Finding(
            "the second one, when the first is replaced", f"{again} after {took:.0f} s", "201", again == 201
        ),
    ]


def _follow(plane: ControlPlane, until: int, seconds: float, say: Callable[[str], None]) -> list[Change]:
    began, pods = time.monotonic(), _wanted(plane)
    changes: list[Change] = []

    def arrived() -> bool:
        nonlocal pods
        now = _wanted(plane)
        if now != pods:
            changes.append(Change(time.monotonic() - began, pods, now))
            say(f"  after {changes[-1].after:.0f} s: {pods} → {now} pods")
            pods = now
        return pods == until

    plane.wait(f"{until} pods", arrived, seconds)
    return changes


def _steps(changes: list[Change]) -> str:
    times = ", ".join(f"{change.after:.0f}" for change in changes)
    return (
        " → ".join(str(n) for n in (changes[0].before, *(change.now for change in changes)))
        + f" after {times} s"
    )


def within(
    changes: list[Change], seconds: float, allowed: Callable[[int], int], worst: Callable[..., int]
) -> bool:
    """Return whether no change goes further than a policy allows from any number of pods in the time before it.

    Args:
        changes: In order.
        seconds: The policy's period.
        allowed: Number of pods -> the number to which it may have gone within a period.
        worst: `min` when the number grows, `max` when it falls: which number within the period binds.
    """
    for change in changes:
        # The number at the period's start, and those that it took within it.
        earlier = [other.now for other in changes if other.after <= change.after - seconds][-1:]
        within_it = [
            other.before for other in changes if change.after - seconds < other.after <= change.after
        ]
        bound = allowed(worst(*earlier, *within_it, change.before))
        if (change.now > bound) if worst is min else (change.now < bound):
            return False
    return True


def scaling(
    plane: ControlPlane, nodes: Nodes, metrics: PodMetrics, say: Callable[[str], None]
) -> list[Finding]:
    """Let the demand grow beyond what 20 pods take, then end; follow the autoscaler up and down.

    Args:
        plane: Has the autoscaler.
        nodes: Have the pods.
        metrics: Tell the autoscaler of the demand.
        say: Gets a line about each change.
    """
    metrics.demand = _MUCH
    up = _follow(plane, _LARGEST, 6 * _PATIENCE, say)
    plane.wait("20 ready pods", lambda: _ready(nodes) == _LARGEST, _PATIENCE)
    skew = _skew(nodes)
    # Processes keep the memory of their caches: as long as they do, the target for memory lets pods go slowly (docs/scaling.md).
    metrics.demand, metrics.memory = _LITTLE, _BARE
    down = _follow(plane, _SMALLEST, _QUIET + 8 * _PATIENCE, say)
    doubled = within(up, _WINDOW - 15, lambda n: 2 * n, min)
    halved = within(down, _WINDOW - 15, lambda n: n // 2, max)
    return [
        Finding("load: pods", _steps(up), "3 → 20, at most doubled a minute", doubled),
        Finding("20 API pods over zones", f"they differ by {skew}", "≤ 1", skew <= 1),
        Finding(
            "load ends: pods",
            _steps(down),
            "not before 300 s, then at most half a minute",
            halved and down[0].after >= _QUIET - 15,
        ),
    ]


def small(plane: ControlPlane) -> list[Finding]:
    """Apply the overlay for one node into a namespace of its own."""
    plane.ask("POST", "/api/v1/namespaces", {"metadata": {"name": "small"}})
    objects = built("small")
    plane.apply(objects, "small")
    return [Finding("overlays/small, strictly decoded", f"{len(objects)} objects", "all accepted", True)]
