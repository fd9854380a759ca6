"""Settings of imports: what may be fetched, how much, and how long it may take."""

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings

from catalog import __version__
from catalog.core.settings import FROM_ENVIRONMENT


class ImportSettings(BaseSettings):
    """Read from the environment; every field has one variable."""

    model_config = FROM_ENVIRONMENT

    ports: str = Field(
        default="80,443,8080,8443",
        validation_alias="IMPORT_PORTS",
        description="Ports that imports may connect to, separated by commas.",
    )
    trusted: str = Field(
        default="",
        validation_alias="IMPORT_TRUSTED",
        description="Private addresses that imports may reach all the same, as exact `address:port` pairs separated by commas.",
    )
    user_agent: str = Field(
        default=f"ThmanyahDiscovery/{__version__} (podcast import)",
        validation_alias="IMPORT_USER_AGENT",
        description="`User-Agent` header that imports send.",
    )
    connect_timeout: float = Field(
        default=5,
        gt=0,
        validation_alias="IMPORT_CONNECT_TIMEOUT",
        description="Seconds to wait for a connection to a server.",
    )
    read_timeout: float = Field(
        default=15,
        gt=0,
        validation_alias="IMPORT_READ_TIMEOUT",
        description="Seconds that a server may send nothing.",
    )
    total_timeout: float = Field(
        default=90,
        gt=0,
        validation_alias="IMPORT_TOTAL_TIMEOUT",
        description="Seconds that fetching one document may take, including redirects.",
    )
    probe_timeout: float = Field(
        default=5,
        gt=0,
        validation_alias="IMPORT_PROBE_TIMEOUT",
        description="Seconds that asking for the first bytes of a file (`detectMedia`) may take, including redirects.",
    )
    max_probes: int = Field(
        default=500,
        ge=0,
        validation_alias="IMPORT_MAX_PROBES",
        description="Largest number of files whose first bytes one run asks for.",
    )
    max_chapters: int = Field(
        default=200,
        ge=0,
        validation_alias="IMPORT_MAX_CHAPTERS",
        description="Largest number of files of chapters that one run asks for.",
    )
    max_redirects: int = Field(
        default=5,
        ge=0,
        validation_alias="IMPORT_MAX_REDIRECTS",
        description="Largest number of redirects for one document.",
    )
    max_feed_bytes: int = Field(
        default=24_000_000,
        ge=1000,
        validation_alias="IMPORT_MAX_FEED_BYTES",
        description="Largest feed or OPML document, in bytes, before and after decompression.",
    )
    max_file_bytes: int = Field(
        default=64_000_000,
        ge=1000,
        validation_alias="IMPORT_MAX_FILE_BYTES",
        description="Largest CSV, JSON or JSON Lines file, in bytes, before and after decompression.",
    )
    read_seconds: int = Field(
        default=60,
        ge=1,
        validation_alias="IMPORT_READ_SECONDS",
        description="Processor seconds that reading a page of a feed, or a batch of its items, may take.",
    )
    max_items: int = Field(
        default=200_000,
        ge=1,
        validation_alias="IMPORT_MAX_ITEMS",
        description="Largest number of items in one run; a longer source ends the run with `too_many_items`.",
    )
    max_pages: int = Field(
        default=100,
        ge=1,
        validation_alias="IMPORT_MAX_PAGES",
        description="Largest number of pages that are read from one feed (RFC 5005).",
    )
    batch: int = Field(
        default=500,
        ge=1,
        validation_alias="IMPORT_BATCH",
        description="Items that are written in one transaction.",
    )
    lease_seconds: float = Field(
        default=20,
        gt=0,
        validation_alias="IMPORT_LEASE_SECONDS",
        description="Lease of a run: another process takes over when the run's process is silent for this many seconds.",
    )
    youtube_url: str = Field(
        default="https://www.googleapis.com/youtube/v3",
        validation_alias="YOUTUBE_API_URL",
        description="Base address of the YouTube Data API.",
    )
    youtube_key: SecretStr = Field(
        default=SecretStr(""),
        validation_alias="YOUTUBE_API_KEY",
        description="Key for the YouTube Data API. Unset: YouTube imports end with `no_api_key`.",
    )
    youtube_quota: int = Field(
        default=10_000,
        ge=0,
        validation_alias="YOUTUBE_DAILY_QUOTA",
        description="Quota units of the YouTube Data API that may be used in a day (Pacific time).",
    )
