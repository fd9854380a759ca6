"""`make setup` on a machine that lacks something: one line that says what, and no half-made environment."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.paths import ROOT

OLD = "#!/bin/sh\nexit 1\n"
WITHOUT_VENV = f'#!/bin/sh\ncase "$2" in *ensurepip*) exit 1;; esac\nexec {sys.executable} "$@"\n'


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
@pytest.mark.parametrize(
    ("program", "said"),
    [
        (OLD, "Python 3.11 or newer is needed; {python} is not (make PYTHON=/path/to/python3)"),
        (
            WITHOUT_VENV,
            "{python} has no venv or no pip: install them (Debian, Ubuntu: apt install python3-venv)",
        ),
    ],
    ids=["an old Python", "no venv module"],
)
def test_what_is_missing_is_one_line(tmp_path: Path, program: str, said: str) -> None:
    python, venv = tmp_path / "python3", tmp_path / "venv"
    python.write_text(program)
    python.chmod(0o755)
    command = ["make", "-s", "-C", str(ROOT), "setup", f"VENV={venv}", f"PYTHON={python}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode != 0
    assert done.stdout == said.format(python=python) + "\n"
    assert not venv.exists()
