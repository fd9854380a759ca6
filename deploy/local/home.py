"""The home: the folder that keeps everything between two runs of `thmanyah up` (data, ports, secrets, logs)."""

import fcntl
import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import TextIO, TypeVar

import msgspec

from deploy.local.errors import LocalStackError

FOLDER = ".thmanyah"
# Modes of the home: its owner alone; the same, and an ordinary user may reach PostgreSQL's folder inside it.
PRIVATE, TRAVERSABLE = 0o700, 0o711
CHECKOUT = Path(__file__).resolve().parents[2]
Shape = TypeVar("Shape")


class AlreadyRunning(LocalStackError):
    """Another `thmanyah up` uses this home."""


class UnusableHome(LocalStackError):
    """The folder cannot be created or written."""


def default_folder() -> Path:
    """Return the home that a command means which names none, so that it finds the same home everywhere.

    In this order: THMANYAH_HOME; a home that is in the working directory; the home of the checkout this
    code runs from; for an installed package, which has no checkout, a new home in the working directory.
    """
    named = os.environ.get("THMANYAH_HOME")
    if named:
        return Path(named)
    here = Path.cwd() / FOLDER
    if here.exists() or not (CHECKOUT / "pyproject.toml").exists():
        return here
    return CHECKOUT / FOLDER


class Home:
    """The folder and its small JSON files."""

    def __init__(self, path: Path | None = None) -> None:
        """Use this folder (by default `default_folder()`), and create it unless it exists.

        Raises:
            UnusableHome: It cannot be created, or is no folder.
        """
        self.path = (path or default_folder()).absolute()
        self.logs = self.path / "logs"
        self._lock: TextIO | None = None
        try:
            self.path = self.path.resolve()
            self.path.mkdir(parents=True, exist_ok=True, mode=PRIVATE)
            if self.path.stat().st_mode & 0o777 & ~TRAVERSABLE:
                self.path.chmod(PRIVATE)
        except OSError as error:
            raise self._unusable(error) from error

    def lock(self) -> None:
        """Keep other supervisors out of this home until this process ends.

        Raises:
            AlreadyRunning: Another supervisor has the lock.
            UnusableHome: The folder cannot be written.
        """
        try:
            self._lock = (self.path / "lock").open("a+")
        except OSError as error:
            raise self._unusable(error) from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise AlreadyRunning(f"The product already runs in {self.path}.") from None

    def read(self, name: str, shape: type[Shape]) -> Shape:
        """Return the content of a JSON file of the home; an empty one when the file is missing or damaged.

        Args:
            name: The file's name without `.json`.
            shape: Type of the content, such as `dict[str, int]`.
        """
        try:
            return msgspec.json.decode((self.path / f"{name}.json").read_bytes(), type=shape)
        except (OSError, msgspec.DecodeError):
            return shape()

    def write(self, name: str, content: Mapping[str, object]) -> None:
        """Replace a JSON file of the home in one step; only its owner may read it.

        Raises:
            UnusableHome: The folder cannot be written.
        """
        target = self.path / f"{name}.json"
        scratch = target.with_suffix(".tmp")
        try:
            descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w") as file:
                json.dump(content, file, indent=1)
            scratch.replace(target)
        except OSError as error:
            raise self._unusable(error) from error

    def ports(self) -> dict[str, int]:
        """Return the ports of the last run, by the names in `stack.PREFERRED`."""
        return self.read("ports", dict[str, int])

    def secrets(self) -> dict[str, str]:
        """Return the signing key, the engine's master key, and the passwords of the admin and of Redis's users.

        They are made at the first start and kept.
        """
        stored = self.read("secrets", dict[str, str])
        fresh = {
            "secretKey": secrets.token_urlsafe(48),
            "masterKey": secrets.token_urlsafe(32),
            "adminPassword": secrets.token_urlsafe(9),
            "redisApiPassword": secrets.token_urlsafe(32),
            "redisWorkerPassword": secrets.token_urlsafe(32),
        }
        if stored.keys() != fresh.keys():
            stored = fresh | stored
            self.write("secrets", stored)
        return stored

    def _unusable(self, error: OSError) -> UnusableHome:
        reason = "it is a file" if isinstance(error, FileExistsError) else error.strerror
        return UnusableHome(f"{self.path} cannot be used: {reason}. Name another folder: THMANYAH_HOME=…")
