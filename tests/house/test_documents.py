"""What is written about the product is what the product does."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml
from pydantic import SecretStr
from pydantic_core import PydanticUndefined
from pydantic_settings import BaseSettings

from api.http.errors import CODES
from api.operations.webhooks.settings import WebhookSettings
from api.settings import ApiSettings
from catalog.core.settings import CatalogSettings
from indexer.importing.settings import ImportSettings
from indexer.pictures.settings import PictureSettings
from indexer.process.telemetry.settings import TracingSettings
from indexer.settings import IndexerSettings

ROOT = Path(__file__).parents[2]
SETTINGS: dict[str, type[BaseSettings]] = {
    "Catalogue": CatalogSettings,
    "Pipeline and engine": IndexerSettings,
    "Imports": ImportSettings,
    "Pictures": PictureSettings,
    "HTTP": ApiSettings,
    "Webhooks": WebhookSettings,
    "Traces": TracingSettings,
}
# Read by what runs the product on one machine, by the search node or by libraries.
ELSEWHERE = {"THMANYAH_HOME", "PROMETHEUS_MULTIPROC_DIR"}


def _default(value: Any) -> str:
    if value is PydanticUndefined:
        return "required"
    if isinstance(value, SecretStr) and value.get_secret_value():
        return "a local one, refused in production"
    if value in (None, "") or isinstance(value, SecretStr):
        return "unset"
    return f"`{str(value).lower() if isinstance(value, bool) else value:}`"


def expected_settings() -> dict[str, tuple[str, str, str]]:
    """variable -> (section, default, description), from the settings classes."""
    found = {}
    for section, model in SETTINGS.items():
        for field in model.model_fields.values():
            assert field.description, field.validation_alias
            found[str(field.validation_alias)] = (section, _default(field.default), field.description)
    return found


def documented_settings() -> dict[str, tuple[str, str, str]]:
    """The same, as docs/settings.md has it."""
    found, section = {}, ""
    for line in (ROOT / "docs/settings.md").read_text().splitlines():
        if line.startswith("## "):
            section = line[3:]
        row = re.fullmatch(r"\| `([A-Z0-9_]+)` \| (.*?) \| (.*) \|", line)
        if row:
            found[row[1]] = (section, row[2], row[3])
    return found


def test_every_setting_is_documented_as_it_is() -> None:
    documented = documented_settings()
    expected = expected_settings()
    assert {name: documented.get(name) for name in expected} == expected
    assert documented.keys() - expected.keys() == ELSEWHERE


def test_every_error_code_is_documented_as_it_is() -> None:
    text = (ROOT / "docs/errors.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| (\d+) \| (.+?) \| (.+) \|$", text, re.MULTILINE)
    assert {code: (int(status), title) for code, status, title, _ in rows} == CODES
    assert all(len(advice) > 10 for *_, advice in rows)


def test_every_make_target_of_the_readme_exists() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z][a-z0-9-]*):", makefile, re.MULTILINE))
    for page in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")):
        for name in re.findall(r"(?:^|`|    )make ([a-z][a-z0-9-]*)", page.read_text(), re.MULTILINE):
            assert name in targets, f"{page.name}: make {name}"


def test_no_registry_is_named_in_requirements() -> None:
    for name in ("base", "otel", "local", "dev"):
        text = (ROOT / f"requirements/{name}.txt").read_text()
        assert "://" not in text
        pinned = re.findall(r"^([a-z0-9._-]+)(?:\[[^]]+\])?==", text, re.MULTILINE | re.IGNORECASE)
        assert len(pinned) > 20
        assert text.count("--hash=sha256:") >= len(pinned)


def test_the_compose_file_names_what_exists() -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    services = compose["services"]
    from deploy.cli import COMMANDS

    known = set(expected_settings()) | ELSEWHERE
    for name, service in services.items():
        for dependency in service.get("depends_on", {}):
            assert dependency in services, (name, dependency)
        for mount in service.get("volumes", []):
            source = mount.partition(":")[0]
            is_file = source.startswith("./") and (ROOT / source).is_file()
            assert is_file or source in compose["volumes"], (name, mount)
        if service.get("image", "").startswith("thmanyah-discovery"):
            command = service["command"]
            assert command[0] == "thmanyah", name
            assert command[1] in COMMANDS, name
            assert set(service["environment"]) <= known, name
    assert (ROOT / services["migrate"]["build"]["dockerfile"]).exists()
    # At its default every small batch takes eight times as long.
    assert services["meilisearch"]["environment"]["MEILI_MAX_INDEXING_MEMORY"]


def test_the_compose_file_follows_the_compose_specification() -> None:
    checked = subprocess.run(
        [
            sys.executable,
            "-m",
            "check_jsonschema",
            "--builtin-schema",
            "vendor.compose-spec",
            str(ROOT / "docker-compose.yml"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
