"""Servers that come from Debian's packages: where they are, or which package brings them."""

import shutil

from deploy.local.errors import LocalStackError

# Program -> its package.
PACKAGES = {"nginx": "nginx-light", "pgbouncer": "pgbouncer", "prometheus": "prometheus"}
# Servers lie in folders that a person's PATH may not have.
_FOLDERS = "/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin"


class MissingServersError(LocalStackError):
    """Some servers are not installed."""


def find(program: str) -> str | None:
    """Return where a program of `PACKAGES` is; None when it is not installed."""
    return shutil.which(program) or shutil.which(program, path=_FOLDERS)


def require(*programs: str) -> None:
    """Check that these programs are installed.

    Raises:
        MissingServersError: Some are not; the text has the command that installs them.
    """
    missing = [program for program in programs if find(program) is None]
    if missing:
        packages = " ".join(PACKAGES[program] for program in missing)
        raise MissingServersError(f"{', '.join(missing)} not found. Install with: apt-get install {packages}")
