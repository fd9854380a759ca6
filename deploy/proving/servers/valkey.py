"""Valkey from deploy/valkey: a cluster for caches, and the one server that keeps the job queue."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import redis

from deploy.local.errors import LocalStackError
from deploy.local.process import Child
from deploy.local.servers import valkey
from deploy.proving.layout import Place

FOLDER = Path(__file__).parents[2] / "valkey"
_SLOTS = 16_384
_FORM_SECONDS = 60.0


def child(name: str, role: Literal["cache-cluster", "queue"], data: Path, place: Place) -> Child:
    """Return a server.

    Args:
        name: Of the part.
        role: Which of the two configurations it has.
        data: Its folder.
        place: Where it listens.
    """
    data.mkdir(parents=True, exist_ok=True)
    own = {"bind": place.host, "port": str(place.port), "dir": str(data)}
    if role == "cache-cluster":
        # The others would take the address that its connections come from, which is 127.0.0.1 for all of them.
        own["cluster-announce-ip"] = place.host
    options = [part for key, value in own.items() for part in (f"--{key}", value)]
    return Child(
        name,
        [str(valkey.binary()), str(FOLDER / f"{role}.conf"), *options],
        lambda: pings(place),
        place.address,
    )


def pings(place: Place) -> bool:
    """Return whether a server answers."""
    try:
        with redis.Redis(place.host, place.port, socket_timeout=1, socket_connect_timeout=1) as client:
            return bool(client.ping())
    except (redis.RedisError, OSError):
        return False


def form(nodes: Sequence[Place]) -> None:
    """Make a cluster of new nodes: the first half are masters, each of the second half is the replica of one.

    Raises:
        LocalStackError: They did not find each other.
    """
    masters = nodes[: len(nodes) // 2]
    for n, place in enumerate(masters):
        first, last = n * _SLOTS // len(masters), (n + 1) * _SLOTS // len(masters) - 1
        _ask(place, "CLUSTER", "ADDSLOTSRANGE", first, last)
        _ask(place, "CLUSTER", "SET-CONFIG-EPOCH", n + 1)
    for place in nodes[1:]:
        _ask(nodes[0], "CLUSTER", "MEET", place.host, place.port)
    known = (f"cluster_slots_ok:{_SLOTS}", f"cluster_known_nodes:{len(nodes)}")
    _until(lambda: all(part in _ask(place, "CLUSTER", "INFO") for place in nodes for part in known))
    for master, replica in zip(masters, nodes[len(masters) :], strict=True):
        _ask(replica, "CLUSTER", "REPLICATE", _ask(master, "CLUSTER", "MYID"))
    _until(lambda: all("master_link_status:up" in _ask(place, "INFO") for place in nodes[len(masters) :]))


def _until(check: Callable[[], bool]) -> None:
    """Wait until it holds.

    Raises:
        LocalStackError: It did not within a minute.
    """
    deadline = time.monotonic() + _FORM_SECONDS
    while not check():
        if time.monotonic() > deadline:
            raise LocalStackError("The nodes of the cache's cluster did not find each other.")
        time.sleep(0.1)


def _ask(place: Place, *words: str | int) -> str:
    with redis.Redis(place.host, place.port, socket_timeout=10, decode_responses=True) as client:
        # The text as it was sent, and not what the client makes of it.
        client.response_callbacks.clear()
        return str(client.execute_command(*words))
