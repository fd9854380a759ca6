"""Settings of the pipeline: the engines, Redis, and how the sender works."""

from urllib.parse import urlsplit

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

DEFAULT_ENGINE = "default"


def _named(urls: str) -> dict[str, str]:
    """name -> address; an address alone is called by its host and port. Raises ValueError."""
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
    """Read from the environment; every field has one variable."""

    model_config = SettingsConfigDict(populate_by_name=True, extra="ignore", frozen=True)

    meili_url: str = Field(
        default="http://127.0.0.1:7700",
        validation_alias="MEILI_URL",
        description="The search engine: a Meilisearch or the search node.",
    )
    meili_urls: str = Field(
        default="",
        validation_alias="MEILI_URLS",
        description="Several engines, each with all programs: `a=http://…,b=http://…`, or addresses alone. Set: MEILI_URL is not used.",
    )
    meili_key: str = Field(
        default="",
        validation_alias="MEILI_KEY",
        description="Key for writing and management. Needs no `keys.*`.",
    )
    meili_search_key: str = Field(
        default="",
        validation_alias="MEILI_SEARCH_KEY",
        description="Key for searching only, which the API holds. Unset: MEILI_KEY.",
    )
    meili_index: str = Field(
        default="programs",
        validation_alias="MEILI_INDEX",
        description="Index that searches go to.",
    )
    fresh_seconds: float = Field(
        default=5.0, gt=0, validation_alias="MEILI_FRESH_SECONDS",
        description="Seconds an engine may be behind the freshest and still be asked first.",
    )  # fmt: skip
    connect_timeout: float = Field(
        default=0.5, gt=0, validation_alias="MEILI_CONNECT_TIMEOUT",
        description="Seconds to connect to the engine.",
    )  # fmt: skip
    read_timeout: float = Field(
        default=2.0, gt=0, validation_alias="MEILI_READ_TIMEOUT",
        description="Seconds a search may take.",
    )  # fmt: skip
    write_timeout: float = Field(
        default=30.0, gt=0, validation_alias="MEILI_WRITE_TIMEOUT",
        description="Seconds the engine may take to accept a batch.",
    )  # fmt: skip
    max_concurrency: int = Field(
        default=64, ge=1, validation_alias="MEILI_MAX_CONCURRENCY",
        description="Searches one API process has under way at once.",
    )  # fmt: skip
    breaker_failures: int = Field(
        default=5, ge=1, validation_alias="MEILI_BREAKER_FAILURES",
        description="Failures in a row after which searches fail at once for a while.",
    )  # fmt: skip
    breaker_seconds: float = Field(
        default=2.0, gt=0, validation_alias="MEILI_BREAKER_SECONDS",
        description="Seconds until one search tries the engine again.",
    )  # fmt: skip
    redis_cache_url: str = Field(
        default="redis://127.0.0.1:6379/0",
        validation_alias="REDIS_CACHE_URL",
        description="Redis for caches, invalidation, limits and counted views. May be wiped.",
    )
    redis_queue_url: str = Field(
        default="redis://127.0.0.1:6379/1",
        validation_alias="REDIS_QUEUE_URL",
        description="Redis for RQ (`noeviction`, append-only).",
    )
    redis_prefix: str = Field(
        default="thmanyah:",
        validation_alias="REDIS_PREFIX",
        description="Every key begins with it.",
    )
    redis_timeout: float = Field(
        default=0.25, gt=0, validation_alias="REDIS_TIMEOUT",
        description="Seconds a cache command may take before the request goes on without it.",
    )  # fmt: skip
    sync_poll_seconds: float = Field(
        default=0.05, gt=0, validation_alias="SYNC_POLL_SECONDS",
        description="Pause of the sender when there is nothing to send.",
    )  # fmt: skip
    sync_max_documents: int = Field(
        default=2000, ge=1, validation_alias="SYNC_MAX_DOCUMENTS",
        description="Documents in one batch at the most, reached only with a backlog.",
    )  # fmt: skip
    sync_max_bytes: int = Field(
        default=8_000_000, ge=1000, validation_alias="SYNC_MAX_BYTES",
        description="Bytes of documents in one batch at the most.",
    )  # fmt: skip
    sync_in_flight: int = Field(
        default=3, ge=1, validation_alias="SYNC_IN_FLIGHT",
        description="Batches on the way at once; they are settled in order.",
    )  # fmt: skip
    sync_task_timeout: float = Field(
        default=120.0, gt=0, validation_alias="SYNC_TASK_TIMEOUT",
        description="Seconds to wait for the engine to finish a batch before asking anew later.",
    )  # fmt: skip
    reindex_automatic: bool = Field(
        default=False, validation_alias="REINDEX_AUTOMATIC",
        description="Rebuild the index by itself when new settings need it.",
    )  # fmt: skip
    reindex_keep_hours: float = Field(
        default=24, gt=0, validation_alias="REINDEX_KEEP_HOURS",
        description="Hours the index from before a rebuild is kept, in step, for a rollback.",
    )  # fmt: skip
    sync_metrics_port: int = Field(
        default=0, ge=0, validation_alias="SYNC_METRICS_PORT",
        description="Port of the sender's own /metrics; 0 is off.",
    )  # fmt: skip

    @field_validator("meili_urls")
    @classmethod
    def _are_addresses(cls, urls: str) -> str:
        _named(urls)
        return urls

    @property
    def configured_engines(self) -> dict[str, str]:
        """name -> address of the engines that the environment names."""
        return _named(self.meili_urls) or {DEFAULT_ENGINE: self.meili_url}
