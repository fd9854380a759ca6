"""Valkey from deploy/valkey: a cluster for caches, and the one server that keeps the job queue; with their users."""

import os
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Literal

import redis

from deploy.local.errors import LocalStackError
from deploy.local.process import Child
from deploy.local.servers import valkey
from deploy.proving.layout import Place
from deploy.redis_acl import Server, hashed, users
from indexer.settings import IndexerSettings

FOLDER = Path(__file__).parents[2] / "valkey"
_SLOTS = 16_384
_FORM_SECONDS = 60.0
# What a replica, and the exporter of metrics, may do besides.
_REPLICATION = "+psync +replconf +ping"
_MONITOR = "+cluster|info +config|get +client|setname +info +latency +ping +select +slowlog"


def _password() -> str:
    return secrets.token_urlsafe(24)


@dataclass(frozen=True)
class Passwords:
    """Those of the product's two users, of whoever operates the servers, of replicas and of the exporter."""

    api: str = field(default_factory=_password)
    worker: str = field(default_factory=_password)
    operator: str = field(default_factory=_password)
    replication: str = field(default_factory=_password)
    monitor: str = field(default_factory=_password)

    def acl(self, server: Server) -> str:
        """Return the users as an ACL file."""
        own = users(
            [server], {"api": hashed(self.api), "worker": hashed(self.worker)}, IndexerSettings().redis_prefix
        )
        return own + "".join(
            f"user {name} on {hashed(password)} {rights}\n"
            for name, password, rights in (
                ("operator", self.operator, "~* &* +@all"),
                ("replication", self.replication, f"resetchannels -@all {_REPLICATION}"),
                ("monitor", self.monitor, f"resetchannels -@all {_MONITOR}"),
            )
        )


def child(
    name: str, role: Literal["cache-cluster", "queue"], data: Path, place: Place, passwords: Passwords
) -> Child:
    """Return a server.

    Args:
        name: Of the part.
        role: Which of the two configurations it has.
        data: Its folder.
        place: Where it listens.
        passwords: Of its users.
    """
    data.mkdir(parents=True, exist_ok=True)
    own = {"bind": place.host, "port": place.port, "dir": data, "aclfile": data / "users.acl"}
    if role == "cache-cluster":
        # The others would take the address that its connections come from, which is 127.0.0.1 for all of them.
        own["cluster-announce-ip"] = place.host
        own |= {"primaryuser": "replication", "primaryauth": passwords.replication}
    _write(data / "users.acl", passwords.acl("cache" if role == "cache-cluster" else "queue"))
    _write(
        data / "valkey.conf",
        f"include {FOLDER / role}.conf\n" + "".join(f"{key} {value}\n" for key, value in own.items()),
    )
    return Child(
        name,
        [str(valkey.binary()), str(data / "valkey.conf")],
        partial(_answers, place, passwords.operator),
        place.address,
    )


def _write(file: Path, text: str) -> None:
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as opened:
        opened.write(text)


def _answers(place: Place, password: str) -> bool:
    """Return whether a server answers its operator."""
    try:
        return ask(place, password, "PING") == "PONG"
    except (redis.RedisError, OSError):
        return False


def form(nodes: Sequence[Place], password: str) -> None:
    """Make a cluster of new nodes: the first half are masters, each of the second half is the replica of one.

    Args:
        nodes: Where they listen.
        password: The operator's.

    Raises:
        LocalStackError: They did not find each other.
    """
    masters = nodes[: len(nodes) // 2]

    def send(place: Place, *words: str | int) -> str:
        return ask(place, password, *words)

    for n, place in enumerate(masters):
        first, last = n * _SLOTS // len(masters), (n + 1) * _SLOTS // len(masters) - 1
        send(place, "CLUSTER", "ADDSLOTSRANGE", first, last)
        send(place, "CLUSTER", "SET-CONFIG-EPOCH", n + 1)
    for place in nodes[1:]:
        send(nodes[0], "CLUSTER", "MEET", place.host, place.port)
    known = (f"cluster_slots_ok:{_SLOTS}", f"cluster_known_nodes:{len(nodes)}")
    _until(lambda: all(part in send(place, "CLUSTER", "INFO") for place in nodes for part in known))
    for master, replica in zip(masters, nodes[len(masters) :], strict=True):
        send(replica, "CLUSTER", "REPLICATE", send(master, "CLUSTER", "MYID"))
    _until(lambda: all("master_link_status:up" in send(place, "INFO") for place in nodes[len(masters) :]))


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


def ask(place: Place, password: str, *words: str | int) -> str:
    """Send a command as the operator, and return the answer as it was sent.

    Args:
        place: The server.
        password: The operator's.
        *words: The command.
    """
    with redis.Redis(
        place.host,
        place.port,
        username="operator",
        password=password,
        socket_timeout=10,
        socket_connect_timeout=2,
        decode_responses=True,
    ) as client:
        # The text as it was sent, and not what the client makes of it.
        client.response_callbacks.clear()
        return str(client.execute_command(*words))
