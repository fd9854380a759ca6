"""Which folder a command means that names none."""

from pathlib import Path

import pytest

from deploy.local import home


def test_a_command_finds_the_products_home_wherever_it_is_typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout, elsewhere = tmp_path / "checkout", tmp_path / "elsewhere"
    checkout.mkdir()
    elsewhere.mkdir()
    monkeypatch.setattr(home, "CHECKOUT", checkout)
    monkeypatch.delenv("THMANYAH_HOME", raising=False)
    monkeypatch.chdir(elsewhere)
    # An installed package has no checkout around it.
    assert home.default_folder() == elsewhere / ".thmanyah"
    (checkout / "pyproject.toml").touch()
    assert home.default_folder() == checkout / ".thmanyah"
    (elsewhere / ".thmanyah").mkdir()
    assert home.default_folder() == elsewhere / ".thmanyah"
    monkeypatch.setenv("THMANYAH_HOME", str(tmp_path / "named"))
    assert home.default_folder() == tmp_path / "named"


def test_the_checkout_is_where_this_project_is() -> None:
    assert (home.CHECKOUT / "pyproject.toml").is_file()
    assert (home.CHECKOUT / "deploy").is_dir()


def test_the_home_and_its_files_are_its_owners_alone(tmp_path: Path) -> None:
    for path in (tmp_path / "new", tmp_path / "old"):
        if path.name == "old":
            path.mkdir(mode=0o755)
        opened = home.Home(path)
        opened.secrets()
        assert path.stat().st_mode & 0o777 == 0o700
        assert (path / "secrets.json").stat().st_mode & 0o777 == 0o600
    # PostgreSQL may have to pass through.
    path.chmod(home.TRAVERSABLE)
    home.Home(path)
    assert path.stat().st_mode & 0o777 == 0o711
