"""The composition root of background work: what a worker may run, what is periodic, where the sweep looks for work.

The only place that knows the jobs of every layer. Each job is named by its function, so a job that was moved
or deleted is an error at import and not a job that fails at night.
"""

from collections.abc import Callable, Sequence

import click
from redis import Redis
from sqlalchemy import Engine as Database

from api.discovery.lookups import warm
from api.operations.webhooks import jobs as webhooks
from catalog.care import maintenance
from indexer.importing.running.job import run_import
from indexer.importing.running.waiting import WaitingRuns
from indexer.jobs import processes, pruning
from indexer.jobs.schedule import Entry
from indexer.jobs.sweep import Source
from indexer.rebuild import jobs
from indexer.rebuild.waiting import WaitingAudits, WaitingRebuilds

PERIODIC = (
    Entry("warm-caches", "*/5 * * * *", warm.warm_popular, 120),
    Entry("audit", "41 * * * *", jobs.audit_all, 600),
    Entry("collect-indexes", "*/10 * * * *", jobs.collect_indexes, 600),
    Entry("prune", "17 * * * *", pruning.prune, 600),
    Entry("maintain-database", "7 3 * * *", maintenance.maintain_database, 3600),
    Entry("prune-imports", "27 * * * *", pruning.prune_imports, 600),
)
# What a worker may run: a job in Redis that names another function fails without importing it.
REGISTERED: tuple[Callable[..., object], ...] = (
    run_import,
    jobs.rebuild,
    jobs.audit,
    webhooks.deliver,
    webhooks.send_queued,
    *(entry.function for entry in PERIODIC),
)


def sources(database: Database, queue: "Redis") -> Sequence[Source]:
    """Return what the sweep looks through: imports, the rebuild whose turn it is, audits, webhooks."""
    return (
        WaitingRuns(database, queue, patience=2.0),
        WaitingRebuilds(database, queue),
        WaitingAudits(database, queue),
        webhooks.WaitingWebhooks(database, queue),
    )


@click.command()
@click.option("--burst", is_flag=True, help="Stop when the queues are empty.")
def worker(burst: bool) -> None:
    """Run background jobs: imports, reindexing, maintenance."""
    # Every job runs in a fork of this process. What the fork finds imported it need not import again.
    import meilisearch  # noqa: F401 (see above)

    import indexer.importing.running.runner  # noqa: F401 (for its libraries only)

    processes.work(REGISTERED, burst=burst)


@click.command()
def scheduler() -> None:
    """Publish and expire on time, add counted views, enqueue periodic jobs."""
    processes.schedule(PERIODIC, sources)
