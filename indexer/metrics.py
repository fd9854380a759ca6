"""What the indexer measures. The values of labels are few and fixed; `target` is the id of a target."""

from prometheus_client import Counter, Gauge, Histogram

ENGINE_SECONDS = Histogram(
    "engine_request_duration_seconds",
    "Requests to the search engine, by operation and outcome.",
    ["operation", "outcome"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)
INDEX_LAG = Histogram(
    "index_lag_seconds",
    "From the commit of a change to the moment a search on this engine sees it.",
    ["engine"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900),
)
DOCUMENTS = Counter("index_documents_total", "Documents settled, by operation.", ["operation"])
BATCHES = Counter("index_batches_total", "Batches sent, by how they ended.", ["outcome"])
PARKED = Counter("index_parked_total", "Documents parked because the engine refuses them.")
SYNONYMS_REFUSED = Counter(
    "index_synonyms_refused_total", "Times that an engine refused the editors' synonyms."
)
DRIFT_REPAIRED = Counter("index_drift_repaired_total", "Documents that a drift audit marked again.")
BREAKER = Gauge(
    "engine_breaker_open",
    "1 while requests to the engine fail at once.",
    ["client", "engine"],
    # The value that a process of the API had when it ended must not count any more.
    multiprocess_mode="mostrecent",
)
FAILOVERS = Counter(
    "engine_failovers_total", "Searches that another engine answered because this one failed.", ["engine"]
)
SENDER_CRASHES = Counter(
    "index_sender_crashes_total", "Senders that ended with an unexpected error.", ["target"]
)
SENDER_ACTIVE = Gauge("index_sender_active", "1 in the process that leads this target.", ["target"])
INVALIDATION_FAILURES = Counter(
    "cache_invalidation_failures_total", "Invalidations that did not reach Redis."
)
JOBS = Counter("jobs_total", "Jobs that a worker ran, by function and outcome.", ["function", "outcome"])
JOB_SECONDS = Histogram(
    "job_duration_seconds",
    "From the start of a job's process to its end.",
    ["function"],
    buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800),
)
JOB_WAIT = Histogram(
    "job_wait_seconds",
    "From the moment that a job was enqueued to its start.",
    ["queue"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800),
)
SCHEDULER_TICK = Gauge(
    "scheduler_last_tick_timestamp_seconds", "When the scheduler last looked for what is due."
)
