"""Connections to chosen worker processes of the API: one to each worker of each instance."""

import json
from http.client import BadStatusLine, HTTPConnection
from typing import Any

import psutil

from deploy.local.errors import LocalStackError
from deploy.proving.cluster import Cluster
from deploy.proving.layout import Place

# The kernel spreads connections over the workers of an instance by chance.
_TRIES = 200


class Line:
    """A connection that one worker process answers; it is made again when the worker has closed it.

    Attributes:
        instance: The name of its instance.
        worker: The process.
    """

    def __init__(self, instance: str, place: Place, worker: psutil.Process) -> None:
        """Connect with the first request.

        Args:
            instance: The name of the worker's instance.
            place: Where the instance listens.
            worker: The process.
        """
        self.instance, self.worker = instance, worker
        self._place, self._asked = place, 0
        self._connection: HTTPConnection | None = None

    def ask(self, path: str, method: str = "GET", client: str = "") -> tuple[int, Any]:
        """Send a request to this process; once more when it had closed the connection.

        Args:
            path: What is asked for.
            method: The method.
            client: The address of the client for whom it is sent; one of many when it does not matter.

        Returns:
            The status, and the answer's JSON.

        Raises:
            LocalStackError: The process takes no connection.
        """
        self._asked += 1
        # No limit is reached: a client has asked a thousand times when the next one comes.
        pid = self.worker.pid
        client = client or f"10.{pid % 200}.{pid // 200 % 250}.{self._asked // 1000 % 250}"
        if self._connection is not None:
            try:
                return self._send(self._connection, path, method, client)
            except (BadStatusLine, ConnectionError):
                self._connection.close()
        self._connection = self._connect()
        return self._send(self._connection, path, method, client)

    @staticmethod
    def _send(connection: HTTPConnection, path: str, method: str, client: str) -> tuple[int, Any]:
        # Not to another process: a connection that was closed is not opened again by itself.
        connection.auto_open = 0
        if connection.sock is None:
            raise ConnectionError("closed")
        connection.request(method, path, headers={"X-Forwarded-For": client})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())

    def _connect(self) -> HTTPConnection:
        for _ in range(_TRIES):
            connection = HTTPConnection(self._place.host, self._place.port, timeout=30)
            # A worker has accepted the connection when it has answered.
            connection.request("GET", "/health/live")
            connection.getresponse().read()
            own = connection.sock.getsockname() if connection.sock is not None else None
            if any(tuple(found.raddr) == own for found in self.worker.net_connections("tcp")):
                return connection
            connection.close()
        raise LocalStackError(f"Worker {self.worker.pid} of {self.instance} takes no connection.")

    def close(self) -> None:
        """End the connection."""
        if self._connection is not None:
            self._connection.close()


def lines(cluster: Cluster) -> list[Line]:
    """Return a connection to each worker process of each instance."""
    return [
        Line(name, cluster.layout[name], worker)
        for name in cluster.layout.apis
        for worker in cluster.workers(name)
    ]
