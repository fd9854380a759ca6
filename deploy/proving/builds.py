"""An older build of the product beside this one: a commit of the repository, laid out in a folder.

It runs with the packages of this build. Only a checkout with its history has one.
"""

import io
import os
import subprocess
import tarfile
from pathlib import Path

from deploy.local.errors import LocalStackError

ROOT = Path(__file__).parents[2]
_VERSIONS = Path("migrations") / "versions"


class NoHistoryError(LocalStackError):
    """This tree has no commit to take an older build from."""


def before_newest_migration() -> str:
    """Return the newest commit that does not have this build's newest migration.

    Raises:
        NoHistoryError: The tree is no checkout, or its history begins with this migration.
    """
    newest = max(path.name for path in (ROOT / _VERSIONS).glob("[0-9]*.py"))
    added = (
        _git("log", "-1", "--diff-filter=A", "--format=%H", "--", str(_VERSIONS / newest)).decode().strip()
    )
    if not added:
        raise NoHistoryError(f"No commit of this tree's history added {newest}.")
    return _git("rev-parse", "--verify", "--quiet", f"{added}^").decode().strip()


def lay_out(commit: str, folder: Path) -> None:
    """Write the tree of a commit into a folder.

    Raises:
        NoHistoryError: The history does not have it.
    """
    packed = _git("archive", "--format=tar", commit)
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(folder, filter="data")


def variables(folder: Path) -> dict[str, str]:
    """Return the variables with which `python -m deploy` is that of the build in `folder`, from any directory."""
    return {"PYTHONPATH": str(folder), "PYTHONSAFEPATH": "1"}


def _git(*words: str) -> bytes:
    """Return what git prints.

    Raises:
        NoHistoryError: There is no git, no repository, or no such commit.
    """
    try:
        # A repository around an unpacked release is not the history of this tree.
        done = subprocess.run(
            ["git", "-C", str(ROOT), *words],
            env=os.environ | {"GIT_CEILING_DIRECTORIES": str(ROOT.parent)},
            capture_output=True,
            check=False,
        )
    except FileNotFoundError as error:
        raise NoHistoryError("git is not installed.") from error
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip()
        raise NoHistoryError(f"git {words[0]} found no older build: {said or 'no such commit'}")
    return done.stdout
