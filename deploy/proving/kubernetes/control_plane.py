"""A control plane of Kubernetes on loopback: etcd, the API server, the controllers, and the scheduler.

The four programs are not in Debian's packages in a new enough version, except etcd: `require` says what is missing.
"""

import json
import os
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import requests
import yaml

from deploy.local import ports
from deploy.local.errors import LocalStackError
from deploy.local.process import Child

PROGRAMS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl", "openssl")
READY_SECONDS = 120.0
_TIMEOUT = 20.0
# There are no machines whose silence would mean anything, and no cloud.
_NO_CONTROLLERS = ("node-lifecycle-controller", "taint-eviction-controller", "node-ipam-controller")
_MERGE = {"Content-Type": "application/merge-patch+json"}


def require() -> None:
    """Check that the programs are on PATH.

    Raises:
        LocalStackError: Some are not; the text says where they come from.
    """
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if missing:
        raise LocalStackError(
            f"{', '.join(missing)} not found on PATH. Kubernetes publishes its programs with each release; "
            "etcd is in Debian's package etcd-server."
        )


class RefusedError(LocalStackError):
    """The API server refused a request.

    Attributes:
        status: The HTTP status.
    """

    def __init__(self, status: int, message: str) -> None:
        """Take over what the API server said."""
        super().__init__(f"{status}: {message}")
        self.status = status


