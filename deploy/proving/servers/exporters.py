"""Exporters of metrics beside PostgreSQL, Valkey and the machine, where Debian's packages are installed."""

from collections.abc import Mapping

from deploy.local.process import Child
from deploy.local.servers import postgres
from deploy.local.stack import answers
from deploy.proving import debian
from deploy.proving.layout import Layout, Place

POSTGRES, REDIS, NODE = (
    "prometheus-postgres-exporter",
    "prometheus-redis-exporter",
    "prometheus-node-exporter",
)
_PORTS = {POSTGRES: 9187, REDIS: 9121, NODE: 9100}


def children(layout: Layout, redis_password: str) -> dict[str, list[Child]]:
    """Return the exporters of each job of Prometheus; a job has none when its package is not installed.

    Args:
        layout: Where the servers listen.
        redis_password: Of Redis's user `monitor`.
    """
    databases = [_postgres(name, layout[name]) for name in ("primary", "replica")]
    stores = [_redis(name, layout[name], redis_password) for name in (*layout.cache_nodes, "queue")]
    machine = [_child(NODE, "node", f"{layout.network}.1", ["--no-collector.systemd"], {})]
    found = {"postgres": (POSTGRES, databases), "redis": (REDIS, stores), "node": (NODE, machine)}
    return {job: exporters if debian.find(program) else [] for job, (program, exporters) in found.items()}


def _postgres(name: str, place: Place) -> Child:
    source = f"postgresql://{postgres.SUPERUSER}@{place.address}/postgres?sslmode=disable"
    return _child(POSTGRES, name, place.host, ["--auto-discover-databases"], {"DATA_SOURCE_NAME": source})


def _redis(name: str, place: Place, password: str) -> Child:
    options = ["--redis.addr", f"redis://{place.address}", "--redis.user", "monitor"]
    return _child(REDIS, name, place.host, options, {"REDIS_PASSWORD": password})


def _child(program: str, name: str, host: str, options: list[str], variables: Mapping[str, str]) -> Child:
    address = f"{host}:{_PORTS[program]}"
    return Child(
        f"exporter-{name}",
        [debian.find(program) or program, *options, "--web.listen-address", address],
        lambda: answers(f"http://{address}/metrics"),
        address,
        variables,
    )
