"""Work of an event loop that is finished even when the task that awaits it is cancelled meanwhile.

A connection to PostgreSQL whose opening is cancelled stays open until Python collects it. Tasks beside the requests are
cancelled whenever the process stops, and await their reads here.
"""

import asyncio
import time
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, TypeVar

Result = TypeVar("Result")
# How long a cancelled task waits for its work.
SECONDS = 5.0


async def uninterrupted(work: Coroutine[Any, Any, Result]) -> Result:
    """Await work; if this is cancelled, be cancelled when the work has ended, at most `SECONDS` later.

    Args:
        work: What has bounds of its own, such as a statement with a timeout.

    Returns:
        What the work returns; it raises what the work raises.

    Raises:
        CancelledError: The task that awaits this was cancelled.
    """
    task = asyncio.create_task(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        until = time.monotonic() + SECONDS
        while not task.done() and (left := until - time.monotonic()) > 0:
            # Who stops a process may ask again and again.
            with suppress(asyncio.CancelledError):
                await asyncio.wait([task], timeout=left)
        if task.done() and not task.cancelled():
            # Nobody is told any more; without a look asyncio would warn.
            task.exception()
        raise
