"""The version has one place, `catalog.__version__`; everything that shows a version follows it."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import yaml
from click.testing import CliRunner

from api.app import routers
from api.openapi import document
from api.settings import Settings
from catalog import __version__
from deploy.cli import main
from indexer.importing.settings import ImportSettings

ROOT = Path(__file__).parents[2]


def test_the_distribution_reads_it_from_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert "version" in project["project"]["dynamic"]
    assert "version" not in project["project"]
    shown = subprocess.run(
        [sys.executable, "-m", "hatchling", "metadata", "version"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout.strip() == __version__


def test_the_command_the_api_and_imports_show_it() -> None:
    assert __version__ in CliRunner().invoke(main, ["--version"]).output
    assert document(routers(Settings.from_env()))["info"]["version"] == __version__
    agent = ImportSettings.model_fields["user_agent"].default
    assert agent.startswith(f"ThmanyahDiscovery/{__version__} ")


def test_the_image_has_it_as_its_tag() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    images = {service["image"] for service in services.values() if "build" in service or "command" in service}
    assert {image for image in images if image.startswith("thmanyah")} == {
        f"thmanyah-discovery:{__version__}"
    }


def test_the_changelog_keeps_its_form() -> None:
    """Keep a Changelog 1.1: an Unreleased section first, known kinds of change, no release newer than the version."""
    text = (ROOT / "CHANGELOG.md").read_text()
    sections = re.findall(r"^## (.+)$", text, re.M)
    assert sections[0] == "[Unreleased]"
    released = [re.fullmatch(r"\[(\d+\.\d+\.\d+)\] - \d{4}-\d\d-\d\d", section) for section in sections[1:]]
    assert all(released)
    assert not released or (released[0] and released[0][1] == __version__)
    kinds = re.findall(r"^### (.+)$", text, re.M)
    assert set(kinds) <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
