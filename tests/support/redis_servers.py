"""A small Redis Cluster, and a master with a replica and Sentinels, for tests that hurt them."""

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

from deploy.local import ports
from deploy.local.process import Child
from deploy.local.servers import valkey
from tests.support.servers import PREFIX, in_memory
from tests.support.waiting import eventually

SLOTS = 16_384
# A master that has been silent for so many milliseconds is replaced: as soon as a busy machine allows.
_SILENT_MS = 2000


class Servers:
    """Valkey servers, or others, in one temporary folder."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=in_memory()))
        self.children: dict[int, Child] = {}

    def run(self, port: int, *options: str) -> None:
        """Start a server, or start it again on what it left, and wait until it answers."""
        if port not in self.children:
            folder = self.folder / str(port)
            command = [*valkey.server_command(folder, port, durable=False), *options]
            self.children[port] = Child(
                str(port), command, lambda: _says(port, lambda redis: redis.ping()), ""
            )
        child = self.children[port]
        child.start(self.folder / "logs")
        assert child.wait_ready(60, lambda: False), (self.folder / "logs" / f"{port}.log").read_text()

    def kill(self, port: int) -> None:
        """End a server at once."""
        self.children[port].stop(timeout=0)

    def stop(self) -> None:
        """End all servers and remove what they wrote."""
        for child in self.children.values():
            child.stop(timeout=0)
        shutil.rmtree(self.folder, ignore_errors=True)


class ClusterServers(Servers):
    """Three masters with a share of the slots each, and as many replicas.

    Attributes:
        masters: Their ports.
        replicas: Master -> its replica.
    """

    def start(self) -> str:
        """Start everything; return the address of the cluster."""
        nodes = [ports.ephemeral() for _ in range(6)]
        self.masters, spare = nodes[:3], nodes[3:]
        self.replicas = dict(zip(self.masters, spare, strict=True))
        for port in nodes:
            self.run(
                port,
                *("--cluster-enabled", "yes", "--cluster-port", str(ports.ephemeral())),
                *("--cluster-node-timeout", str(_SILENT_MS), "--cluster-require-full-coverage", "no"),
                *("--repl-diskless-sync-delay", "0"),
            )
        for n, port in enumerate(self.masters):
            first, last = n * SLOTS // 3, (n + 1) * SLOTS // 3 - 1
            _ask(port, "CLUSTER", "ADDSLOTSRANGE", first, last)
            _ask(port, "CLUSTER", "SET-CONFIG-EPOCH", n + 1)
        for port in nodes[1:]:
            bus = self.children[port].command[self.children[port].command.index("--cluster-port") + 1]
            _ask(nodes[0], "CLUSTER", "MEET", "127.0.0.1", port, bus)
        for port in nodes:
            eventually(
                lambda port=port: f"cluster_slots_ok:{SLOTS}" in _text(port, "CLUSTER", "INFO"), what="slots"
            )
            eventually(
                lambda port=port: "cluster_known_nodes:6" in _text(port, "CLUSTER", "INFO"), what="six nodes"
            )
        for master, replica in self.replicas.items():
            _ask(replica, "CLUSTER", "REPLICATE", _text(master, "CLUSTER", "MYID"))
            eventually(lambda replica=replica: is_in_step(replica), what="the replica")
        return "redis+cluster://" + ",".join(f"127.0.0.1:{port}" for port in self.masters)

    def owner(self, key: str) -> int:
        """Return the port of the master that has a key's slot."""
        slot = int(str(_ask(self.masters[0], "CLUSTER", "KEYSLOT", key)))
        return self.masters[slot * 3 // SLOTS]

    def take_over(self, master: int) -> None:
        """Kill a master and wait until its replica has its slots."""
        self.kill(master)
        replica = self.replicas[master]
        eventually(lambda: _says(replica, lambda redis: redis.role()[0] == b"master"), what="the failover")

    def move_slot(self, slot: int, source: int, target: int) -> None:
        """Begin to move a slot: what the source has not is asked for at the target (ASK)."""
        _ask(target, "CLUSTER", "SETSLOT", slot, "IMPORTING", _text(source, "CLUSTER", "MYID"))
        _ask(source, "CLUSTER", "SETSLOT", slot, "MIGRATING", _text(target, "CLUSTER", "MYID"))

    def moved(self, slot: int, source: int, target: int) -> None:
        """End the move of a slot: the source answers MOVED from now on."""
        for port in (target, source):
            _ask(port, "CLUSTER", "SETSLOT", slot, "NODE", _text(target, "CLUSTER", "MYID"))


class SentinelServers(Servers):
    """A master, its replica, and three Sentinels that watch them as `jobs`."""

    def start(self) -> str:
        """Start everything; return the address of the Sentinels."""
        self.master, self.replica = ports.ephemeral(), ports.ephemeral()
        self.run(self.master)
        self.run(
            self.replica, "--replicaof", "127.0.0.1", str(self.master), "--repl-diskless-sync-delay", "0"
        )
        eventually(lambda: is_in_step(self.replica), what="the replica")
        watchers = [ports.ephemeral() for _ in range(3)]
        for port in watchers:
            folder = self.folder / str(port)
            folder.mkdir()
            (folder / "sentinel.conf").write_text(
                f"port {port}\nbind 127.0.0.1\ndir {folder}\n"
                f"sentinel monitor jobs 127.0.0.1 {self.master} 2\n"
                f"sentinel down-after-milliseconds jobs {_SILENT_MS}\n"
                "sentinel failover-timeout jobs 5000\n"
            )
            binary = valkey.server_command(folder, port)[0]
            child = self.children[port] = Child(
                str(port),
                [binary, str(folder / "sentinel.conf"), "--sentinel"],
                lambda port=port: _says(port, lambda redis: redis.ping()),  # type: ignore[misc]  # its own port
                "",
            )
            child.start(self.folder / "logs")
        for port in watchers:
            eventually(lambda port=port: _knows_all(port), what="Sentinels that know each other")
        return "redis+sentinel://" + ",".join(f"127.0.0.1:{port}" for port in watchers) + "/jobs/0"

    def take_over(self) -> None:
        """Kill the master and wait until the replica is the master."""
        self.kill(self.master)
        eventually(
            lambda: _says(self.replica, lambda redis: redis.role()[0] == b"master"), what="the failover"
        )


def is_in_step(port: int) -> bool:
    """Return whether a replica has everything of its master."""
    return _says(port, lambda redis: redis.info("replication").get("master_link_status") == "up")


def _says(port: int, question: "Callable[[Redis], object]") -> bool:
    try:
        with Redis(port=port, socket_timeout=2) as redis:
            return bool(question(redis))
    except (RedisError, OSError):
        return False


def _ask(port: int, *words: str | int) -> object:
    with Redis(port=port, socket_timeout=10) as redis:
        return redis.execute_command(*words)


def _text(port: int, *words: str | int) -> str:
    with Redis(port=port, socket_timeout=10, decode_responses=True) as redis:
        redis.response_callbacks.clear()
        return str(redis.execute_command(*words))


def _knows_all(port: int) -> bool:
    """Return whether a Sentinel knows the two others and the replica."""
    with Redis(port=port, socket_timeout=10) as redis:
        found = redis.sentinel_masters()["jobs"]
    return bool(found["num-other-sentinels"] == 2 and found["num-slaves"] == 1)
