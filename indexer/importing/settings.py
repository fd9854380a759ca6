"""Settings of imports: what may be fetched, how much, and how long it may take."""

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class ImportSettings(BaseSettings):
    """Read from the environment; every field has one variable."""

    model_config = SettingsConfigDict(populate_by_name=True, extra="ignore", frozen=True)

    ports: str = Field(
        default="80,443,8080,8443", validation_alias="IMPORT_PORTS",
        description="Ports that imports may connect to, comma separated.",
    )  # fmt: skip
    trusted: str = Field(
        default="", validation_alias="IMPORT_TRUSTED",
        description="Exact `address:port` pairs, comma separated, that may be reached although private.",
    )  # fmt: skip
    user_agent: str = Field(
        default="ThmanyahDiscovery/0.1 (podcast import)", validation_alias="IMPORT_USER_AGENT",
        description="How imports name themselves to the servers they ask.",
    )  # fmt: skip
    connect_timeout: float = Field(
        default=5, gt=0, validation_alias="IMPORT_CONNECT_TIMEOUT",
        description="Seconds to connect to a server.",
    )  # fmt: skip
    read_timeout: float = Field(
        default=15, gt=0, validation_alias="IMPORT_READ_TIMEOUT",
        description="Seconds a server may stay silent.",
    )  # fmt: skip
    total_timeout: float = Field(
        default=90, gt=0, validation_alias="IMPORT_TOTAL_TIMEOUT",
        description="Seconds one document may take, redirects included.",
    )  # fmt: skip
    max_redirects: int = Field(
        default=5, ge=0, validation_alias="IMPORT_MAX_REDIRECTS",
        description="Redirects followed for one document.",
    )  # fmt: skip
    max_feed_bytes: int = Field(
        default=24_000_000, ge=1000, validation_alias="IMPORT_MAX_FEED_BYTES",
        description="Largest feed or OPML document, before and after decompression.",
    )  # fmt: skip
    max_file_bytes: int = Field(
        default=64_000_000, ge=1000, validation_alias="IMPORT_MAX_FILE_BYTES",
        description="Largest CSV, JSON or JSON Lines file, before and after decompression.",
    )  # fmt: skip
    max_items: int = Field(
        default=200_000, ge=1, validation_alias="IMPORT_MAX_ITEMS",
        description="Items of one run; more ends it with `too_many_items`.",
    )  # fmt: skip
    max_pages: int = Field(
        default=100, ge=1, validation_alias="IMPORT_MAX_PAGES",
        description="Pages of one feed that are read (RFC 5005).",
    )  # fmt: skip
    batch: int = Field(
        default=500, ge=1, validation_alias="IMPORT_BATCH",
        description="Items written in one transaction.",
    )  # fmt: skip
    lease_seconds: float = Field(
        default=20, gt=0, validation_alias="IMPORT_LEASE_SECONDS",
        description="Seconds after which a run whose process is silent is taken over.",
    )  # fmt: skip
    youtube_url: str = Field(
        default="https://www.googleapis.com/youtube/v3", validation_alias="YOUTUBE_API_URL",
        description="Base address of the YouTube Data API.",
    )  # fmt: skip
    youtube_key: SecretStr = Field(
        default=SecretStr(""), validation_alias="YOUTUBE_API_KEY",
        description="Key for the YouTube Data API. Unset: YouTube imports end with `no_api_key`.",
    )  # fmt: skip
    youtube_quota: int = Field(
        default=10_000, ge=0, validation_alias="YOUTUBE_DAILY_QUOTA",
        description="Units of the YouTube Data API that may be spent in a day (Pacific time).",
    )  # fmt: skip
