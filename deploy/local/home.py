"""The folder that keeps everything between runs: data, ports, secrets, logs."""

import fcntl
import json
import os
import secrets
from pathlib import Path
from typing import Any

FOLDER = ".thmanyah"


class AlreadyRunningError(Exception):
    """Another `thmanyah up` uses this folder."""


class Home:
    """`path` is `.thmanyah/` of the working directory unless THMANYAH_HOME says otherwise."""

    def __init__(self, path: Path | None = None) -> None:
        given = os.environ.get("THMANYAH_HOME")
        self.path = (path or (Path(given) if given else Path.cwd() / FOLDER)).resolve()
        self.path.mkdir(parents=True, exist_ok=True)
        self.logs = self.path / "logs"
        self._lock: Any = None

    def lock(self) -> None:
        """One supervisor a folder. Raises AlreadyRunningError."""
        self._lock = (self.path / "lock").open("a+")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise AlreadyRunningError(str(self.path)) from None

    def read(self, name: str) -> dict[str, Any]:
        """A small JSON file of ours; {} when it is missing or damaged."""
        try:
            found: dict[str, Any] = json.loads((self.path / f"{name}.json").read_text())
        except (OSError, ValueError):
            return {}
        return found

    def write(self, name: str, value: dict[str, Any]) -> None:
        """Replace it in one step; readable by its owner only."""
        target = self.path / f"{name}.json"
        scratch = target.with_suffix(".tmp")
        descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(value, file, indent=1)
        scratch.replace(target)

    def secrets(self) -> dict[str, str]:
        """Made at the first start, kept since: signing key, engine key, the admin's password."""
        kept = self.read("secrets")
        fresh = {
            "secretKey": secrets.token_urlsafe(48),
            "masterKey": secrets.token_urlsafe(32),
            "adminPassword": secrets.token_urlsafe(9),
        }
        if kept.keys() != fresh.keys():
            kept = fresh | kept
            self.write("secrets", kept)
        return kept
