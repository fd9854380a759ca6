"""The thread that executes tasks, one after another in order of their uids. `cli.py` starts it."""

import gc
import logging
import os
import threading
from collections.abc import Callable
from datetime import UTC, datetime

from deploy.searchnode.clock import written
from deploy.searchnode.errors import ApiError
from deploy.searchnode.storage.tasks import TaskRecord
from deploy.searchnode.tasks import executor
from deploy.searchnode.tasks.node import Node

log = logging.getLogger(__name__)
# The exit code of a node whose task thread failed.
CRASHED = 70
# Seconds without a task after which changed indexes are saved.
_IDLE_SECONDS = 2.0
# The share of an index's documents that must have changed for that.
_CHANGED_SHARE = 0.05


class Worker:
    """Executes the tasks of one node in a thread of its own.

    When the thread fails, the process ends: memory may not have what the store has, and no task would be executed any
    more. The next start reads the store, like after a power cut.
    """

    def __init__(self, node: Node, end_process: Callable[[int], object] = os._exit) -> None:
        """Take the node.

        Args:
            node: Whose tasks are executed.
            end_process: Called with the exit code when the thread fails.
        """
        self.node, self._end_process = node, end_process
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="tasks", daemon=True)

    def start(self) -> None:
        """Begin to execute tasks, first those that the last run left."""
        self._thread.start()

    def stop(self) -> None:
        """Finish the task at work, save snapshots and close the node's store."""
        self._stopping = True
        self.node.wake.set()
        if self._thread.is_alive():
            self._thread.join()
            self.node.save_snapshots()
        self.node.store.close()

    def _run(self) -> None:
        try:
            self._execute_all()
        except BaseException:  # MemoryError too
            self.node.has_crashed = True
            log.critical("the task thread failed, so the node ends", exc_info=True)
            self._end_process(CRASHED)

    def _execute_all(self) -> None:
        while not self._stopping:
            self.node.wake.clear()
            task = self.node.store.tasks.next()
            if task is not None:
                self._execute(*task)
            elif not self.node.wake.wait(timeout=_IDLE_SECONDS):
                self.node.save_snapshots(min_share=_CHANGED_SHARE)

    def _execute(self, record: TaskRecord, payload: bytes | None) -> None:
        node, started = self.node, datetime.now(UTC)
        record["startedAt"], record["batchUid"] = written(started), record["uid"]
        try:
            with node.store.transaction():
                change = executor.prepare(node, record, payload)
                _finish(record, "succeeded", started)
                # From the commit on the store says `succeeded`, although memory does not have it yet.
                node.applying = record["uid"]
                node.store.tasks.save(record)
        except ApiError as error:
            record["error"] = error.body()
            executor.reset_counts(record)
            _finish(record, "failed", started)
            with node.store.transaction():
                change = executor.effect_of_failure(node, record)
                node.store.tasks.save(record)
            change()
            return
        change()
        # Python's garbage collector need not look at what the task brought again and again.
        gc.freeze()
        node.executed = record["uid"]
        node.applying = 0


def _finish(record: TaskRecord, status: str, started: datetime) -> None:
    finished = datetime.now(UTC)
    record["status"] = status
    record["finishedAt"] = written(finished)
    record["duration"] = f"PT{(finished - started).total_seconds():.6f}S"
