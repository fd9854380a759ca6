"""What the cluster consists of: each part's command and variables, from the files of deploy/ and this machine's places."""

import secrets
from functools import partial
from pathlib import Path

from deploy.local.process import Child
from deploy.local.servers import engine
from deploy.local.stack import answers, thmanyah
from deploy.proving import builds
from deploy.proving.layout import ENGINES, Layout
from deploy.proving.servers import exporters, nginx, pgbouncer, postgres, prometheus, valkey

# Worker processes of an API instance, and how many there are of the other processes.
_WORKERS, _PAIR = 2, 2


class Parts:
    """The parts of one cluster.

    Attributes:
        layout: Where they listen.
        folder: Data and configurations.
        password: Of the database's role and of the admin's account.
        redis: Passwords of the users of Redis.
        master_key: Of the engines.
        keys: The engines' keys by variable, once the engines have them.
        build: The folder of the build whose processes and commands run; None for this one. Engines are of this one.
        variables: Further variables of every process of the product.
        apis: The names of the API's instances that run.
        api_workers: How many workers each of them has.
        rules: The folder of Prometheus' configuration.
    """

    def __init__(self, layout: Layout, folder: Path) -> None:
        self.layout, self.folder = layout, folder
        self.build: Path | None = None
        self.variables: dict[str, str] = {}
        self.apis, self.api_workers = layout.apis, _WORKERS
        self.rules = prometheus.FOLDER
        self.password, self.redis = secrets.token_urlsafe(18), valkey.Passwords()
        self.keys: dict[str, str] = {}
        self.master_key, self._secret = secrets.token_urlsafe(32), secrets.token_urlsafe(48)

    @property
    def database_url(self) -> str:
        """The catalogue without PgBouncer: whichever of the two servers takes writes."""
        hosts = "&".join(f"host={self.layout[name].address}" for name in ("primary", "replica"))
        return (
            f"postgresql+psycopg://{postgres.ROLE}:{self.password}@/{postgres.DATABASE}"
            f"?{hosts}&target_session_attrs=read-write"
        )

    @property
    def conninfo(self) -> str:
        """The same for libpq."""
        places = [self.layout[name] for name in ("primary", "replica")]
        hosts, ports = (
            ",".join(str(part) for part in parts)
            for parts in zip(*((p.host, p.port) for p in places), strict=True)
        )
        return (
            f"host={hosts} port={ports} user={postgres.ROLE} password={self.password} dbname={postgres.DATABASE} "
            "target_session_attrs=read-write connect_timeout=2"
        )

    @property
    def environment(self) -> dict[str, str]:
        """The variables of every process of the product."""
        pooler = f"postgresql+psycopg://{postgres.ROLE}:{self.password}@{self.layout['pgbouncer'].address}"
        return {
            "THMANYAH_ENV": "production",
            "THMANYAH_SECRET_KEY": self._secret,
            "LOG_FORMAT": "json",
            "DATABASE_URL": f"{pooler}/{postgres.DATABASE}",
            "DATABASE_REPLICA_URL": f"{pooler}/{pgbouncer.READ_DATABASE}",
            "DATABASE_DIRECT_URL": self.database_url,
            "DATABASE_POOL_MIN": "2",
            "DATABASE_POOL_MAX": "10",
            "MEILI_URLS": ",".join(f"{name}={self.layout[f'engine-{name}'].url}" for name in ENGINES),
            "MEILI_KEY": self.keys.get("MEILI_KEY", ""),
            **self._redis_urls("worker", self.redis.worker),
            **(builds.variables(self.build) if self.build else {}),
            **self.variables,
        }

    def _redis_urls(self, user: str, password: str) -> dict[str, str]:
        nodes = ",".join(self.layout[name].address for name in self.layout.cache_nodes)
        return {
            "REDIS_CACHE_URL": f"redis+cluster://{user}:{password}@{nodes}",
            "REDIS_QUEUE_URL": f"redis://{user}:{password}@{self.layout['queue'].address}/0",
        }

    def make_keys(self) -> None:
        """Make the keys of the API and the senders on every engine: the same ones, because the master key is."""
        for name in ENGINES:
            self.keys = engine.ensure_keys(self.layout[f"engine-{name}"].url, self.master_key)

    def servers(self) -> list[Child]:
        """Return the servers that nothing else has to precede."""
        data, place = self.folder, self.layout
        return [
            postgres.child("primary", data / "primary", place["primary"]),
            *(
                valkey.child(name, "cache-cluster", data / name, place[name], self.redis)
                for name in place.cache_nodes
            ),
            valkey.child("queue", "queue", data / "queue", place["queue"], self.redis),
            *(self._engine(f"engine-{name}") for name in ENGINES),
        ]

    def _engine(self, name: str) -> Child:
        place = self.layout[name]
        variables = dict(
            engine.environment(engine.SEARCHNODE, self.folder / name, place.port, self.master_key)
        )
        variables["MEILI_HTTP_ADDR"] = place.address
        return Child(
            name, thmanyah("searchnode"), partial(answers, f"{place.url}/health"), place.url, variables
        )

    def replica(self) -> Child:
        """Return the replica, whose folder is a copy of the primary's."""
        return postgres.child("replica", self.folder / "replica", self.layout["replica"])

    def pgbouncer(self) -> Child:
        """Return PgBouncer before the primary and the replica."""
        self.route_database("primary", "replica")
        return pgbouncer.child(self.folder / "pgbouncer", self.layout["pgbouncer"], self.password)

    def route_database(self, writes: str, reads: str) -> None:
        """Write PgBouncer's configuration.

        Args:
            writes: The part that takes writes: primary or replica.
            reads: The part that lookups read from.
        """
        databases = {postgres.DATABASE: self.layout[writes], pgbouncer.READ_DATABASE: self.layout[reads]}
        pgbouncer.configure(self.folder / "pgbouncer", self.layout["pgbouncer"], databases, self.password)

    def processes(self) -> list[Child]:
        """Return the product's own processes."""
        found = [self._api(name) for name in self.apis]
        for command in ("sync", "worker", "scheduler"):
            for n in range(1, _PAIR + 1):
                place = self.layout[f"{command}-{n}"]
                own = {"SYNC_METRICS_HOST": place.host, f"{command.upper()}_METRICS_PORT": str(place.port)}
                child = self._own(command, f"{command}-{n}", place.url, own)
                child.ready = partial(answers, f"{place.url}/metrics")
                found.append(child)
        return found

    def _api(self, name: str) -> Child:
        place = self.layout[name]
        own = {
            "API_HOST": place.host,
            "API_PORT": str(place.port),
            "API_WORKERS": str(self.api_workers),
            "API_EXPOSE_METRICS": "true",
            # The edge, which names the client.
            "TRUSTED_PROXIES": "127.0.0.0/8",
            "MEILI_KEY": "",
            "MEILI_SEARCH_KEY": self.keys["MEILI_SEARCH_KEY"],
            "PROMETHEUS_MULTIPROC_DIR": str(self.folder / "metrics" / name),
            **self._redis_urls("api", self.redis.api),
        }
        child = self._own("api", name, place.url, own)
        child.ready = partial(answers, f"{place.url}/health/live")
        return child

    def _own(self, command: str, name: str, where: str, own: dict[str, str]) -> Child:
        return Child(name, thmanyah(command), lambda: True, where, self.environment | own)

    def edge(self) -> Child:
        """Return nginx before the instances of the API."""
        folder, address = self.folder / "edge", self.layout["edge"].address
        instances = [self.layout[name].address for name in self.apis]
        # Whoever is on this machine may say for whom they ask, as a balancer before the edge does.
        nginx.configure(folder, address, instances, balancers=["127.0.0.0/8"])
        return nginx.child(folder, address)

    def watchers(self) -> list[Child]:
        """Return Prometheus, and the exporters that are installed."""
        beside = exporters.children(self.layout, self.redis.monitor)
        own = {
            job: [place.address for name, place in self.layout.places.items() if name.startswith(f"{job}-")]
            for job in ("sync", "worker", "scheduler")
        } | {"api": [self.layout[name].address for name in self.apis]}
        folder = self.folder / "prometheus"
        targets = own | {job: [child.where for child in found] for job, found in beside.items()}
        prometheus.configure(folder, targets, self.rules)
        found = [child for exporters_of_job in beside.values() for child in exporters_of_job]
        return [*found, prometheus.child(folder, self.layout["prometheus"])]
