"""`make prove-k8s`: what the played nodes and metrics say, how a scaling is judged, and the proof where the programs are."""

import shutil
import subprocess
import sys

import pytest

from deploy.local.errors import LocalStackError
from deploy.proving.kubernetes import control_plane
from deploy.proving.kubernetes.nodes import Pod, is_ready, status
from deploy.proving.kubernetes.pod_metrics import usage
from deploy.proving.kubernetes.steps import Change, within
from tests.support.paths import ROOT


def pod(*, restarts: str = "Always", ready: bool = True) -> Pod:
    container = {"name": "api", "image": "thmanyah-discovery:1"}
    made: Pod = {
        "metadata": {"name": "thmanyah-api-1", "namespace": "thmanyah", "labels": {"app": "api"}},
        "spec": {"restartPolicy": restarts, "containers": [container]},
        "status": {"phase": "Pending"},
    }
    return made | {"status": status(made, ready=ready)}


def test_a_started_pod_serves_when_its_containers_are_ready() -> None:
    starting, serving = pod(ready=False), pod()
    assert (starting["status"]["phase"], is_ready(starting)) == ("Running", False)
    assert (serving["status"]["phase"], is_ready(serving)) == ("Running", True)


def test_a_pod_that_ends_serves_no_longer() -> None:
    ending = pod()
    ending["metadata"]["deletionTimestamp"] = "2026-11-27T12:00:00Z"
    assert not is_ready(ending)


def test_the_pod_of_a_job_succeeds_and_never_serves() -> None:
    done = pod(restarts="OnFailure")
    assert (done["status"]["phase"], is_ready(done)) == ("Succeeded", False)
    assert done["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 0


def test_the_ready_pods_share_the_demand_up_to_their_limit() -> None:
    pods = [pod(), pod(), pod(ready=False)]
    shared = usage(pods, 3.0, 2.0, "400Mi")
    assert [row["containers"] for row in shared] == 2 * [
        [{"name": "api", "usage": {"cpu": "1500m", "memory": "400Mi"}}]
    ]
    assert usage(pods, 16.0, 2.0, "400Mi")[0]["containers"][0]["usage"]["cpu"] == "2000m"
    assert usage([pod(ready=False)], 16.0, 2.0, "400Mi") == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ([Change(54, 3, 6), Change(115, 6, 12), Change(176, 12, 20)], True),
        ([Change(54, 3, 7)], False),
        # Two steps within one period count together.
        ([Change(54, 3, 5), Change(69, 5, 6)], True),
        ([Change(54, 3, 5), Change(69, 5, 10)], False),
    ],
)
def test_the_number_of_pods_at_most_doubles_in_a_period(changes: list[Change], expected: bool) -> None:
    assert within(changes, 45, lambda n: 2 * n, min) is expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ([Change(300, 20, 10), Change(360, 10, 5), Change(420, 5, 3)], True),
        ([Change(300, 20, 9)], False),
        ([Change(300, 20, 10), Change(315, 10, 5)], False),
    ],
)
def test_the_number_of_pods_at_most_halves_in_a_period(changes: list[Change], expected: bool) -> None:
    assert within(changes, 45, lambda n: n // 2, max) is expected


def test_a_missing_program_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(LocalStackError, match=r"etcd, kube-apiserver, .* not found on PATH"):
        control_plane.require()


@pytest.mark.slow
@pytest.mark.skipif(
    any(shutil.which(program) is None for program in control_plane.PROGRAMS),
    reason="etcd and the programs of Kubernetes' control plane are not on PATH",
)
def test_the_manifests_are_admitted_upgraded_and_guarded_by_a_real_control_plane() -> None:
    command = [sys.executable, "-m", "deploy.proving.kubernetes", "--without-scaling"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
