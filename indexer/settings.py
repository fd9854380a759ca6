"""Settings of the pipeline: the engines, Redis, and how the sender works. docs/settings.md is made from them."""

from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, ValidationInfo, field_validator
from pydantic_settings import BaseSettings

from catalog.core.settings import FROM_ENVIRONMENT
from indexer import stores

DEFAULT_ENGINE = "default"


def _named(urls: str) -> dict[str, str]:
    """Return name -> address from a list as in MEILI_URLS. An address without a name is called host:port.

    Raises:
        ValueError: An address is none, or is named twice.
    """
    found: dict[str, str] = {}
    for entry in filter(None, map(str.strip, urls.split(","))):
        name, equals, url = entry.partition("=")
        if not equals or "/" in name:
            name, url = "", entry
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"MEILI_URLS: {entry!r} is no http:// or https:// address")
        name = name or (f"{parts.hostname}:{parts.port}" if parts.port else parts.hostname)
        if name in found or url in found.values():
            raise ValueError(f"MEILI_URLS names {name!r} or its address twice")
        found[name] = url
    return found


class IndexerSettings(BaseSettings):
    """Read from the environment, one variable for each field."""

    model_config = FROM_ENVIRONMENT

    meili_url: str = Field(
        default="http://127.0.0.1:7700",
        validation_alias="MEILI_URL",
        description="Address of the search engine: a Meilisearch or the search node.",
    )
    meili_urls: str = Field(
        default="",
        validation_alias="MEILI_URLS",
        description="Several engines, each with all programs: `a=http://…,b=http://…`, or addresses without names. When set, `MEILI_URL` is ignored.",
    )
    meili_key: str = Field(
        default="",
        validation_alias="MEILI_KEY",
        description="Engine key for documents, settings, tasks and searches. It does not need `keys.*`.",
    )
    meili_search_key: str = Field(
        default="",
        validation_alias="MEILI_SEARCH_KEY",
        description="Engine key for searching only, used by the API. Unset: `MEILI_KEY`.",
    )
    meili_index: str = Field(
        default="programs",
        validation_alias="MEILI_INDEX",
        description="Name of the index that answers searches.",
    )
    fresh_seconds: float = Field(
        default=5.0,
        gt=0,
        validation_alias="MEILI_FRESH_SECONDS",
        description="An engine that is at most this many seconds behind the freshest engine counts as fresh.",
    )
    connect_timeout: float = Field(
        default=0.5,
        gt=0,
        validation_alias="MEILI_CONNECT_TIMEOUT",
        description="Seconds to wait for a connection to an engine.",
    )
    read_timeout: float = Field(
        default=2.0,
        gt=0,
        validation_alias="MEILI_READ_TIMEOUT",
        description="Seconds that a search may take.",
    )
    write_timeout: float = Field(
        default=30.0,
        gt=0,
        validation_alias="MEILI_WRITE_TIMEOUT",
        description="Seconds that an engine may take to accept a batch.",
    )
    max_concurrency: int = Field(
        default=64,
        ge=1,
        validation_alias="MEILI_MAX_CONCURRENCY",
        description="Searches that one API process sends to an engine at the same time.",
    )
    breaker_failures: int = Field(
        default=5,
        ge=1,
        validation_alias="MEILI_BREAKER_FAILURES",
        description="Consecutive failures after which the circuit breaker opens: the engine gets no searches.",
    )
    breaker_seconds: float = Field(
        default=2.0,
        gt=0,
        validation_alias="MEILI_BREAKER_SECONDS",
        description="Seconds until an open circuit breaker lets one search try the engine again.",
    )
    redis_cache_url: str = Field(
        default="redis://127.0.0.1:6379/0",
        validation_alias="REDIS_CACHE_URL",
        description="Redis for caches, invalidation, rate limits and counted views: one server, `redis+cluster://node,node` or `redis+sentinel://host,host/service`. It may be wiped at any time.",
    )
    redis_queue_url: str = Field(
        default="redis://127.0.0.1:6379/1",
        validation_alias="REDIS_QUEUE_URL",
        description="Redis for the job queue (RQ): `maxmemory-policy noeviction`, append-only; one server or `redis+sentinel://host,host/service`, never a cluster.",
    )
    redis_prefix: str = Field(
        default="thmanyah:",
        pattern=r"^[A-Za-z0-9:_.-]+$",
        validation_alias="REDIS_PREFIX",
        description="Prefix of every key in the cache's Redis; letters, digits and `:_.-`.",
    )
    redis_timeout: float = Field(
        default=0.25,
        gt=0,
        validation_alias="REDIS_TIMEOUT",
        description="Seconds that a cache command may take; then the request continues without the cache.",
    )
    sync_poll_seconds: float = Field(
        default=0.05,
        gt=0,
        validation_alias="SYNC_POLL_SECONDS",
        description="Seconds between two looks at the dirty set when there is nothing to send, while changes come and while Redis gives no hints of them.",
    )
    sync_idle_seconds: float = Field(
        default=1.0,
        gt=0,
        validation_alias="SYNC_IDLE_SECONDS",
        description="Longest pause between two such looks when it is quiet and Redis gives hints: so late at most is a change by plain SQL sent. Each heartbeat, every two seconds, looks as well.",
    )
    sync_max_documents: int = Field(
        default=2000,
        ge=1,
        validation_alias="SYNC_MAX_DOCUMENTS",
        description="Largest number of documents in one batch. Only a backlog fills a batch.",
    )
    sync_max_bytes: int = Field(
        default=8_000_000,
        ge=1000,
        validation_alias="SYNC_MAX_BYTES",
        description="Largest size of the documents in one batch, in bytes.",
    )
    sync_in_flight: int = Field(
        default=3,
        ge=1,
        validation_alias="SYNC_IN_FLIGHT",
        description="Full batches in flight at the same time; they are settled in order.",
    )
    sync_task_timeout: float = Field(
        default=120.0,
        gt=0,
        validation_alias="SYNC_TASK_TIMEOUT",
        description="Seconds to wait for the engine to finish a batch; then its marks are claimed again later.",
    )
    reindex_automatic: bool = Field(
        default=False,
        validation_alias="REINDEX_AUTOMATIC",
        description="Start a rebuild automatically when new index settings need it.",
    )
    log_format: Literal["text", "json"] = Field(
        default="text",
        validation_alias="LOG_FORMAT",
        description="`text` for a terminal; `json`, one object a line, for collectors. All processes write to stderr.",
    )
    reindex_keep_hours: float = Field(
        default=24,
        gt=0,
        validation_alias="REINDEX_KEEP_HOURS",
        description="Hours for which a rebuild keeps the old index in step, so that a rollback is possible.",
    )
    sync_metrics_port: int = Field(
        default=0,
        ge=0,
        le=65_535,
        validation_alias="SYNC_METRICS_PORT",
        description="Port on which the sender serves `/metrics`; 0 is off.",
    )
    worker_metrics_port: int = Field(
        default=0,
        ge=0,
        le=65_535,
        validation_alias="WORKER_METRICS_PORT",
        description="Port on which the worker serves `/metrics`; 0 is off.",
    )
    scheduler_metrics_port: int = Field(
        default=0,
        ge=0,
        le=65_535,
        validation_alias="SCHEDULER_METRICS_PORT",
        description="Port on which the scheduler serves `/metrics`; 0 is off.",
    )
    sync_metrics_host: str = Field(
        default="127.0.0.1",
        validation_alias="SYNC_METRICS_HOST",
        description="Address on which the sender, the worker and the scheduler serve `/metrics`; in a container `0.0.0.0`.",
    )

    @field_validator("meili_url", "redis_cache_url", "redis_queue_url", mode="before")
    @classmethod
    def _empty_is_unset(cls, value: object, info: ValidationInfo) -> object:
        # Compose passes a variable that nobody has set as an empty one.
        return cls.model_fields[str(info.field_name)].default if value == "" else value

    @field_validator("meili_url")
    @classmethod
    def _is_http(cls, url: str) -> str:
        try:
            parts = urlsplit(url)
            fits = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            fits = False
        if not fits:
            raise ValueError("should be an address such as http://host:7700")
        return url

    @field_validator("redis_cache_url", "redis_queue_url")
    @classmethod
    def _is_redis(cls, url: str, info: ValidationInfo) -> str:
        try:
            kind = stores.parse(url).kind
        except ValueError as error:
            raise ValueError("should be an address such as redis://host:6379/0") from error
        if kind == stores.CLUSTER and info.field_name == "redis_queue_url":
            raise ValueError("should be a single server or redis+sentinel://…: RQ cannot use a cluster")
        return url

    @field_validator("meili_urls")
    @classmethod
    def _are_addresses(cls, urls: str) -> str:
        _named(urls)
        return urls

    @property
    def configured_engines(self) -> dict[str, str]:
        """Name -> address of the engines that the environment names."""
        return _named(self.meili_urls) or {DEFAULT_ENGINE: self.meili_url}
