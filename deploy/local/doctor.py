"""What this machine has, and what keeps the product from running on it. `thmanyah doctor` calls it."""

import os
import shutil
import sys
from collections.abc import Callable

import click

from deploy.local import ports
from deploy.local.errors import LocalStackError
from deploy.local.home import Home
from deploy.local.servers import engine, postgres, valkey
from deploy.local.stack import PREFERRED, answers

MIN_FREE_BYTES = 1_000_000_000


def _python() -> str:
    if sys.version_info < (3, 11):  # noqa: UP036 (a person may run it with any interpreter)
        raise LocalStackError(f"Python {sys.version.split()[0]}; 3.11 or newer is needed")
    return sys.version.split()[0]


def _postgres() -> str:
    if not os.access(postgres.BIN / "postgres", os.X_OK):
        raise LocalStackError("the server of the wheel cannot be executed")
    return str(postgres.BIN)


def _valkey() -> str:
    return valkey.server_command(Home().path / "valkey", 0)[0]


def _disk() -> str:
    free = shutil.disk_usage(Home().path).free
    if free < MIN_FREE_BYTES:
        raise LocalStackError(f"only {free // 2**20} MiB free")
    return f"{free // 2**30} GiB free"


def _folder() -> str:
    home = Home()
    if not os.access(home.path, os.W_OK):
        raise LocalStackError(f"{home.path} cannot be written; name another folder: THMANYAH_HOME=…")
    return str(home.path)


def _engine() -> str:
    return shutil.which(engine.MEILISEARCH) or "the bundled search node"


def _ports() -> str:
    used = Home().ports() or PREFERRED
    taken = [f"{name} {port}" for name, port in used.items() if not ports.is_free(port)]
    if not taken:
        return "all free"
    running = answers(f"http://127.0.0.1:{used.get('api', PREFERRED['api'])}/health/live")
    return "taken by the running product" if running else f"others will be used for {', '.join(taken)}"


CHECKS: dict[str, Callable[[], str]] = {
    "python": _python,
    "data folder": _folder,
    "disk": _disk,
    "postgres": _postgres,
    "valkey": _valkey,
    "engine": _engine,
    "ports": _ports,
}


def examine_machine() -> int:
    """Say what this machine has, a line for each check; return 1 when it cannot run the product, else 0."""
    broken = False
    for name, check in CHECKS.items():
        try:
            verdict = f"ok       {check()}"
        except (LocalStackError, ModuleNotFoundError, OSError) as error:
            broken, verdict = True, f"BROKEN   {error}"
        click.echo(f"{name:12} {verdict}")
    return int(broken)
