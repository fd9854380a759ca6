"""Whatever is killed or wiped in the middle of an import: it completes once, nothing twice, no hole."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import redis
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from api.settings import Settings
from catalog.imports.models import ImportItem, ImportRun
from deploy.local.stack import thmanyah
from indexer.importing.running.job import enqueue
from indexer.importing.running.waiting import WaitingRuns
from tests.support.importing import Importer
from tests.support.processes import environment, running
from tests.support.waiting import eventually

pytestmark = pytest.mark.slow

# So many batches that every fault finds the import in the middle.
ROWS, BATCH = 600, 10


@pytest.fixture
def queue(settings: Settings) -> Iterator[redis.Redis]:
    """A Redis database for this test alone: it is going to be wiped."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    url = os.environ["TEST_VALKEY"] + f"/{8 + int(worker) % 8}"
    client = redis.Redis.from_url(url)
    client.flushdb()
    yield client
    client.flushdb()
    client.close()


class Processes:
    """Workers and a scheduler of this test."""

    def __init__(self, settings: Settings, queue: redis.Redis, folder: Path) -> None:
        kwargs = queue.connection_pool.connection_kwargs
        url = f"redis://{kwargs['host']}:{kwargs['port']}/{kwargs['db']}"
        self.environment = environment(settings) | {
            "REDIS_QUEUE_URL": url,
            "IMPORT_BATCH": str(BATCH),
            "IMPORT_LEASE_SECONDS": "2",
        }
        self.folder = folder
        self.children: list[subprocess.Popen[bytes]] = []

    def start(self, name: str) -> "subprocess.Popen[bytes]":
        child = running(thmanyah(name), self.environment, self.folder / f"{name}.log")
        self.children.append(child)
        return child

    def log(self) -> str:
        return "\n".join(path.read_text()[-3000:] for path in self.folder.glob("*.log"))

    def stop(self) -> None:
        for child in self.children:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()


@pytest.fixture
def processes(settings: Settings, queue: redis.Redis, tmp_path: Path) -> Iterator[Processes]:
    found = Processes(settings, queue, tmp_path)
    yield found
    found.stop()


def table() -> bytes:
    lines = [f"{n},Episode {n},en,audio,{n % 5000}" for n in range(1, ROWS + 1)]
    return ("externalId,title,language,mediaType,duration\n" + "\n".join(lines)).encode()


def state(session: Session, run_id: int) -> tuple[str, int]:
    session.rollback()
    run = session.get_one(ImportRun, run_id)
    return run.status, run.position


def horse_of(worker: "subprocess.Popen[bytes]") -> psutil.Process | None:
    with contextlib.suppress(psutil.NoSuchProcess):
        parent = psutil.Process(worker.pid)
        for child in parent.children():
            # It is forked, so it has its parent's command line.
            if child.cmdline() == parent.cmdline() and child.status() != psutil.STATUS_ZOMBIE:
                return child
    return None


def midway(session: Session, run_id: int) -> Callable[[], bool]:
    def check() -> bool:
        status, position = state(session, run_id)
        assert status in ("queued", "running"), "it was over before anything could happen"
        return status == "running" and 0 < position < ROWS * 0.8

    return check


def complete_once(session: Session, run_id: int, processes: Processes) -> None:
    eventually(lambda: state(session, run_id)[0] == "succeeded", within=90, what=processes.log())
    run = session.get_one(ImportRun, run_id)
    assert (run.created, run.total, run.failed) == (ROWS, ROWS, 0)
    positions = session.scalars(
        select(ImportItem.position).where(ImportItem.run_id == run_id).order_by(ImportItem.position)
    ).all()
    assert positions == list(range(1, ROWS + 1))
    ids = session.scalars(text("SELECT external_id FROM programs")).all()
    assert sorted(ids) == sorted(f"file:{n}" for n in range(1, ROWS + 1))


def kill_horse(worker: "subprocess.Popen[bytes]", **_: Any) -> None:
    horse = eventually(lambda: horse_of(worker), what="the worker's horse")
    assert isinstance(horse, psutil.Process)
    horse.send_signal(signal.SIGKILL)


def kill_worker(worker: "subprocess.Popen[bytes]", processes: Processes, **_: Any) -> None:
    os.killpg(worker.pid, signal.SIGKILL)
    horse = horse_of(worker)
    if horse is not None:
        horse.send_signal(signal.SIGKILL)
    worker.wait()
    processes.start("worker")


def kill_worker_only(worker: "subprocess.Popen[bytes]", processes: Processes, **_: Any) -> None:
    """The horse lives on and finishes, or is taken over: never both."""
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    processes.start("worker")


def wipe(queue: redis.Redis, **_: Any) -> None:
    queue.flushdb()


def wipe_and_kill(
    worker: "subprocess.Popen[bytes]", queue: redis.Redis, processes: Processes, **_: Any
) -> None:
    queue.flushdb()
    kill_worker(worker, processes)
    queue.flushdb()


@pytest.mark.parametrize("fault", [kill_horse, kill_worker, kill_worker_only, wipe, wipe_and_kill])
def test_an_import_survives(
    fault: Callable[..., None], processes: Processes, queue: redis.Redis, importer: Importer, session: Session
) -> None:
    worker = processes.start("worker")
    processes.start("scheduler")
    run_id = importer.start("csv", table())
    enqueue(queue, run_id)
    eventually(midway(session, run_id), within=60, what=processes.log())
    fault(worker=worker, processes=processes, queue=queue)
    complete_once(session, run_id, processes)


def test_a_run_whose_job_was_lost_before_it_began(
    processes: Processes, queue: redis.Redis, importer: Importer, session: Session
) -> None:
    run_id = importer.start("csv", table())
    enqueue(queue, run_id)
    queue.flushdb()
    processes.start("worker")
    processes.start("scheduler")
    complete_once(session, run_id, processes)


def test_the_same_job_twice_and_two_workers(
    processes: Processes, queue: redis.Redis, importer: Importer, session: Session
) -> None:
    run_id = importer.start("csv", table())
    for number in range(4):
        enqueue(queue, run_id, number)
    for name in ("worker", "worker", "scheduler", "scheduler"):
        processes.start(name)
    complete_once(session, run_id, processes)
    session.rollback()
    assert session.scalar(text("SELECT count(*) FROM program_revisions")) == ROWS


def test_the_sweep_leaves_a_new_run_to_the_job_of_its_request(
    queue: redis.Redis, importer: Importer, session: Session
) -> None:
    run_id = importer.start("csv", table())
    patient = WaitingRuns(importer.database, queue, patience=3600)
    assert patient.enqueue_waiting() == []
    session.execute(text("UPDATE import_runs SET next_at = next_at - interval '1 hour'"))
    session.commit()
    assert patient.enqueue_waiting() == [f"import-{run_id}-1"]
    # Whatever has had a job is not new.
    session.execute(text("UPDATE import_runs SET next_at = clock_timestamp()"))
    session.commit()
    queue.flushdb()
    assert patient.enqueue_waiting() == [f"import-{run_id}-2"]


def test_the_sweep_leaves_alone_what_will_come_by_itself(queue: redis.Redis, importer: Importer) -> None:
    run_id = importer.start("csv", table())
    waiting = WaitingRuns(importer.database, queue)
    assert waiting.enqueue_waiting() == [f"import-{run_id}-1"]
    assert waiting.enqueue_waiting() == []
    queue.flushdb()
    assert waiting.enqueue_waiting() == [f"import-{run_id}-2"]
    held = importer.look(run_id)
    assert (held.status, held.dispatched) == ("queued", 2)
