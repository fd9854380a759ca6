"""The processes of a product, and what each has taken so far, as Linux tells it."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Taken:
    """What the processes with one name have taken.

    Attributes:
        seconds: Processor time since their start, that of their ended children included.
        wakes: How often their threads were woken or had to give way.
        resident: Bytes in memory; what several processes share counts for each.
        shared_out: Bytes in memory; what several share counts for each by its share (PSS).
        count: How many processes they are.
    """

    seconds: float = 0.0
    wakes: int = 0
    resident: int = 0
    shared_out: int = 0
    count: int = 0


def named(up: int) -> Iterator[tuple[str, psutil.Process]]:
    """Yield the processes of a product with the names of the parts they belong to.

    Args:
        up: The id of the supervisor.
    """
    supervisor = psutil.Process(up)
    yield "supervisor", supervisor
    for part in supervisor.children():
        command = part.cmdline()
        name = command[-1] if command[1:3] == ["-m", "deploy"] else Path(part.exe()).name.partition("-")[0]
        yield f"{name} main" if name == "api" else name, part
        for child in part.children(recursive=True):
            yield name, child


def taken(up: int) -> dict[str, Taken]:
    """Return what each part of a product has taken so far, by its name.

    Args:
        up: The id of the supervisor.
    """
    found: dict[str, Taken] = {}
    for name, process in named(up):
        part = found.setdefault(name, Taken())
        folder = Path(f"/proc/{process.pid}")
        try:
            # The fields behind the command's name, which may have blanks.
            times = (folder / "stat").read_text().rpartition(")")[2].split()[11:15]
            sizes = dict(line.split()[:2] for line in (folder / "smaps_rollup").read_text().splitlines()[1:])
            for task in (folder / "task").iterdir():
                status = (task / "status").read_text().splitlines()
                part.wakes += sum(int(line.split()[1]) for line in status if "ctxt_switches" in line)
        except (FileNotFoundError, ProcessLookupError):
            continue
        part.seconds += sum(map(int, times)) / _TICKS
        part.resident += int(sizes["Rss:"]) * 1024
        part.shared_out += int(sizes["Pss:"]) * 1024
        part.count += 1
    return found
