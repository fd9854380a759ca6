"""What traces cost a hot answer: processor time of the edge for it, with traces off, with a part of them and with all.

`python -m perf.benches.answers.traces` asks the edge for an answer that it has in memory, without a server before it. Each way runs in
processes of its own, by turns, and the least time of a way counts, so that other work on the machine does not.
Spans go to an address where nobody listens.
"""

import asyncio
import os
import subprocess
import sys
import time
from typing import Any

from api.answers.answer import Answer, Answered
from api.answers.cache import Cache
from api.answers.edge import Edge
from api.http.cors import Cors
from api.http.limits.rate_limit import Limiter
from api.http.observed.tally import Tally
from api.http.observed.traced import Traced, observe
from indexer.process import telemetry
from perf.tables import compare

REQUESTS, PARTS, ROUNDS = 5_000, 5, 3
_NOBODY = {
    "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9",
    "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
}
WAYS: dict[str, dict[str, str]] = {
    "off": {},
    "one in a hundred recorded": _NOBODY | {"OTEL_TRACES_SAMPLER_ARG": "0.01"},
    "all recorded": _NOBODY | {"OTEL_TRACES_SAMPLER_ARG": "1"},
}
# What a browser behind the product's edge sends, as far as the edge looks at it.
_HEADERS = [
    (b"host", b"127.0.0.1"),
    (b"user-agent", b"bench"),
    (b"accept", b"*/*"),
    (b"accept-encoding", b"gzip"),
    (b"x-forwarded-for", b"192.0.2.1"),
]
_PATH, _KEY = "/discovery/programs/1", "program:1"


def _scope() -> dict[str, Any]:
    return {
        "type": "http",
        "method": "GET",
        "path": _PATH,
        "query_string": b"",
        "headers": _HEADERS,
        "client": ("127.0.0.1", 1),
    }


async def _nothing(*_: object) -> None:
    """Take a message."""


async def _ask() -> float:
    """Return the processor time of a hot answer in this process, in microseconds."""

    async def framework(scope: dict[str, Any], receive: object, send: Any) -> None:
        scope["state"]["answered"] = Answered(_KEY, "program")
        scope["path_template"] = "/discovery/programs/{key}"
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    is_on = telemetry.start("api", quiet=True)
    edge = Edge(framework, observe) if is_on else Edge(framework)  # type: ignore[arg-type]  # a stand-in
    app: Any = Traced(edge) if is_on else edge
    cache = Cache(None, "", max_bytes=2**20)
    cache.invalidations.heard_at = time.monotonic() + 3600
    cache.memory.store(_KEY, Answer(b"x" * 1000, rev=1, ids=(1,)), 3600, generation=0, removals=0)
    edge.bind(cache, Limiter(None, "", 0), Cors("*"), Tally())
    await app(_scope(), _nothing, _nothing)
    least = float("inf")
    for _ in range(PARTS):
        began = time.thread_time()
        for _ in range(REQUESTS):
            await app(_scope(), _nothing, _nothing)
        least = min(least, time.thread_time() - began)
    return least / REQUESTS * 1e6


def _measured(variables: dict[str, str]) -> float:
    """Return what a process with these variables measures."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    command = [sys.executable, "-m", "perf.benches.answers.traces", "--child"]
    done = subprocess.run(command, env=own | variables, stdout=subprocess.PIPE, text=True, check=True)
    return float(done.stdout)


def main() -> None:
    """Measure, and print the table."""
    if "--child" in sys.argv:
        sys.stdout.write(str(asyncio.run(_ask())))
        sys.stdout.flush()
        # Without waiting for spans that nobody takes.
        os._exit(0)
    times: dict[str, list[float]] = {way: [] for way in WAYS}
    for _ in range(ROUNDS):
        for way, variables in WAYS.items():
            times[way].append(_measured(variables))
    least = {way: min(found) for way, found in times.items()}
    title = f"A hot answer at the edge, µs of processor time, the least of {ROUNDS * PARTS} × {REQUESTS}"
    compare(title, [(f"traces {way}", f"{found:.1f}", "-") for way, found in least.items()])


if __name__ == "__main__":
    main()
