"""Compares the files of other projects in this tree with `requirements/assets.toml` and with their releases.

`make assets` runs it. The list names for each file the npm package, the version, the licence and the hash.
"""

import base64
import hashlib
import json
import shutil
import subprocess
import tarfile
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
LIST = ROOT / "requirements/assets.toml"
# Every file in a folder of this name is another project's.
FOLDER = "vendor"
_SECONDS = 120


def packages() -> list[dict[str, Any]]:
    """Return the entries of the list."""
    found: list[dict[str, Any]] = tomllib.loads(LIST.read_text())["package"]
    return found


def differences() -> Iterator[str]:
    """Yield what is wrong with the files, each as a sentence."""
    listed: set[Path] = set()
    for package in packages():
        if package["license_file"] not in package["files"]:
            yield f"{package['name']}: its licence {package['license_file']} is not listed."
        for name, file in package["files"].items():
            path = ROOT / name
            listed.add(path)
            if not path.exists():
                yield f"{name} is missing."
            elif hashlib.sha256(path.read_bytes()).hexdigest() != file["sha256"]:
                yield f"{name} is not the file that the list names."
    for folder in ROOT.rglob(FOLDER):
        if folder.relative_to(ROOT).parts[0] in ("api", "tests", "deploy"):
            yield from (
                f"{path.relative_to(ROOT)} is not listed." for path in folder.iterdir() if path not in listed
            )


def differences_from_release(package: dict[str, Any]) -> Iterator[str]:
    """Download a package and yield what differs from it, each as a sentence.

    Raises:
        CalledProcessError: The package cannot be downloaded.
    """
    with tempfile.TemporaryDirectory() as folder:
        named = f"{package['name']}@{package['version']}"
        packed = subprocess.run(
            ["npm", "pack", "--json", named], cwd=folder, check=True, capture_output=True, timeout=_SECONDS
        )
        archive = Path(folder) / json.loads(packed.stdout)[0]["filename"]
        digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
        if f"sha512-{digest}" != package["integrity"]:
            yield f"{named}: the release is not the one that the list names."
        with tarfile.open(archive) as released:
            for name, file in package["files"].items():
                member = released.extractfile(f"package/{file['released']}")
                if member is None or member.read() != (ROOT / name).read_bytes():
                    yield f"{name} differs from {file['released']} of {named}."


def main() -> None:
    """Print what is wrong. Raises SystemExit when something is."""
    wrong = list(differences())
    if shutil.which("npm") is None:
        print("npm is not on PATH: the files are compared with the list alone")
    else:
        for package in packages():
            wrong += differences_from_release(package)
    if wrong:
        raise SystemExit("\n".join(wrong))
    for package in packages():
        print(f"{package['name']} {package['version']} ({package['license']}): {len(package['files'])} files")


if __name__ == "__main__":
    main()
