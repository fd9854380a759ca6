"""The deadline of a document cuts its connection, whenever that was made."""

import socket

from indexer.importing.fetching.deadline import Deadline
from tests.support.waiting import eventually


def test_a_connection_that_is_made_too_late_is_cut_at_once() -> None:
    deadline = Deadline(0.001)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        eventually(lambda: deadline.passed and not deadline._timer.is_alive())
        theirs.setblocking(False)
        deadline.watch(ours)
        assert theirs.recv(1) == b""
    deadline.close()
