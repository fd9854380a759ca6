"""Settings of the HTTP layer, and the settings of all three layers together, as `api.app` needs them."""

import os
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings

from catalog.core.fields import camel
from catalog.core.settings import FROM_ENVIRONMENT, CatalogSettings
from indexer.settings import IndexerSettings

LOCAL_SECRET = "local-development-only-not-a-secret"  # noqa: S105  (refused outside local mode)
MIN_SECRET_BYTES = 32
# Different characters of a secret: 32 random hexadecimal digits have fewer once in ten million times.
MIN_SECRET_CHARACTERS = 8
# A container's share of processors: microseconds in each period, or "max" without a limit.
# See https://docs.kernel.org/admin-guide/cgroup-v2.html#cpu-interface-files
_QUOTA = Path("/sys/fs/cgroup/cpu.max")


def available_processors(quota: Path = _QUOTA) -> int:
    """Return how many processors this process may use: its affinity, or its container's quota if that is less.

    Linux alone has an affinity that can be asked; elsewhere the machine's processors count.
    """
    affinity = getattr(os, "sched_getaffinity", None)
    count = len(affinity(0)) if affinity else os.cpu_count() or 1
    try:
        allowed, period = quota.read_text().split()
        if allowed != "max":
            count = min(count, int(allowed) // int(period))
    except (OSError, ValueError):
        pass
    return max(1, count)


def _worker_count(value: object) -> object:
    return available_processors() if value == "auto" else value


class ApiSettings(BaseSettings):
    """Settings of the HTTP layer. Each field is read from one environment variable."""

    model_config = FROM_ENVIRONMENT

    environment: Literal["local", "production"] = Field(
        default="local",
        validation_alias="THMANYAH_ENV",
        description="`production` refuses a weak secret, and an API without `MEILI_SEARCH_KEY`. `local` listens on loopback only.",
    )
    secret_key: SecretStr = Field(
        default=SecretStr(LOCAL_SECRET),
        validation_alias="THMANYAH_SECRET_KEY",
        description="Signs access tokens and cursors; what Redis has of listeners and the secrets of webhooks are derived from it; "
        "at least 32 random bytes in production.",
    )
    host: str = Field(default="127.0.0.1", validation_alias="API_HOST", description="Address to listen on.")
    public_url: str = Field(
        default="",
        pattern=r"^(https?://[^/?#\s]+)?$",
        validation_alias="PUBLIC_URL",
        description="Address of the pages as listeners know it, without a path: feeds, sitemaps and previews name it. Unset: the address that the API listens on.",
    )
    port: int = Field(
        default=8000, ge=1, le=65_535, validation_alias="API_PORT", description="Port to listen on."
    )
    workers: Annotated[int, BeforeValidator(_worker_count)] = Field(
        default=1,
        ge=1,
        validation_alias="API_WORKERS",
        description="Worker processes; `auto` starts one for each processor that the process may use.",
    )
    l1_bytes: int = Field(
        default=32 * 1024 * 1024,
        ge=0,
        validation_alias="CACHE_L1_BYTES",
        description="Bytes of encoded answers that each process keeps in memory (L1); a quarter as many, besides, of their compressed forms.",
    )
    program_ttl: float = Field(
        default=600,
        gt=0,
        validation_alias="CACHE_PROGRAM_TTL",
        description="Seconds for which the answer of one program is cached.",
    )
    page_ttl: float = Field(
        default=60,
        gt=0,
        validation_alias="CACHE_PAGE_TTL",
        description="Seconds for which a page of results is cached when nothing changes.",
    )
    fallback_timeout_ms: int = Field(
        default=800,
        ge=1,
        validation_alias="SEARCH_FALLBACK_TIMEOUT_MS",
        description="Milliseconds that PostgreSQL may take for a search when no engine answers, and for one of editors.",
    )
    fallback_concurrency: int = Field(
        default=8,
        ge=1,
        validation_alias="SEARCH_FALLBACK_CONCURRENCY",
        description="Searches that PostgreSQL runs at the same time for one process when no engine answers; further ones get 503.",
    )
    popular_blocked_words: str = Field(
        default="",
        validation_alias="POPULAR_BLOCKED_WORDS",
        description="Words, separated by commas, that no popular search may have, in any spelling.",
    )
    events_one_in: int = Field(
        default=1,
        ge=1,
        le=1000,
        validation_alias="SEARCH_EVENTS_ONE_IN",
        description="One of so many clicks and plays from results is counted, as so many; 1 counts each.",
    )
    access_minutes: int = Field(
        default=15,
        ge=1,
        validation_alias="ACCESS_TOKEN_MINUTES",
        description="Minutes until an access token expires.",
    )
    refresh_days: int = Field(
        default=7,
        ge=1,
        validation_alias="REFRESH_TOKEN_DAYS",
        description="Days until a refresh token expires.",
    )
    session_hours: int = Field(
        default=12,
        ge=1,
        le=720,
        validation_alias="SESSION_HOURS",
        description="Hours until the sign-in of a browser ends that nobody uses.",
    )
    trusted_proxies: str = Field(
        default="",
        validation_alias="TRUSTED_PROXIES",
        description="Addresses or networks of proxies, separated by commas, whose `X-Forwarded-For` header is used. In production, `/health/ready` names a proxy that is missing here.",
    )
    rate_per_minute: int = Field(
        default=6000,
        ge=0,
        validation_alias="RATE_LIMIT_PER_MINUTE",
        description="Requests in a minute for each client address, and for each signed-in account or API key; 0 is no limit.",
    )
    connections_per_address: int = Field(
        default=1000,
        ge=0,
        validation_alias="API_CONNECTIONS_PER_ADDRESS",
        description="Connections that one client address may hold open with a worker process. Of further ones the longest idle are closed. Not for `TRUSTED_PROXIES`; 0 is no limit.",
    )
    login_per_minute: int = Field(
        default=10,
        ge=1,
        validation_alias="LOGIN_LIMIT_PER_MINUTE",
        description="Sign-in attempts in a minute for each client address, which is then refused, and for each account, whose further attempts wait two seconds.",
    )
    password_reset_hours: int = Field(
        default=24,
        ge=1,
        le=720,
        validation_alias="PASSWORD_RESET_HOURS",
        description="Hours until an admin's link for a new password expires.",
    )
    password_reset_url: str = Field(
        default="",
        pattern=r"^(https?://[^#\s]+)?$",
        validation_alias="PASSWORD_RESET_URL",
        description="Page of your front end where a person chooses a new password; links add `#token=…`. Unset: an admin gets the token alone.",
    )
    keys_per_account: int = Field(
        default=10,
        ge=0,
        validation_alias="API_KEYS_PER_ACCOUNT",
        description="Usable API keys that an account may have; 0 allows none.",
    )
    review_direct_fields: str = Field(
        default="tags,categoryId,isFeatured",
        validate_default=False,
        validation_alias="REVIEW_DIRECT_FIELDS",
        description="Fields of published programs, separated by commas, that editors change without a reviewer. Empty: none.",
    )
    max_body_bytes: int = Field(
        default=1_000_000,
        ge=1000,
        validation_alias="API_MAX_BODY_BYTES",
        description="Largest request body, in bytes.",
    )
    cors_origins: str = Field(
        default="*",
        pattern=r"^(|\*|https?://[^/\s,]+(\s*,\s*https?://[^/\s,]+)*)$",
        validation_alias="CORS_ORIGINS",
        description="Origins of sites whose pages may read the routes of listeners, separated by commas: `https://app.example`. `*` is every site, an empty value none.",
    )
    expose_docs: bool | None = Field(
        default=None,
        validation_alias="API_EXPOSE_DOCS",
        description="Serve `/docs` and `/openapi.json`. Unset: only if `THMANYAH_ENV` is `local`.",
    )
    expose_metrics: bool | None = Field(
        default=None,
        validation_alias="API_EXPOSE_METRICS",
        description="Serve `/metrics`. Unset: only if `THMANYAH_ENV` is `local`.",
    )

    @property
    def direct_fields(self) -> frozenset[str]:
        """The fields of `REVIEW_DIRECT_FIELDS`, by JSON name."""
        return _names(self.review_direct_fields)

    @field_validator("review_direct_fields")
    @classmethod
    def _are_fields(cls, names: str) -> str:
        # Imported when somebody sets the variable: the main process of the API needs no model of the database otherwise.
        from catalog.programs.rules import FIELDS

        unknown = sorted(_names(names) - {camel(name) for name in FIELDS})
        if unknown:
            raise ValueError(f"REVIEW_DIRECT_FIELDS: no field of a program: {', '.join(unknown)}")
        return names

    @property
    def site(self) -> str:
        """The address of the pages as listeners know it, without a slash at its end."""
        return self.public_url or f"http://{self.host}:{self.port}"

    @property
    def shows_docs(self) -> bool:
        """Whether `/docs` and `/openapi.json` are served."""
        return self.environment == "local" if self.expose_docs is None else self.expose_docs

    @property
    def shows_metrics(self) -> bool:
        """Whether `/metrics` is served."""
        return self.environment == "local" if self.expose_metrics is None else self.expose_metrics

    @model_validator(mode="after")
    def _refuse_weak_secret(self) -> "ApiSettings":
        if self.environment != "local" and is_weak(self.secret_key.get_secret_value()):
            raise ValueError(
                f"THMANYAH_SECRET_KEY must be a random secret of at least {MIN_SECRET_BYTES} bytes, "
                "such as the output of: openssl rand -base64 48"
            )
        return self

    @model_validator(mode="after")
    def _stay_on_loopback(self) -> "ApiSettings":
        if self.environment == "local" and not _is_loopback(self.host):
            raise ValueError("API_HOST must be a loopback address unless THMANYAH_ENV is production")
        return self


def _names(listed: str) -> frozenset[str]:
    return frozenset(filter(None, map(str.strip, listed.split(","))))


def is_weak(secret: str) -> bool:
    """Return whether a secret is published, short, of few different characters, or a repetition."""
    few = len(set(secret)) < MIN_SECRET_CHARACTERS
    repeats = secret in (secret + secret)[1:-1]
    return secret == LOCAL_SECRET or len(secret.encode()) < MIN_SECRET_BYTES or few or repeats


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True)
class Settings:
    """The settings of all three layers."""

    catalog: CatalogSettings
    indexer: IndexerSettings
    api: ApiSettings

    @classmethod
    def from_env(cls) -> "Settings":
        """Read the settings of all layers from the environment.

        Raises:
            pydantic.ValidationError: A variable has a wrong value.
        """
        return cls(CatalogSettings(), IndexerSettings(), ApiSettings())
