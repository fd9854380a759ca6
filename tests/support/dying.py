"""Processes of the product that kill themselves at a named moment.

They are forked from a server process that has imported the product and does nothing else: importing it anew took each of
them longer than what it does.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Mapping

from catalog.core.db import make_engine
from catalog.core.settings import CatalogSettings
from indexer.rebuild.rebuild import Rebuild
from indexer.sender import leadership
from indexer.settings import IndexerSettings

_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload([__name__])


def killed_sending(environment: Mapping[str, str], point: str) -> bool:
    """Let a sender die at one of its crash points; return whether it did."""
    return _killed(_send, dict(environment), point)


def killed_rebuilding(environment: Mapping[str, str], point: str, job_id: int) -> bool:
    """Let a rebuild die at one of its crash points; return whether it did."""
    return _killed(_rebuild, dict(environment), point, job_id)


def _killed(work: Callable[..., None], *arguments: object) -> bool:
    process = _SERVER.Process(target=work, args=arguments)
    process.start()
    process.join(120)
    code = process.exitcode
    if code is None:
        process.kill()
        process.join()
    process.close()
    return code == -signal.SIGKILL


def _dies(point: str) -> Callable[[str], None]:
    def at(reached: str) -> None:
        if reached == point:
            os.kill(os.getpid(), signal.SIGKILL)

    return at


def _send(environment: dict[str, str], point: str) -> None:
    os.environ.update(environment)
    leadership.run(CatalogSettings(), IndexerSettings(), None, threading.Event(), at=_dies(point))


def _rebuild(environment: dict[str, str], point: str, job_id: int) -> None:
    os.environ.update(environment)
    Rebuild(make_engine(CatalogSettings()), IndexerSettings(), at=_dies(point), pause=0.02).run(job_id)
