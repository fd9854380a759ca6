"""A rolling upgrade of a running cluster, in the order of the runbook: the schema first, then each process by itself."""

import re

from deploy.local.errors import LocalStackError
from deploy.proving.cluster import Cluster
from deploy.proving.layout import ENGINES
from deploy.proving.servers import postgres
from perf.load.running import say

_REPLACED = ("sync", "worker", "scheduler", "api")


def upgrade(cluster: Cluster) -> None:
    """Replace the older build that a cluster runs by this one.

    Raises:
        LocalStackError: The schema did not change, so that this was no upgrade; or a process did not start.
    """
    before = _revision(cluster)
    cluster.parts.build = None
    cluster.run("migrate")
    after = _revision(cluster)
    if before == after:
        raise LocalStackError(f"Both builds have the schema {after}: name an older one with --from.")
    say(f"schema {before} -> {after}")
    for kind in _REPLACED:
        for name in [name for name in cluster.children if re.fullmatch(rf"{kind}-\d+", name)]:
            cluster.replace(name)
            say(f"{name} replaced")
    for engine in ENGINES:
        # A newer build may have other settings of an index, or other documents.
        say(f"engine {engine}: {cluster.run('reindex', '--engine', engine)}".replace("\n", ", "))


def _revision(cluster: Cluster) -> str:
    with postgres.admin(cluster.layout["primary"], postgres.DATABASE) as connection:
        found = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    assert found is not None
    return str(found[0])
