"""Coverage of every room of the code, with a floor: `make coverage` runs it over what the tests recorded.

A room is a folder inside `api`, `indexer`, `catalog` or `deploy`; files that lie loose in one of these
belong to the room `(loose)`. A percentage counts lines and branches together, as `coverage report` does.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

# Percent that every room of the layer reaches; a layer that is missing here is only shown.
FLOORS = {"api": 90.0, "indexer": 90.0, "catalog": 90.0}


class Covered(NamedTuple):
    """Lines and branches of a room: how many there are, and how many ran."""

    all: int
    ran: int

    @property
    def percent(self) -> float:
        """The share that ran, in percent; 100 when there is nothing to run."""
        return 100.0 * self.ran / self.all if self.all else 100.0


def room_of(path: str) -> str:
    """Return the room of a file, such as `api/discovery` for `api/discovery/params.py`."""
    layer, *inner = Path(path).parts
    return f"{layer}/{inner[0]}" if len(inner) > 1 else f"{layer}/(loose)"


def by_room(files: Mapping[str, Mapping[str, Mapping[str, int]]]) -> dict[str, Covered]:
    """Add up the summaries of files, as `coverage json` writes them, by room."""
    found: dict[str, Covered] = {}
    for path, file in files.items():
        figures, room = file["summary"], room_of(path)
        before = found.get(room, Covered(0, 0))
        found[room] = Covered(
            before.all + figures["num_statements"] + figures["num_branches"],
            before.ran + figures["covered_lines"] + figures["covered_branches"],
        )
    return dict(sorted(found.items()))


def below(rooms: Mapping[str, Covered]) -> list[str]:
    """Return the rooms that do not reach their layer's floor."""
    return [
        room for room, covered in rooms.items() if covered.percent < FLOORS.get(room.partition("/")[0], 0)
    ]


def lines(rooms: Mapping[str, Covered]) -> Iterable[str]:
    """Yield a line of text for every room."""
    short = below(rooms)
    for room, covered in rooms.items():
        yield f"{room:24} {covered.percent:6.1f} %{'  below its floor' if room in short else ''}"


def main() -> None:
    """Combine what was recorded, print every room; exit with 1 when a room is below its floor."""
    coverage = [sys.executable, "-m", "coverage"]
    subprocess.run([*coverage, "combine", "--quiet"], check=True)
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "coverage.json"
        subprocess.run([*coverage, "json", "--quiet", "-o", str(report)], check=True)
        rooms = by_room(json.loads(report.read_text())["files"])
    print("\n".join(lines(rooms)))
    sys.exit(1 if below(rooms) else 0)


if __name__ == "__main__":
    main()
