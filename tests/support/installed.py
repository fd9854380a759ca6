"""The product as somebody installs it: a wheel and one of requirements/*.txt in a venv of its own."""

import filecmp
import os
import subprocess
import sys
import sysconfig
from importlib.util import cache_from_source
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
        self._bring_compiled()
        return self._venv / "bin"

    def _bring_compiled(self) -> None:
        """Copy the compiled code of every module that the environment of the tests has too, byte for byte.

        The first process of a new environment compiles what it imports, and so does every other one that starts at the
        same time: half of the processor time of these tests.
        """
        (theirs,) = self._venv.glob("lib/python*/site-packages")
        ours = Path(sysconfig.get_path("purelib"))
        for module in theirs.rglob("*.py"):
            name = module.relative_to(theirs)
            # Of the product there is its source tree.
            known = (ours if (ours / name).exists() else ROOT) / name
            compiled, target = (Path(cache_from_source(str(path))) for path in (known, module))
            if compiled.exists() and not target.exists() and filecmp.cmp(known, module, shallow=False):
                code, stat = compiled.read_bytes(), module.stat()
                # What a time-based pyc begins with: https://peps.python.org/pep-0552/
                head = code[:8] + b"".join(
                    (number & 0xFFFF_FFFF).to_bytes(4, "little")
                    for number in (int(stat.st_mtime), stat.st_size)
                )
                target.parent.mkdir(exist_ok=True)
                target.write_bytes(head + code[16:])


def clean_environment(**variables: str) -> dict[str, str]:
    """Return this process's environment without what names servers or another copy of the code."""
    ours = ("MEILI", "DATABASE", "REDIS", "API_", "PROMETHEUS", "THMANYAH", "PYTHON", "VIRTUAL_ENV")
    return {k: v for k, v in os.environ.items() if not k.startswith(ours)} | variables


def _uv(*arguments: str) -> None:
    done = subprocess.run([UV, "--quiet", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, (arguments, done.stderr)
