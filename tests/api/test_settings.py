"""What production refuses at the start, and that no message shows a secret."""

import os
import secrets
import subprocess

import pytest
from pydantic import ValidationError
from pydantic_settings import BaseSettings

from api.settings import LOCAL_SECRET, ApiSettings
from catalog.core.settings import CatalogSettings
from deploy.local.stack import thmanyah
from indexer.importing.settings import ImportSettings
from indexer.process.telemetry.settings import TracingSettings
from indexer.settings import IndexerSettings

GOOD = secrets.token_hex(32)


@pytest.mark.parametrize(
    "secret",
    [
        LOCAL_SECRET,
        "short",
        "",
        "x" * 64,
        "0123456" * 10,
        "correct horse battery " * 3,
        "51c0a4bd5e511a9c" * 4,
    ],
)
def test_a_weak_secret_refuses_to_start_outside_local(secret: str) -> None:
    with pytest.raises(ValueError, match="THMANYAH_SECRET_KEY") as refusal:
        ApiSettings(environment="production", secret_key=secret)
    assert len(secret) < 8 or secret not in str(refusal.value)
    assert ApiSettings(environment="production", secret_key=GOOD)
    assert ApiSettings(secret_key=secret)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "example.org"])
def test_only_production_listens_on_other_addresses_than_loopback(host: str) -> None:
    with pytest.raises(ValueError, match="API_HOST must be a loopback address"):
        ApiSettings(host=host)
    assert ApiSettings(environment="production", secret_key=GOOD, host=host).host == host
    for loopback in ("127.0.0.1", "127.3.2.1", "::1", "localhost"):
        assert ApiSettings(host=loopback).host == loopback


def test_documentation_and_metrics_are_public_in_production_only_when_asked_for() -> None:
    production = {"environment": "production", "secret_key": GOOD}
    for name in ("docs", "metrics"):
        shown = f"shows_{name}"
        assert getattr(ApiSettings(), shown) is True
        assert getattr(ApiSettings(**production), shown) is False
        assert getattr(ApiSettings(**production, **{f"expose_{name}": True}), shown) is True


@pytest.mark.slow
@pytest.mark.parametrize("keys", [{}, {"MEILI_SEARCH_KEY": ""}, {"MEILI_SEARCH_KEY": "a", "MEILI_KEY": "a"}])
def test_the_api_refuses_an_engine_key_that_may_more_than_search(keys: dict[str, str]) -> None:
    env = {"THMANYAH_ENV": "production", "THMANYAH_SECRET_KEY": GOOD, "MEILI_KEY": "b"} | keys
    done = subprocess.run(
        thmanyah("api"), env=os.environ | env, capture_output=True, text=True, timeout=60, check=False
    )
    message = "Error: MEILI_SEARCH_KEY must be a key of its own that may only search\n"
    assert (done.returncode, done.stderr) == (1, message)


def test_no_settings_class_repeats_a_wrong_value() -> None:
    for settings, field in (
        (CatalogSettings, "DATABASE_URL"),
        (IndexerSettings, "REDIS_CACHE_URL"),
        (ImportSettings, "IMPORT_BATCH"),
        (ApiSettings, "API_PORT"),
    ):
        with pytest.raises(ValidationError) as refusal:
            settings(**{field: "http://user:hunter2@host"})
        assert field in str(refusal.value)
        assert "hunter2" not in str(refusal.value)


@pytest.mark.parametrize(
    "settings", [ApiSettings, CatalogSettings, IndexerSettings, ImportSettings, TracingSettings]
)
def test_a_field_is_read_from_its_own_variable_alone(
    settings: type[BaseSettings], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = settings()
    own = {str(field.validation_alias).upper() for field in settings.model_fields.values()}
    for name in settings.model_fields:
        if name.upper() not in own:
            monkeypatch.setenv(name.upper(), "7")
            monkeypatch.setenv(name, "7")
    assert settings() == before
