"""A signal that comes while a process starts ends it, whatever the moment."""

import contextlib
import random
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from sqlalchemy import text
from sqlalchemy.engine import Engine as Database

from api.settings import Settings
from deploy.local import ports
from deploy.local.stack import thmanyah
from indexer.jobs import pruning
from indexer.stores import queues
from tests.support.processes import environment, family, running
from tests.support.waiting import eventually

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("whole_starts")]

COMMANDS = ("api", "sync", "worker", "scheduler", "searchnode", "up")
EACH = 5
SPREAD_SECONDS = 3.0
GONE_SECONDS = 60.0


@dataclass
class Shot:
    """One start, and the signal it gets."""

    command: str
    after: float
    number: signal.Signals


def _shots(seed: int) -> list[Shot]:
    """For every command, moments spread over its first seconds, one at random in each part of them."""
    chance = random.Random(seed)
    part = SPREAD_SECONDS / EACH
    found = [
        Shot(command, part * (n + chance.random()), chance.choice((signal.SIGTERM, signal.SIGINT)))
        for n in range(EACH)
        for command in COMMANDS
    ]
    chance.shuffle(found)
    return found


def _fire(shot: Shot, env: dict[str, str], log: Path) -> str:
    """Start, signal, wait; "" or what is wrong."""
    process = running(thmanyah(shot.command), env, log)
    known: set[psutil.Process] = set()
    signalled = time.monotonic() + shot.after
    sent = False
    while process.poll() is None:
        known.update(family(process.pid))
        if not sent and time.monotonic() >= signalled:
            process.send_signal(shot.number)
            sent = True
        if time.monotonic() > signalled + GONE_SECONDS:
            break
        time.sleep(0.1 if sent else min(0.1, max(0.0, signalled - time.monotonic())))
    took = time.monotonic() - signalled
    if not sent:
        return f"{shot} ended by itself: {log.read_text()[-500:]}"
    _, left = psutil.wait_procs(known, timeout=max(0.5, GONE_SECONDS - took))
    for survivor in left:
        with contextlib.suppress(psutil.NoSuchProcess):
            survivor.kill()
    process.wait(60)
    return f"{shot}: {left} after {took:.0f} s: {log.read_text()[-500:]}" if left else ""


def test_a_signal_during_the_start_is_never_lost(settings: Settings, tmp_path: Path) -> None:
    def fire(n: int, shot: Shot) -> str:
        folder = tmp_path / str(n)
        folder.mkdir()
        env = environment(settings) | {
            "API_PORT": str(ports.ephemeral()),
            "API_WORKERS": "2",
            "MEILI_HTTP_ADDR": f"127.0.0.1:{ports.ephemeral()}",
            "MEILI_DB_PATH": str(folder / "engine"),
            "THMANYAH_HOME": str(folder / "home"),
        }
        if shot.command == "up":
            # All of it is its own.
            env |= dict.fromkeys(("DATABASE_URL", "REDIS_CACHE_URL", "REDIS_QUEUE_URL", "MEILI_URL"), "")
        return _fire(shot, env, folder / "log")

    with ThreadPoolExecutor(4) as pool:
        wrong = list(filter(None, pool.map(fire, *zip(*enumerate(_shots(8)), strict=True))))
    assert not wrong, "\n".join(wrong)


HANGING = """
import os, signal, sys, time
from indexer.process import stopping
stop = stopping.requested(lambda: os.kill(worker, signal.SIGKILL), grace=float(sys.argv[1]))
worker = os.fork()
if not worker:
    # The system's own handling, not its parent's.
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(100)
stop.then(lambda: print("asked", flush=True))
print(worker, flush=True)
while True:
    time.sleep(100)
"""


def _hanging(grace: float) -> tuple["subprocess.Popen[str]", psutil.Process]:
    command = [sys.executable, "-c", HANGING, str(grace)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, psutil.Process(int(process.stdout.readline()))


def test_a_process_that_hangs_ends_with_its_children_after_the_grace() -> None:
    process, child = _hanging(1.5)
    process.terminate()
    assert process.communicate(timeout=60) == ("asked\n", None)
    assert process.returncode == 128 + signal.SIGTERM
    psutil.wait_procs([child], timeout=60)
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


def test_the_second_signal_ends_it_at_once_unless_it_is_the_first_sent_twice() -> None:
    process, child = _hanging(60)
    process.terminate()
    process.terminate()
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(1.3)
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=30) == ("asked\n", None)
    psutil.wait_procs([child], timeout=60)
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


def test_a_worker_in_the_middle_of_a_job_leaves_nothing_behind(
    settings: Settings, database: Database, tmp_path: Path
) -> None:
    queue = queues.connect(settings.indexer.redis_queue_url)
    queue.flushdb()
    log = tmp_path / "log"
    job = queues.JsonQueue(queues.MAINTENANCE, connection=queue).enqueue(pruning.prune, job_timeout=600)
    variables = environment(settings) | {"DATABASE_STATEMENT_TIMEOUT": "0"}
    with database.connect() as holder:
        # The job waits for this lock, so it does not end by itself.
        holder.execute(text("LOCK TABLE idempotency_keys IN ACCESS EXCLUSIVE MODE"))
        process = running(thmanyah("worker"), variables, log)
        eventually(lambda: job.get_status(refresh=True) == "started", what=log.read_text())
        known = family(process.pid)
        process.terminate()
        time.sleep(1.2)
        assert process.poll() is None
        process.terminate()
        _, left = psutil.wait_procs(known, timeout=30)
        process.wait(60)
    queue.flushdb()
    queue.close()
    assert not [one for one in left if one.status() != psutil.STATUS_ZOMBIE]
