"""What the pipeline measures. Label values are few and fixed."""

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
PARKED = Counter("index_parked_total", "Documents put aside because the engine refuses them.")
DRIFT_REPAIRED = Counter("index_drift_repaired_total", "Documents an audit had sent again.")
BREAKER = Gauge(
    "engine_breaker_open",
    "1 while the engine is not being asked.",
    ["client", "engine"],
    # A worker process that is gone must not go on saying that it gave up.
    multiprocess_mode="mostrecent",
)
FAILOVERS = Counter(
    "engine_failovers_total", "Searches that another engine answered for this one.", ["engine"]
)
SENDER_ACTIVE = Gauge(
    "index_sender_active", "1 in the process that sends to this target.", ["target"]
)
INVALIDATION_FAILURES = Counter(
    "cache_invalidation_failures_total", "Invalidations that Redis did not take."
)
