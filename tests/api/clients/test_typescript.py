"""The types that openapi-typescript generates from the document: without a warning, strict, and true of the answers.

Its packages are npm's: `npm ci --prefix tests/api/clients/typescript` installs them. Without them this is skipped.
"""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.accounts import PASSWORD
from tests.support.discovery import SPECS
from tests.support.shared import SharedApi

HERE = Path(__file__).parent / "typescript"
PACKAGES = HERE / "node_modules"
NODE = shutil.which("node")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        NODE is None or not PACKAGES.exists(),
        reason="needs Node.js and `npm ci --prefix tests/api/clients/typescript`",
    ),
]


def test_a_listener_and_an_editor_go_through_the_generated_types(
    shared: SharedApi, reading: dict[str, int], tmp_path: Path
) -> None:
    (tmp_path / "openapi.json").write_bytes(shared.listener.get("/openapi.json").content)
    (tmp_path / "node_modules").symlink_to(PACKAGES)
    for name in ("package.json", "tsconfig.json", "journey.ts"):
        shutil.copy(HERE / name, tmp_path)
    # A body may leave out what has a default.
    options = ["--default-non-nullable", "false", "-o", "api.d.ts"]
    said = run(tmp_path, "node_modules/openapi-typescript/bin/cli.js", "openapi.json", *options)
    assert "warn" not in said.lower(), said
    run(tmp_path, "node_modules/typescript/bin/tsc", "-p", ".")
    told = json.loads(run(tmp_path, "journey.js", shared.listener.base, "admin@example.com", PASSWORD))
    assert "Morning coffee" in told["found"]
    assert set(told["kinds"]) <= {spec.get("kind", "episode") for spec in SPECS}
    assert sorted(told["browsed"]) == sorted(spec["title"] for spec in SPECS)
    assert told["batch"] == told["ids"]
    assert "Morning coffee" in told["offered"]
    assert (told["status"], told["run"]) == ("published", "queued")


def run(folder: Path, *command: str) -> str:
    """Run a script with Node.js in a folder and return what it printed."""
    ended = subprocess.run(
        [str(NODE), *command], cwd=folder, capture_output=True, text=True, timeout=300, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout + ended.stderr if command[0] != "journey.js" else ended.stdout
