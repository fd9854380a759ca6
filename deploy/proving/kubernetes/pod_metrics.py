"""`metrics.k8s.io` with made-up figures: the demand that a test sets, shared by the ready pods of the API.

Its document is that of https://github.com/kubernetes/metrics, v1beta1; the autoscaler reads it through the API server.
"""

import json
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from deploy.local import ports
from deploy.proving.kubernetes.control_plane import ControlPlane
from deploy.proving.kubernetes.nodes import Nodes, Pod, is_ready, moment

_GROUP, _WINDOW = "metrics.k8s.io/v1beta1", "10s"
_RESOURCES = {
    "kind": "APIResourceList",
    "apiVersion": "v1",
    "groupVersion": _GROUP,
    "resources": [
        {
            "name": "pods",
            "singularName": "",
            "namespaced": True,
            "kind": "PodMetrics",
            "verbs": ["get", "list"],
        }
    ],
}


def usage(pods: list[Pod], demand: float, limit: float, memory: str) -> list[dict[str, Any]]:
    """Return what the ready pods use.

    Args:
        pods: All pods of the application.
        demand: Processors that all requests together would take.
        limit: Processors that one pod may take.
        memory: What each pod has.
    """
    ready = [pod for pod in pods if is_ready(pod)]
    cores = min(limit, demand / len(ready)) if ready else 0.0
    used = {"cpu": f"{round(cores * 1000)}m", "memory": memory}
    return [
        {
            "metadata": {name: pod["metadata"][name] for name in ("name", "namespace", "labels")},
            "timestamp": moment(),
            "window": _WINDOW,
            "containers": [
                {"name": container["name"], "usage": used} for container in pod["spec"]["containers"]
            ],
        }
        for pod in ready
    ]


class PodMetrics:
    """A server behind the API server's aggregation.

    Attributes:
        demand: Processors that all requests together would take.
        memory: What each pod has.
    """

    def __init__(self, plane: ControlPlane, nodes: Nodes, *, limit: float, memory: str) -> None:
        """Listen, and register with the API server.

        Args:
            plane: Who asks.
            nodes: Whose pods use something.
            limit: Processors that one pod may take.
            memory: What each pod has.
        """
        self.demand, self.memory = 0.0, memory
        metrics = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                asked = urlsplit(self.path)
                if asked.path.rstrip("/").endswith("v1beta1"):
                    answer: dict[str, Any] = _RESOURCES
                else:
                    selector = parse_qs(asked.query).get("labelSelector", [""])[0]
                    pods = nodes.pods(selector.removeprefix("app.kubernetes.io/name="))
                    items = usage(pods, metrics.demand, limit, metrics.memory)
                    answer = {"kind": "PodMetricsList", "apiVersion": _GROUP, "metadata": {}, "items": items}
                body = json.dumps(answer).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer((ports.HOST, 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(plane.certificate, plane.key)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, name="metrics", daemon=True).start()
        self._register(plane)

    def _register(self, plane: ControlPlane) -> None:
        service = {
            "metadata": {"name": "metrics"},
            "spec": {"type": "ExternalName", "externalName": "localhost"},
        }
        plane.ask("POST", "/api/v1/namespaces/kube-system/services", service)
        version, group = "v1beta1", "metrics.k8s.io"
        reached = {"name": "metrics", "namespace": "kube-system", "port": self._server.server_port}
        spec: dict[str, Any] = {
            "service": reached,
            "group": group,
            "version": version,
            "insecureSkipTLSVerify": True,
        }
        spec |= {"groupPriorityMinimum": 100, "versionPriority": 100}
        registered = {"metadata": {"name": f"{version}.{group}"}, "spec": spec}
        plane.ask("POST", "/apis/apiregistration.k8s.io/v1/apiservices", registered)

    def stop(self) -> None:
        """Answer no longer."""
        self._server.shutdown()
        self._server.server_close()
