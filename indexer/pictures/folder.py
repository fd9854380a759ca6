"""Pictures in a folder."""

import contextlib
import os
import tempfile
from pathlib import Path

from indexer.pictures.storing import StoreAway


class Folder:
    """A folder of pictures, which is created with the first one."""

    def __init__(self, path: str) -> None:
        """Keep pictures in the folder `path`."""
        self._path = Path(path)

    def put(self, name: str, content: bytes) -> None:
        """Keep a picture: it is written under another name, and has its own as soon as the disk has it.

        Args:
            name: Of the picture.
            content: All bytes.

        Raises:
            StoreAway: The folder cannot be written, or the disk is full.
        """
        target = self._path / name
        try:
            if target.exists():
                return
            self._path.mkdir(parents=True, exist_ok=True)
            self._write(target, content)
        except OSError as error:
            raise StoreAway(f"the folder of pictures cannot be written: {error.strerror}") from error

    def _write(self, target: Path, content: bytes) -> None:
        number, temporary = tempfile.mkstemp(dir=self._path, prefix=".new-")
        try:
            with os.fdopen(number, "wb") as file:
                file.write(content)
                file.flush()
                os.fchmod(file.fileno(), 0o644)
                os.fsync(file.fileno())
            os.replace(temporary, target)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise
        folder = os.open(self._path, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def get(self, name: str) -> bytes | None:
        """Return a picture; None when there is none of this name.

        Args:
            name: Of the picture.

        Raises:
            StoreAway: The folder cannot be read.
        """
        try:
            return (self._path / name).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreAway(f"the folder of pictures cannot be read: {error.strerror}") from error
