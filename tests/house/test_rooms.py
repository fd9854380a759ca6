"""The report of coverage: files are added up by room, and a room below its floor is named."""

import pytest

from tests.support import rooms
from tests.support.rooms import Covered


def file(statements: int, ran: int, branches: int = 0, taken: int = 0) -> dict[str, dict[str, int]]:
    """A file as `coverage json` describes it."""
    figures = {
        "num_statements": statements,
        "covered_lines": ran,
        "num_branches": branches,
        "covered_branches": taken,
    }
    return {"summary": figures}


def test_files_are_added_up_by_room_lines_and_branches_together() -> None:
    files = {
        "catalog/programs/views.py": file(10, 10, 4, 1),
        "catalog/programs/deep/er.py": file(6, 5),
        "catalog/one.py": file(2, 0),
        "api/app.py": file(0, 0),
    }
    assert rooms.by_room(files) == {
        "api/(loose)": Covered(0, 0),
        "catalog/(loose)": Covered(2, 0),
        "catalog/programs": Covered(20, 16),
    }


@pytest.mark.parametrize(("ran", "short"), [(90, []), (89, ["catalog/programs"])])
def test_a_room_below_the_floor_of_its_layer_is_named(ran: int, short: list[str]) -> None:
    found = {"catalog/programs": Covered(100, ran), "deploy/local": Covered(100, 0), "api/x": Covered(0, 0)}
    assert rooms.below(found) == short
    assert [line.endswith("below its floor") for line in rooms.lines(found)] == [bool(short), False, False]
