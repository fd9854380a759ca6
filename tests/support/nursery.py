"""The process that tests/support/prepared.py asks for processes of the product: `python -m tests.support.nursery FD`.

It has imported the libraries of other projects that the product uses, and nothing of the product. For each request it
forks a process that takes over the outputs, the variables and the folder of the request and then runs
`python -m deploy ...` from its first line.
"""

import array
import json
import os
import runpy
import socket
import sys
import time
from importlib import import_module
from typing import Any

from indexer.process import loading

# What most processes of the product import. Not prometheus_client: it reads variables when it is imported.
LIBRARIES = (
    "aiohttp",
    "babel.dates",
    "click",
    "granian.server",
    "jinja2",
    "jwt",
    "litestar",
    "litestar.connection",
    "litestar.contrib.jinja",
    "litestar.openapi.plugins",
    "litestar.plugins.pydantic",
    "meilisearch.client",
    "msgspec",
    "numpy",
    "psycopg",
    "pydantic",
    "pydantic_settings",
    "pyroaring",
    "rapidfuzz.distance",
    "redis.asyncio.cluster",
    "requests",
    "rq",
    "rq_scheduler",
    "sqlalchemy.dialects.postgresql.psycopg",
    "sqlalchemy.ext.asyncio",
    "sqlalchemy.orm",
    "structlog",
)
LARGEST_REQUEST = 1 << 20
MOST_DESCRIPTORS = 64


def main(descriptor: int) -> list[str]:
    """Serve requests until the tests end.

    Returns:
        In a process that was asked for, the arguments of `python -m deploy`; the caller runs them.
    """
    asked = socket.socket(fileno=descriptor)
    with loading.quickly(rich=False):
        for name in LIBRARIES:
            import_module(name)
    while True:
        message, ancillary, _, _ = asked.recvmsg(
            LARGEST_REQUEST, socket.CMSG_SPACE(MOST_DESCRIPTORS * array.array("i").itemsize)
        )
        if not message:
            os._exit(0)
        given = array.array("i")
        for _, _, data in ancillary:
            given.frombytes(data)
        request = json.loads(message)
        reading, writing = os.pipe()
        helper = os.fork()
        if not helper:
            # The helper ends at once, so that its child becomes a child of the tests' process, which waits for it.
            pid = os.fork()
            if pid:
                os.write(writing, str(pid).encode())
                os._exit(0)
            asked.close()
            os.close(reading)
            os.close(writing)
            _become(request, list(given))
            return [str(word) for word in request["arguments"]]
        os.close(writing)
        os.waitpid(helper, 0)
        asked.send(os.read(reading, 32))
        os.close(reading)
        for number in given:
            os.close(number)


def _become(request: dict[str, Any], given: list[int]) -> None:
    """Take over what the request says; `given` are its open files, in the order of `request["descriptors"]`."""
    if request["session"]:
        os.setsid()
    # From here on no number below is in use by chance.
    high = [os.dup2(number, 1000 + n, inheritable=False) for n, number in enumerate(given)]
    for number in given:
        os.close(number)
    for number, wanted in zip(high, request["descriptors"], strict=True):
        os.dup2(number, wanted)
        os.close(number)
    os.environ.clear()
    os.environ.update(request["environment"])
    time.tzset()
    os.chdir(request["folder"])
    if request["ends_with_parent"]:
        while os.getppid() != request["parent"]:
            time.sleep(0.001)
        import_module("indexer.process.stopping").end_with_parent()
    sys.argv = ["deploy", *request["arguments"]]
    sys.path[0] = request["folder"]


if __name__ == "__main__":
    main(int(sys.argv[1]))
    runpy.run_module("deploy", run_name="__main__", alter_sys=True)
