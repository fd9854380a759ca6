"""Load by turns: each side is asked a moment, then the next one, round after round, so that other work meets all of them.

Rates depend on what else the machine does; processor time of the asked processes does much less. Ratios are made within a round,
and the median of the rounds counts.
"""

import os
import statistics
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import psutil

from perf.load import mix

_SCRIPT = Path(__file__).parent / "mix.lua"
# Bytes of an answer's head.
_HEAD = 600
Figures = dict[str, float]


class Side(NamedTuple):
    """A server that is asked.

    Attributes:
        name: What it is called.
        url: Where it is.
        pid: Its first process; processor time is that of its children, too.
    """

    name: str
    url: str
    pid: int


def mission_mix(ids: Sequence[int], folder: Path) -> dict[str, str]:
    """Return what `mix.lua` is told for the mission's mix: words of both languages, and these programs.

    Args:
        ids: Programs, the most popular first.
        folder: Gets a file with them.
    """
    file = folder / "ids.txt"
    file.write_text("\n".join(map(str, ids)))
    return {"MIX_WORDS": " ".join(mix.WORDS), "MIX_IDS": str(file)}


def wrk(url: str, seconds: int, connections: int, environment: Mapping[str, str]) -> Figures:
    """Run wrk with `mix.lua` once.

    Args:
        url: The server.
        seconds: How long wrk sends.
        connections: How many connections wrk keeps open.
        environment: Variables that `mix.lua` reads.

    Returns:
        `requests`, `rate` (requests a second), `errors` (answers that are not 2xx), `p50`, `p95` and `p99` (milliseconds), and
        `bytes` (of an answer, its head included).
    """
    done = subprocess.run(
        ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(_SCRIPT), url],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | dict(environment),
        timeout=seconds + 60,
    )
    line = next(row for row in done.stdout.splitlines() if row.startswith("RESULT"))
    requests, micros, errors, p50, p95, p99, size = (float(part) for part in line.split()[1:])
    return {
        "requests": requests,
        "rate": requests / (micros / 1e6),
        "errors": errors,
        "p50": p50 / 1000,
        "p95": p95 / 1000,
        "p99": p99 / 1000,
        "bytes": size / max(requests, 1),
    }


def _processor(pid: int) -> float:
    """Return the processor time of a process and its children, in seconds."""
    first = psutil.Process(pid)
    times = [process.cpu_times() for process in (first, *first.children(recursive=True))]
    return sum(time.user + time.system for time in times)


def asked(side: Side, seconds: int, connections: int, environment: Mapping[str, str]) -> Figures:
    """Put load on a side once: figures as those of `wrk`, and `cpu`, microseconds of processor time for a request.

    Args:
        side: The side.
        seconds: How long it is asked.
        connections: How many connections are open.
        environment: Variables that `mix.lua` reads.
    """
    before = _processor(side.pid)
    found = wrk(side.url, seconds, connections, environment)
    spent = _processor(side.pid) - before
    return found | {"cpu": spent / max(found["requests"], 1) * 1e6}


def body_bytes(found: Figures) -> int:
    """Return about how many bytes the body of an answer has."""
    return max(0, round(found["bytes"]) - _HEAD)


def medians(rounds: Sequence[Figures]) -> Figures:
    """Return the median of each figure."""
    return {name: statistics.median(one[name] for one in rounds) for name in rounds[0]}


def ratio(ours: Sequence[Figures], others: Sequence[Figures], name: str) -> float:
    """Return the median of the rounds' ratios of a figure.

    Args:
        ours: One side's figures, round by round.
        others: Those of the side that it is compared with.
        name: The figure.
    """
    pairs = zip(ours, others, strict=True)
    return statistics.median(one[name] / other[name] for one, other in pairs if other[name])
