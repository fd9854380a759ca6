"""Figures from /metrics."""

from tests.support.client import Client


def metric(client: Client, name: str) -> float:
    """Return the sum of all series whose line begins with `name`, such as `x_total{kind="a"`."""
    found = [line for line in client.get("/metrics").text.splitlines() if line.startswith(name)]
    return sum(float(line.rpartition(" ")[2]) for line in found)
