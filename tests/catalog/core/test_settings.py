"""Addresses of PostgreSQL: the settings take what SQLAlchemy reads, though they do not import it."""

import pytest
from pydantic import ValidationError
from pydantic_settings import BaseSettings
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from catalog.core.settings import CatalogSettings
from indexer.settings import IndexerSettings

ADDRESSES = [
    "nonsense",
    "postgresql://host/db",
    "postgres://user:secret@host/db",
    "Postgresql+psycopg://host/db",
    "x-postgresql+psycopg://host/db",
    "postgresql+psycopg:host/db",
    "postgresql+psycopg://",
    "postgresql+psycopg:///db",
    "postgresql+psycopg:///db?host=/run/postgresql",
    "postgresql+psycopg://host",
    "postgresql+psycopg://host:/db",
    "postgresql+psycopg://host:5432",
    "postgresql+psycopg://host:port/db",
    "postgresql+psycopg://host:5432x/db",
    "postgresql+psycopg://host:-1/db",
    "postgresql+psycopg://host:1:2/db",
    "postgresql+psycopg://user@host:5432/db",
    "postgresql+psycopg://user:secret@host:5432/db?sslmode=require&application_name=a:b@c",
    "postgresql+psycopg://user:s/e?c:r#t@host:5432/db",
    "postgresql+psycopg://user:s/e?c:r#t@host:port/db",
    "postgresql+psycopg://us%40er:%2Fsecret@host/db",
    "postgresql+psycopg://user:secret@[::1]:5432/db",
    "postgresql+psycopg://user:secret@[::1]/db",
    "postgresql+psycopg://[::1]:port/db",
    "postgresql+psycopg://:secret@host/db",
    "postgresql+psycopg://@host:5432?a=b",
    "postgresql+psycopg://one:5432,two:5432/db",
]


def _reads(address: str) -> bool:
    """Whether SQLAlchemy reads it as an address of this driver."""
    try:
        return make_url(address).drivername == "postgresql+psycopg"
    except (ArgumentError, ValueError):
        return False


@pytest.mark.parametrize("address", ADDRESSES)
def test_the_settings_take_what_sqlalchemy_reads(address: str) -> None:
    takes = True
    try:
        CatalogSettings(database_url=address, database_replica_url=None)
    except ValidationError:
        takes = False
    # Nobody listens on a negative port, which SQLAlchemy reads.
    assert takes == (_reads(address) and ":-1/" not in address)


@pytest.mark.parametrize(
    ("variable", "settings", "field"),
    [
        ("DATABASE_URL", CatalogSettings, "database_url"),
        ("DATABASE_DIRECT_URL", CatalogSettings, "database_direct_url"),
        ("DATABASE_REPLICA_URL", CatalogSettings, "database_replica_url"),
        ("MEILI_URL", IndexerSettings, "meili_url"),
        ("REDIS_CACHE_URL", IndexerSettings, "redis_cache_url"),
        ("REDIS_QUEUE_URL", IndexerSettings, "redis_queue_url"),
    ],
)
def test_an_empty_address_is_an_unset_one(
    variable: str, settings: type[BaseSettings], field: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "")
    assert getattr(settings(), field) == settings.model_fields[field].default
