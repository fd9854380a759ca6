"""Counters and histograms of the HTTP layer.

`api.answers`, `api.http` and the groups of routes count; `api.operations.metrics` shows the numbers at /metrics.
"""

from collections.abc import Sequence

from prometheus_client import Counter, Gauge, Histogram

# Fine below 50 ms, where the objectives are (p50 5 ms, p99 20 ms).
HTTP_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 5)


class Durations(Histogram):
    """A histogram that takes many observations at once."""

    def add(self, counts: Sequence[int], seconds: float) -> None:
        """Add observations: how many fell into each bucket, the last being +Inf, and their sum."""
        for bucket, count in zip(self._buckets, counts, strict=True):
            if count:
                bucket.inc(count)
        self._sum.inc(seconds)


HTTP_SECONDS = Durations(
    "http_request_duration_seconds",
    "Duration of HTTP requests in seconds",
    ["method", "route", "status"],
    buckets=HTTP_BOUNDS,
)
HTTP_TOTAL = Counter("http_requests_total", "Total number of HTTP requests", ["method", "route", "status"])
CONNECTIONS = Gauge("http_connections", "Open connections of clients", multiprocess_mode="livesum")
CONNECTIONS_CLOSED = Counter(
    "http_connections_closed_total",
    "Connections closed because an address held too many (address) or a process had little room left (limit)",
    ["reason"],
)
CACHE = Counter(
    "cache_requests_total", "Answers by source: l1, stale, l2, miss, coalesced", ["kind", "level"]
)
CACHE_BYTES = Counter("cache_evicted_bytes_total", "Bytes dropped from process memory to make room")
PAGES_COMPARED = Counter(
    "cache_pages_compared_total",
    "Cached pages that were compared with the changes since they were compared last, by what became of them",
    ["outcome"],
)
COMPRESSED = Counter(
    "answers_compressed_total", "Answers that were compressed, by content coding", ["coding"]
)
REDIS_ERRORS = Counter("cache_redis_errors_total", "Cache commands that Redis did not answer")
RATE_LIMITED = Counter("rate_limited_total", "Requests refused by a rate limit", ["limit"])
LIMITER_ERRORS = Counter(
    "rate_limiter_errors_total", "Leases of rate limits that a process gave itself because Redis was away"
)
VIEWS = Counter("program_views_total", "Views by outcome: counted, repeated, bot, lost", ["outcome"])

READS = Counter(
    "database_reads_total", "Statements of listeners' reads, by the server they were sent to", ["server"]
)
READ_FAILOVERS = Counter(
    "database_read_failovers_total",
    "Reads that another server answered because this replica did not",
    ["server"],
)
SEARCH_DEGRADED = Counter(
    "search_degraded_total", "Answers from PostgreSQL because no engine answered", ["route"]
)
SEARCHES = Counter(
    "search_counts_total",
    "Answers to searches with words, by what became of their count: counted, bot, lost",
    ["outcome"],
)
SEARCH_REWRITES = Counter(
    "search_rewrites_total", "Searches that another reading of the query answered", ["rung"]
)
ZERO_RESULTS = Counter("search_zero_results_total", "Searches with words that found nothing")
SEARCH_EVENTS = Counter(
    "search_events_total",
    "Clicks and plays from results by outcome: counted, repeated, unknown, refused, sampled, bot, lost",
    ["outcome"],
)
SEARCH_FAILURES = Counter(
    "search_count_failures_total", "Searches and events that an unexpected error kept from being counted"
)
VOCABULARY = Gauge(
    "search_vocabulary_words",
    "Words of the catalogue that a process corrects queries with",
    multiprocess_mode="mostrecent",
)
CURATION_FAILURES = Counter(
    "curation_read_failures_total", "Attempts to read what editors pinned that PostgreSQL did not answer"
)
FALLBACK_FAILURES = Counter(
    "search_fallback_failures_total", "Searches that PostgreSQL did not answer either", ["reason"]
)
