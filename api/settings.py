"""Settings of the HTTP layer, and all three layers together."""

from dataclasses import dataclass
from typing import Literal

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from catalog.settings import CatalogSettings
from indexer.settings import IndexerSettings

LOCAL_SECRET = "local-development-only-not-a-secret"  # noqa: S105
MIN_SECRET_BYTES = 32


class ApiSettings(BaseSettings):
    """Read from the environment; every field has one variable."""

    model_config = SettingsConfigDict(populate_by_name=True, extra="ignore", frozen=True)

    environment: Literal["local", "production"] = Field(
        default="local", validation_alias="THMANYAH_ENV",
        description="`production` refuses weak secrets and trusts no default.",
    )  # fmt: skip
    secret_key: SecretStr = Field(
        default=SecretStr(LOCAL_SECRET), validation_alias="THMANYAH_SECRET_KEY",
        description="Signs access tokens and cursors; at least 32 bytes.",
    )  # fmt: skip
    host: str = Field(
        default="127.0.0.1", validation_alias="API_HOST", description="Address to listen on."
    )
    port: int = Field(default=8000, validation_alias="API_PORT", description="Port to listen on.")
    workers: int = Field(
        default=1, ge=1, validation_alias="API_WORKERS", description="Worker processes."
    )
    l1_bytes: int = Field(
        default=32 * 1024 * 1024, ge=0, validation_alias="CACHE_L1_BYTES",
        description="Bytes of answers each process keeps in memory.",
    )  # fmt: skip
    program_ttl: float = Field(
        default=600, gt=0, validation_alias="CACHE_PROGRAM_TTL",
        description="Seconds a program's answer is kept in Redis.",
    )  # fmt: skip
    page_ttl: float = Field(
        default=60, gt=0, validation_alias="CACHE_PAGE_TTL",
        description="Seconds a page of results is kept when nothing changes.",
    )  # fmt: skip
    fallback_timeout_ms: int = Field(
        default=800, ge=1, validation_alias="SEARCH_FALLBACK_TIMEOUT_MS",
        description="Milliseconds PostgreSQL may take to answer a search that no engine answers.",
    )  # fmt: skip
    fallback_concurrency: int = Field(
        default=8, ge=1, validation_alias="SEARCH_FALLBACK_CONCURRENCY",
        description="Such searches under way at once in each process; more are refused with 503.",
    )  # fmt: skip
    access_minutes: int = Field(
        default=15, ge=1, validation_alias="ACCESS_TOKEN_MINUTES",
        description="Minutes an access token is good for.",
    )  # fmt: skip
    refresh_days: int = Field(
        default=7, ge=1, validation_alias="REFRESH_TOKEN_DAYS",
        description="Days a refresh token is good for.",
    )  # fmt: skip
    trusted_proxies: str = Field(
        default="", validation_alias="TRUSTED_PROXIES",
        description="Addresses or networks, comma separated, whose X-Forwarded-For is believed.",
    )  # fmt: skip
    rate_per_minute: int = Field(
        default=6000, ge=0, validation_alias="RATE_LIMIT_PER_MINUTE",
        description="Requests a client may make in a minute; 0 is no limit.",
    )  # fmt: skip
    login_per_minute: int = Field(
        default=10, ge=1, validation_alias="LOGIN_LIMIT_PER_MINUTE",
        description="Sign-in attempts per client and per account in a minute.",
    )  # fmt: skip
    max_body_bytes: int = Field(
        default=1_000_000, ge=1000, validation_alias="API_MAX_BODY_BYTES",
        description="Largest request body.",
    )  # fmt: skip
    expose_docs: bool = Field(
        default=True,
        validation_alias="API_EXPOSE_DOCS",
        description="Serve /docs and /openapi.json.",
    )
    expose_metrics: bool = Field(
        default=True, validation_alias="API_EXPOSE_METRICS", description="Serve /metrics."
    )

    @model_validator(mode="after")
    def _refuse_weak_secret(self) -> "ApiSettings":
        if self.environment != "local":
            secret = self.secret_key.get_secret_value()
            if secret == LOCAL_SECRET or len(secret.encode()) < MIN_SECRET_BYTES:
                raise ValueError(
                    f"THMANYAH_SECRET_KEY must be a secret of at least {MIN_SECRET_BYTES} bytes"
                )
        return self


@dataclass(frozen=True)
class Settings:
    """Every layer's settings."""

    catalog: CatalogSettings
    indexer: IndexerSettings
    api: ApiSettings

    @classmethod
    def from_env(cls) -> "Settings":
        """Read all of them. Raises pydantic.ValidationError."""
        return cls(CatalogSettings(), IndexerSettings(), ApiSettings())
