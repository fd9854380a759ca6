"""Settings of the catalogue: where PostgreSQL is and how it is used."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class CatalogSettings(BaseSettings):
    """Read from the environment; every field has one variable."""

    model_config = SettingsConfigDict(populate_by_name=True, extra="ignore", frozen=True)

    database_url: str = Field(
        default="postgresql+psycopg://postgres@127.0.0.1:5432/thmanyah",
        validation_alias="DATABASE_URL",
        description="Primary PostgreSQL, as `postgresql+psycopg://…`. All writes go here.",
    )
    database_replica_url: str | None = Field(
        default=None,
        validation_alias="DATABASE_REPLICA_URL",
        description="Read replica for lookups and for searches without an engine. Unset: the primary serves them.",
    )
    database_direct_url: str | None = Field(
        default=None,
        validation_alias="DATABASE_DIRECT_URL",
        description="A connection that bypasses PgBouncer, for advisory locks. Unset: the primary.",
    )
    pool_min: int = Field(
        default=5,
        ge=0,
        validation_alias="DATABASE_POOL_MIN",
        description="Connections each process keeps open.",
    )
    pool_max: int = Field(
        default=50,
        ge=1,
        validation_alias="DATABASE_POOL_MAX",
        description="Connections each process may open under load.",
    )
    pool_timeout: float = Field(
        default=10,
        gt=0,
        validation_alias="DATABASE_POOL_TIMEOUT",
        description="Seconds a request waits for a free connection before it fails.",
    )
    statement_timeout_ms: int = Field(
        default=5000,
        ge=0,
        validation_alias="DATABASE_STATEMENT_TIMEOUT",
        description="Milliseconds after which PostgreSQL cancels a statement of a request.",
    )
    connect_timeout: int = Field(
        default=5,
        ge=1,
        validation_alias="DATABASE_CONNECT_TIMEOUT",
        description="Seconds to wait for a new connection.",
    )

    @property
    def replica_url(self) -> str:
        """Where reads that may be slightly behind go."""
        return self.database_replica_url or self.database_url

    @property
    def direct_url(self) -> str:
        """Where session-level state (advisory locks) is safe."""
        return self.database_direct_url or self.database_url
