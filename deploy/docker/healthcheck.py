"""Ends with 0 when the process of this container answers: the image's HEALTHCHECK, for every process of the product.

A container runs one process, which listens on the port that its variable names. It stands beside the product's packages
and imports none of them, because it is started every few seconds.
"""

import http.client
import os
import sys

# The variable of a port, its value when nobody sets it (none: the process has no such server), and what is asked there.
SERVERS = (
    ("API_PORT", "8000", "/health/live"),
    ("SYNC_METRICS_PORT", "", "/metrics"),
    ("WORKER_METRICS_PORT", "", "/metrics"),
    ("SCHEDULER_METRICS_PORT", "", "/metrics"),
)
SECONDS = 2


def answers(port: str, path: str) -> bool:
    """Return whether a server on loopback answers the path with 200.

    Args:
        port: The port; an empty one answers nothing.
        path: What is asked.
    """
    if not port.isdecimal() or port == "0":
        return False
    connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=SECONDS)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(not any(answers(os.environ.get(name) or default, path) for name, default, path in SERVERS))
