"""Settings of the catalogue: where PostgreSQL is and how it is used."""

import re

from pydantic import Field, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

_DRIVER = "postgresql+psycopg"
# The beginning of an address, up to its port, as `sqlalchemy.engine.make_url` reads it. SQLAlchemy itself is not imported
# for that: the API's main process opens no connection, and would start a quarter later and hold 20 MB more.
_ADDRESS = re.compile(
    re.escape(f"{_DRIVER}://") + r"(?:[^:/]*(?::[^@]*)?@)?(?:\[[^/?]+\]|[^/:?]+)?(?::(?P<port>[^/?]*))?"
)


def _checked(url: str) -> str:
    """Return the address.

    Raises:
        ValueError: It is no address of PostgreSQL.
    """
    found = _ADDRESS.match(url)
    if found is None or not (found["port"] is None or found["port"].isdecimal()):
        raise ValueError(f"should be an address such as {_DRIVER}://user:password@host:5432/database")
    return url


def _split(urls: str | None) -> list[str]:
    # A comma in a password is written %2C.
    return list(dict.fromkeys(filter(None, map(str.strip, (urls or "").split(",")))))


# How all settings are read: each field from the variable of its own alone. Code names fields by their names; no variable's
# name begins with `=`, so that WORKERS, PORTS or ENDPOINT in somebody's environment are no settings of ours.
FROM_ENVIRONMENT = SettingsConfigDict(
    populate_by_name=True, env_prefix="=", extra="ignore", frozen=True, hide_input_in_errors=True
)


class CatalogSettings(BaseSettings):
    """Read from the environment; every field has one variable."""

    model_config = FROM_ENVIRONMENT

    database_url: str = Field(
        default="postgresql+psycopg://postgres@127.0.0.1:5432/thmanyah",
        validation_alias="DATABASE_URL",
        description="The primary PostgreSQL, as `postgresql+psycopg://…`. All writes go here.",
    )
    database_replica_url: str | None = Field(
        default=None,
        validation_alias="DATABASE_REPLICA_URL",
        description="Read replicas, separated by commas, for lookups, and for searches when no engine answers. Unset: the primary serves them.",
    )
    replica_max_lag: float = Field(
        default=5,
        gt=0,
        validation_alias="DATABASE_REPLICA_MAX_LAG",
        description="Seconds that a replica may be behind the primary; reads leave a replica that is further behind until it has caught up.",
    )
    database_direct_url: str | None = Field(
        default=None,
        validation_alias="DATABASE_DIRECT_URL",
        description="Address that bypasses PgBouncer, for advisory locks. Unset: `DATABASE_URL`.",
    )
    pool_min: int = Field(
        default=5,
        ge=0,
        validation_alias="DATABASE_POOL_MIN",
        description="Connections that each process keeps open.",
    )
    pool_max: int = Field(
        default=50,
        ge=1,
        validation_alias="DATABASE_POOL_MAX",
        description="Connections that each process may open under load.",
    )
    pool_timeout: float = Field(
        default=10,
        gt=0,
        validation_alias="DATABASE_POOL_TIMEOUT",
        description="Seconds that a request waits for a free connection before it fails.",
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

    changes_keep_days: int = Field(
        default=30,
        ge=10,
        validation_alias="CHANGES_KEEP_DAYS",
        description="Days for which the feed of changes tells that a program was withdrawn. A mirror that asks less often begins again.",
    )

    @field_validator("database_url", "database_direct_url", "database_replica_url", mode="before")
    @classmethod
    def _empty_is_unset(cls, value: object, info: ValidationInfo) -> object:
        # Compose passes a variable that nobody has set as an empty one.
        return cls.model_fields[str(info.field_name)].default if value == "" else value

    @field_validator("database_url", "database_direct_url")
    @classmethod
    def _is_postgres(cls, url: str | None) -> str | None:
        return None if url is None else _checked(url)

    @field_validator("database_replica_url")
    @classmethod
    def _are_postgres(cls, urls: str | None) -> str | None:
        for url in _split(urls):
            _checked(url)
        return urls

    @property
    def database_replica_urls(self) -> list[str]:
        """URLs of the read replicas; none means that the primary answers all reads."""
        return _split(self.database_replica_url)

    @property
    def direct_url(self) -> str:
        """URL for connections whose session must stay the same, because they hold an advisory lock."""
        return self.database_direct_url or self.database_url
