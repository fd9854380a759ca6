"""The product as somebody installs it: a wheel and one of requirements/*.txt in a venv of its own."""

import os
import subprocess
import sys
from pathlib import Path

from tests.support.paths import ROOT

# uv and the interpreter of the environment that runs the tests: nothing else of it is used.
UV = str(Path(sys.executable).parent / "uv")


class Environment:
    """A virtual environment with the product's wheel; its other packages are those of one requirements file."""

    def __init__(self, folder: Path) -> None:
        self._venv, self._python = folder / "venv", str(folder / "venv" / "bin" / "python")
        _uv("venv", str(self._venv), "--python", sys.executable)
        # Built with the packages of this environment, as `make setup` does: no download.
        _uv(
            "build",
            "--wheel",
            "--no-build-isolation",
            "--python",
            sys.executable,
            "-o",
            str(folder),
            str(ROOT),
        )
        (self._wheel,) = folder.glob("*.whl")

    def install(self, requirements: str) -> Path:
        """Install requirements/`requirements`.txt and the wheel; remove every other package.

        uv links the packages from its cache: the first run on a machine downloads, later ones take a second.

        Args:
            requirements: "base", "local" or "dev".

        Returns:
            The folder that holds `python` and `thmanyah`.
        """
        locked = str(ROOT / "requirements" / f"{requirements}.txt")
        _uv("pip", "sync", "--python", self._python, "--require-hashes", locked)
        _uv("pip", "install", "--python", self._python, "--no-deps", str(self._wheel))
        return self._venv / "bin"


def clean_environment(**variables: str) -> dict[str, str]:
    """Return this process's environment without what names servers or another copy of the code."""
    ours = ("MEILI", "DATABASE", "REDIS", "API_", "PROMETHEUS", "THMANYAH", "PYTHON", "VIRTUAL_ENV")
    return {k: v for k, v in os.environ.items() if not k.startswith(ours)} | variables


def _uv(*arguments: str) -> None:
    done = subprocess.run([UV, "--quiet", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, (arguments, done.stderr)
