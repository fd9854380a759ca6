"""An older build for the rolling upgrade: which commit it is, and that its code runs instead of this tree's."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.proving import builds
from tests.support.paths import ROOT


def test_a_tree_without_history_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "migrations" / "versions").mkdir(parents=True)
    (tmp_path / "migrations" / "versions" / "20300101_10_first.py").touch()
    monkeypatch.setattr(builds, "ROOT", tmp_path)
    with pytest.raises(builds.NoHistoryError, match="found no older build"):
        builds.before_newest_migration()


def test_the_older_build_has_all_migrations_but_the_newest_and_runs_from_anywhere(tmp_path: Path) -> None:
    try:
        commit = builds.before_newest_migration()
    except builds.NoHistoryError as error:
        pytest.skip(str(error))
    builds.lay_out(commit, tmp_path / "build")
    ours, theirs = (
        {path.name for path in (root / "migrations" / "versions").glob("[0-9]*.py")}
        for root in (ROOT, tmp_path / "build")
    )
    assert theirs == ours - {max(ours)}
    done = subprocess.run(
        [sys.executable, "-c", "import catalog.core, sys; print(catalog.core.__file__)"],
        cwd=ROOT,
        env=os.environ | builds.variables(tmp_path / "build"),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith(str(tmp_path))
