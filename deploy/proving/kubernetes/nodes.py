"""Nodes that run nothing: they say of each pod that is bound to them what a kubelet would say.

The scheduler binds the pods, the controllers act on their states; only the containers are missing.
"""

import contextlib
import threading
import time
from datetime import UTC, datetime
from typing import Any

import requests

from deploy.proving.kubernetes.control_plane import ControlPlane, RefusedError

ZONES = ("a", "b", "c")
ZONE_LABEL, HOST_LABEL = "topology.kubernetes.io/zone", "kubernetes.io/hostname"
_EACH = 2
_SIZE = {"cpu": "8", "memory": "16Gi", "pods": "110"}
# How long a container takes to be ready, and how often the pods are looked at, in seconds.
READY_SECONDS = 3.0
_LOOK_SECONDS = 0.3

Pod = dict[str, Any]


def moment() -> str:
    """Return the present moment as Kubernetes writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def is_ready(pod: Pod) -> bool:
    """Return whether a pod is ready and is not ending."""
    conditions = pod["status"].get("conditions", ())
    ready = any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
    return ready and "deletionTimestamp" not in pod["metadata"]


def status(pod: Pod, *, ready: bool) -> dict[str, Any]:
    """Return the status of a pod that was started.

    Args:
        pod: As the API server has it.
        ready: Whether its containers are ready; a pod that is to end by itself has then done so.
    """
    ends, now = pod["spec"]["restartPolicy"] != "Always", moment()
    done = ends and ready
    running: dict[str, Any] = {"running": {"startedAt": now}}
    ended: dict[str, Any] = {
        "terminated": {"exitCode": 0, "reason": "Completed", "startedAt": now, "finishedAt": now}
    }
    serving = "True" if ready and not ends else "False"
    return {
        "phase": "Succeeded" if done else "Running",
        "startTime": pod["status"].get("startTime", now),
        "conditions": [
            *(
                {"type": kind, "status": "True", "lastTransitionTime": now}
                for kind in ("PodScheduled", "Initialized", "PodReadyToStartContainers")
            ),
            *(
                {"type": kind, "status": serving, "lastTransitionTime": now}
                for kind in ("ContainersReady", "Ready")
            ),
        ],
        "containerStatuses": [
            {
                "name": container["name"],
                "image": container["image"],
                "imageID": container["image"],
                "ready": ready and not ends,
                "started": True,
                "restartCount": 0,
                "state": ended if done else running,
            }
            for container in pod["spec"]["containers"]
        ],
    }


class Nodes:
    """Six machines in three zones."""

    def __init__(self, plane: ControlPlane) -> None:
        """Make the nodes; `start` lets them look after their pods.

        Args:
            plane: Whose nodes they are.
        """
        self._plane = plane
        self._started: dict[str, float] = {}
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._look_after, name="nodes", daemon=True)
        self.zones: dict[str, str] = {}
        for zone in ZONES:
            for number in range(_EACH):
                self._make(f"node-{zone}{number}", zone)

    def _make(self, name: str, zone: str) -> None:
        self.zones[name] = zone
        labels = {ZONE_LABEL: zone, HOST_LABEL: name}
        node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels}}
        self._plane.ask("POST", "/api/v1/nodes", node)
        ready = {"type": "Ready", "status": "True", "reason": "Played", "lastTransitionTime": moment()}
        told = {"status": {"capacity": _SIZE, "allocatable": _SIZE, "conditions": [ready]}}
        self._plane.ask("PATCH", f"/api/v1/nodes/{name}/status", told)

    def start(self) -> None:
        """Look after the pods from now on."""
        self._thread.start()

    def pods(self, app: str = "") -> list[Pod]:
        """Return the pods, or those of one application.

        Args:
            app: The value of the label `app.kubernetes.io/name`.
        """
        chosen = f"?labelSelector=app.kubernetes.io/name%3D{app}" if app else ""
        found: list[Pod] = self._plane.ask("GET", f"/api/v1/pods{chosen}")["items"]
        return found

    def _look_after(self) -> None:
        while not self._end.wait(_LOOK_SECONDS):
            # A pod may go, and the server may end, while it is looked at.
            with contextlib.suppress(requests.RequestException, RefusedError):
                for pod in self.pods():
                    if "nodeName" in pod["spec"]:
                        self._tend(pod)

    def _tend(self, pod: Pod) -> None:
        meta = pod["metadata"]
        path = f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}"
        if "deletionTimestamp" in meta:
            at_once = {"gracePeriodSeconds": 0, "preconditions": {"uid": meta["uid"]}}
            self._plane.ask("DELETE", path, at_once)
            self._started.pop(meta["uid"], None)
            return
        if pod["status"]["phase"] == "Pending":
            self._started[meta["uid"]] = time.monotonic()
            self._plane.ask("PATCH", f"{path}/status", {"status": status(pod, ready=False)})
        elif meta["uid"] in self._started and time.monotonic() - self._started[meta["uid"]] >= READY_SECONDS:
            self._plane.ask("PATCH", f"{path}/status", {"status": status(pod, ready=True)})
            del self._started[meta["uid"]]

    def stop(self) -> None:
        """Look after nothing any more."""
        self._end.set()
        if self._thread.is_alive():
            self._thread.join()