class ControlPlane:
    """One control plane. Everything that it writes is in one temporary folder, which `stop` removes."""

    def __init__(self, stopping: Callable[[], bool]) -> None:
        """Choose ports and make the certificate.

        Args:
            stopping: Returns True when somebody asked for the end.

        Raises:
            LocalStackError: No certificate was made.
        """
        self._stopping = stopping
        self.folder = Path(tempfile.mkdtemp(prefix="thmanyah-kubernetes-"))
        self.certificate, self.key = self.folder / "server.crt", self.folder / "server.key"
        self._token = secrets.token_hex(16)
        self._claims = ports.Claims()
        self._children: list[Child] = []
        self._port = self._claims.choose("kube-apiserver", [16443])
        self.url = f"https://{ports.HOST}:{self._port}"
        self._certify()

    def _certify(self) -> None:
        command = [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=local",
        ]
        command += ["-addext", f"subjectAltName=DNS:localhost,IP:{ports.HOST}"]
        command += ["-keyout", str(self.key), "-out", str(self.certificate)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT, check=False)
        if done.returncode:
            raise LocalStackError(f"openssl made no certificate: {done.stderr}")

    def start(self) -> None:
        """Start everything; return when the API server is ready.

        Raises:
            LocalStackError: A program did not start.
        """
        peers, clients = (
            self._claims.choose(name, [wanted]) for name, wanted in (("peer", 12380), ("etcd", 12379))
        )
        etcd, peer = f"http://{ports.HOST}:{clients}", f"http://{ports.HOST}:{peers}"
        self._start(
            "etcd",
            [
                *(
                    f"--data-dir={self.folder / 'etcd'}",
                    "--unsafe-no-fsync",
                    f"--initial-cluster=default={peer}",
                ),
                *(f"--listen-client-urls={etcd}", f"--advertise-client-urls={etcd}"),
                *(f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}"),
            ],
            lambda: _is_healthy(f"{etcd}/health"),
        )
        tokens = self.folder / "tokens.csv"
        tokens.write_text(f'{self._token},operator,1,"system:masters"\n')
        self._start("kube-apiserver", self._server(etcd, tokens), self._ready)
        configuration = self._client_configuration()
        controllers = ",".join(["*", *(f"-{name}" for name in _NO_CONTROLLERS)])
        self._start(
            "kube-controller-manager",
            [
                *(*self._of_client(configuration, 11257), f"--controllers={controllers}"),
                *(f"--service-account-private-key-file={self.key}", f"--root-ca-file={self.certificate}"),
            ],
            lambda: True,
        )
        self._start("kube-scheduler", self._of_client(configuration, 11259), lambda: True)

    def _server(self, etcd: str, tokens: Path) -> list[str]:
        return [
            *(f"--etcd-servers={etcd}", f"--bind-address={ports.HOST}", f"--secure-port={self._port}"),
            # Nobody asks for the address of the server in its own network.
            *("--advertise-address=10.0.0.1", "--endpoint-reconciler-type=none"),
            *(f"--tls-cert-file={self.certificate}", f"--tls-private-key-file={self.key}"),
            *(
                f"--service-account-key-file={self.certificate}",
                f"--service-account-signing-key-file={self.key}",
            ),
            *(
                "--service-account-issuer=https://kubernetes.default.svc",
                "--service-cluster-ip-range=10.96.0.0/16",
            ),
            # Whether pods may be privileged is decided by the namespace's standard.
            "--allow-privileged=true",
            *("--authorization-mode=RBAC", f"--token-auth-file={tokens}"),
            # New nodes are taken to be ready: no kubelet will say so.
            "--disable-admission-plugins=TaintNodesByCondition",
        ]

    def _of_client(self, configuration: str, wanted: int) -> list[str]:
        port = self._claims.choose(f"of-{wanted}", [wanted])
        return [
            *(f"--kubeconfig={configuration}", "--leader-elect=false"),
            *(f"--bind-address={ports.HOST}", f"--secure-port={port}"),
        ]

    def _client_configuration(self) -> str:
        server = {"server": self.url, "certificate-authority": str(self.certificate)}
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "local", "cluster": server}],
            "users": [{"name": "operator", "user": {"token": self._token}}],
            "contexts": [{"name": "local", "context": {"cluster": "local", "user": "operator"}}],
            "current-context": "local",
        }
        path = self.folder / "kubeconfig"
        path.write_text(yaml.safe_dump(content))
        return str(path)

    def _start(self, program: str, options: list[str], ready: Callable[[], bool]) -> None:
        child = Child(program, [shutil.which(program) or program, *options], ready, "")
        self._children.append(child)
        child.start(self.folder / "logs")
        if not child.wait_ready(READY_SECONDS, self._stopping):
            log = (self.folder / "logs" / f"{program}.log").read_text().splitlines()
            raise LocalStackError(f"{program} did not start: {' '.join(log[-3:])}")

    def _ready(self) -> bool:
        try:
            return bool(self.ask("GET", "/readyz", text=True) == "ok")
        except (requests.RequestException, RefusedError):
            return False

    def ask(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, text: bool = False
    ) -> Any:
        """Send a request to the API server.

        Args:
            method: The method; the body of a PATCH is a merge patch.
            path: What is asked for.
            body: What is sent.
            text: The answer is no JSON.

        Returns:
            What it answered.

        Raises:
            RefusedError: It refused.
        """
        headers = {"Authorization": f"Bearer {self._token}"} | (_MERGE if method == "PATCH" else {})
        answer = requests.request(
            method,
            self.url + path,
            data=json.dumps(body) if body is not None else None,
            headers={"Content-Type": "application/json"} | headers,
            verify=str(self.certificate),
            timeout=_TIMEOUT,
        )
        if answer.status_code >= 400:
            raise RefusedError(answer.status_code, answer.text if text else answer.json().get("message", ""))
        return answer.text if text else answer.json()

    def apply(self, documents: list[dict[str, Any]], namespace: str) -> None:
        """Apply objects as an operator does, with `kubectl`; a field that does not exist is an error.

        Args:
            documents: The objects.
            namespace: Where those belong that name none.

        Raises:
            LocalStackError: One was refused.
        """
        configuration = str(self.folder / "kubeconfig")
        command = [
            "kubectl",
            "--kubeconfig",
            configuration,
            "-n",
            namespace,
            "apply",
            "--validate=strict",
            "-f",
            "-",
        ]
        text = yaml.safe_dump_all(documents)
        done = subprocess.run(
            command,
            input=text,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env=os.environ | {"HOME": str(self.folder)},
        )
        if done.returncode:
            raise LocalStackError(f"kubectl apply: {done.stderr.strip()}")

    def wait(self, what: str, holds: Callable[[], bool], seconds: float) -> float:
        """Wait until something holds; return the seconds that it took.

        Args:
            what: Names it in the error.
            holds: Says whether it does.
            seconds: How long it may take.

        Raises:
            LocalStackError: It did not hold in time, a program ended, or somebody asked for the end.
        """
        began = time.monotonic()
        while not holds():
            ended = [child.name for child in self._children if not child.running]
            if ended or self._stopping() or time.monotonic() - began > seconds:
                raise LocalStackError(
                    f"{what}: not within {seconds:.0f} s" if not ended else f"{ended} ended"
                )
            time.sleep(0.2)
        return time.monotonic() - began

    def stop(self) -> None:
        """End everything, the last one first, and remove the folder."""
        for child in reversed(self._children):
            child.stop()
        self._claims.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def _is_healthy(url: str) -> bool:
    try:
        return requests.get(url, timeout=2).ok
    except requests.RequestException:
        return False
